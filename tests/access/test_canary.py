"""Who is limited to a brand sees nothing of another one, whatever they ask for and however.

Another brand has one of everything, with a word in each of its texts that nothing else carries and
sums that nothing else has. Every route is asked for with the ids of both, and nothing that comes
back may hold either; and what is of the other brand is answered as what never was.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db.models import CharField, JSONField, Model, TextField
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from budgets.models import Brand
from tests.access.routes import Route, every_route
from tests.access.world import Things, add_people, ask, client_of, make_world
from tests.conftest import NOBODY

WORD = "Kestrel"
AMOUNT = "7777"
# The sums, as they are told to people and to machines.
_SUMS = re.compile(r"(?<![\w.-])(7,?77\d|15,?55\d|23,?33\d|233,?31\d|31,?10\d)(?![\w-])")
MORE_CAMPAIGNS = 13
LIMITED = (Role.CLIENT_VIEWER, Role.BUYER)
FACES = ("api", "portal", "admin", "accounts")
# Texts that are no people's, and whose they are.
_NOT_SAID = {
    "campaigns.Hold.origin",  # The placer's mark.
    "campaigns.Hold.note",  # Nothing writes it yet.
    "campaigns.StatusChange.reasons",
    "budgets.BudgetChange.before",
    "budgets.BudgetChange.after",
    "budgets.Brand.currency",
    "budgets.Brand.time_zone",
    "budgets.Brand.time_zone_before",
    "campaigns.Hold.released_by_kind",
    "campaigns.Hold.released_by_id",
    "campaigns.Hold.released_by_label",
}
# Where each model's rows have their brand.
_PATHS = {
    "budgets.Brand": "id",
    "budgets.Budget": "brand",
    "budgets.LimitVersion": "budget__brand",
    "budgets.BudgetAdjustment": "budget__brand",
    "budgets.BudgetChange": "budget__brand",
    "budgets.SpendEntry": "budget__brand",
    "budgets.SpendTotal": "budget__brand",
    "budgets.SourceFigure": "budget__brand",
    "budgets.BrandSource": "brand",
    "campaigns.Campaign": "brand",
    "campaigns.Hold": "campaign__brand",
    "campaigns.StatusChange": "brand_id",
    "dayparting.Window": "schedule__campaign__brand",
}
# Rows of no one brand: sources are the agency's, and schedules are whose campaigns use them.
_OF_NONE = {
    "budgets.SpendSource",
    "budgets.CompleteStatement",
    "dayparting.Schedule",
    "dayparting.ScheduleException",
    "dayparting.SharedSchedule",
}


@pytest.fixture
def own(acme) -> Things:
    return add_people(make_world("Own"), "own")


@pytest.fixture
def other(own) -> Things:
    return add_people(make_world(WORD, amount=AMOUNT, more_campaigns=MORE_CAMPAIGNS), WORD.lower())


@pytest.fixture
def nothing() -> Things:
    """Ids of nothing, and a day and a name that mean nothing."""

    class Nothing(dict[str, str]):
        def __missing__(self, kind: str) -> str:
            return "2026-12-01" if kind == "day" else NOBODY

    return Nothing()


def limited(role: Role, face: str, things: Things) -> Client:
    return client_of(role, face, [things["brand"]])


def routes_of(face: str) -> Iterator[Route]:
    return (route for route in every_route() if route.face == face)


def texts_of(model: type[Model]) -> list[str]:
    """Return the columns in which people or machines say something."""
    return [
        field.name
        for field in model._meta.fields
        if isinstance(field, CharField | TextField | JSONField)
        and not field.choices
        and not field.name.endswith("_kind")
        and f"{model._meta.label}.{field.name}" not in _NOT_SAID
    ]


def _models() -> list[type[Model]]:
    apps_of_brands = ("budgets", "campaigns", "dayparting")
    return [model for name in apps_of_brands for model in apps.get_app_config(name).get_models()]


def test_the_other_brand_has_its_word_in_every_text(other):
    """Or the walk below would prove nothing of that column."""
    for model in _models():
        label = model._meta.label
        assert label in _PATHS or label in _OF_NONE, f"say in {__name__} whose {label} is"
        if label in _OF_NONE:
            continue
        rows: Any = model._default_manager.filter(**{_PATHS[label]: other["brand"]})
        for column in texts_of(model):
            assert rows.filter(**{f"{column}__icontains": WORD}).exists(), f"{label}.{column}"


def is_told(text: str) -> bool:
    # What is drawn by lot may look like a sum.
    return WORD.lower() in text.lower() or bool(_SUMS.search(without(text)))


def without(text: str, *ids: str) -> str:
    """Return an answer without what differs from one to the next, and without these ids."""
    for one in ids:
        text = text.replace(one, "ID").replace(one.replace("-", "_2D"), "ID")
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
    text = re.sub(r"(csrftoken|messages|sessionid)=[^;]*", "", text)
    return re.sub(r'nonce="[^"]*"|nonce-[^\' ]*|page:[-0-9a-f]{36}|form:?[-0-9a-f]{36}', "", text)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("role", LIMITED)
def test_no_answer_holds_anything_of_another_brand(own, other, nothing, face, role):
    client = limited(role, face, own)
    asked = 0
    for route in routes_of(face):
        for method in route.methods:
            answer = ask(client, method, route.address(own))
            assert not is_told(answer.text_), (method, route.pattern)
            assert answer.status_code != 401, (method, route.pattern)
            asked += 1
            if not route.is_of_a_brand:
                continue
            theirs = route.address(other)
            answer = ask(client, method, theirs)
            never = ask(client, method, route.address(nothing))
            assert not is_told(answer.text_), (method, route.pattern)
            assert answer.status_code == never.status_code, (method, route.pattern)
            ids = [value for value in other.values() if value in theirs]
            assert without(answer.text_, *ids) == without(never.text_, NOBODY), (
                method,
                route.pattern,
            )
    assert asked, face


def queries_of(route: Route, other: Things) -> Iterator[str]:
    """Yield the words of a query that name what is of the other brand."""
    for name in ("brand", "campaign", "group", "shared_schedule"):
        yield f"{name}={other[name]}"
    for name in ("q", "search", "name"):
        yield f"{name}={WORD}"
    yield f"source={WORD} source"
    yield f"external_id={WORD} key"
    yield f"platform={WORD} platform"


@pytest.mark.parametrize("face", ["api", "portal", "admin"])
def test_no_filter_finds_another_brand(own, other, face):
    """And none tells by its answer whether there was something to find."""
    client = limited(Role.CLIENT_VIEWER, face, own)
    for route in routes_of(face):
        if route.kinds or route.pattern in ("api/health/", "api/docs/", "api/schema/"):
            continue
        for query in queries_of(route, other):
            answer = ask(client, "GET", f"{route.address(own)}?{query}")
            shown = answer.text_.replace(WORD, "", 3) if "Kestrel" in query else answer.text_
            for name in ("Kestrel brand", "Kestrel campaign", "Kestrel group", "Kestrel hours"):
                assert name not in shown, (route.pattern, query)
            assert not _SUMS.search(without(shown)), (route.pattern, query)


@pytest.mark.parametrize("path", ["api/spends/", "api/reports/monthly/", "reports/monthly/"])
def test_no_file_holds_another_brand(own, other, path):
    face = "api" if path.startswith("api") else "portal"
    answer = ask(limited(Role.CLIENT_VIEWER, face, own), "GET", f"/{path}?format=csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "Own campaign" in answer.text_
    assert not is_told(answer.text_)


@pytest.mark.parametrize(
    "path", ["/", "/brands/{brand}/", "/campaigns/{campaign}/", "/groups/{group}/"]
)
def test_a_live_refresh_holds_nothing_of_another_brand(own, other, path):
    client = limited(Role.CLIENT_VIEWER, "portal", own)
    client.defaults["HTTP_HX_REQUEST"] = "true"
    answer = ask(client, "GET", f"{path.format(**own)}?folds=1&open=brand-{other['brand']}")
    assert "Own campaign" in answer.text_
    assert not is_told(answer.text_)


CHOICES = ["budgets.budget.brand", "campaigns.campaign.brand", "campaigns.hold.campaign"]


@pytest.mark.parametrize("choice", CHOICES)
def test_nothing_of_another_brand_can_be_chosen(own, other, choice):
    app, model, field = choice.split(".")
    client = limited(Role.BUYER, "admin", own)
    query = f"app_label={app}&model_name={model}&field_name={field}"
    found = ask(client, "GET", f"/admin/autocomplete/?{query}&term=")
    assert found.status_code in (200, 403)
    assert not is_told(found.text_)
    assert found.status_code == 403 or "Own" in found.text_


def test_no_count_counts_another_brand(own, other):
    api = limited(Role.CLIENT_VIEWER, "api", own)
    counts = ask(api, "GET", "/api/health/")
    told = json.loads(counts.content)["checks"]["campaigns"]
    assert sum(told.values()) == 2
    for path in ("brands", "campaigns", "shared-schedules"):
        listed = json.loads(ask(api, "GET", f"/api/{path}/").content)
        assert listed["count"] <= 2, path
    board = limited(Role.CLIENT_VIEWER, "portal", own).get("/").context["board"]
    assert board.total == 2
    assert [brand.id for brand in board.brands] == [Brand.objects.get(name="Own brand").id]


def spend(campaign: str, **fields: Any) -> dict[str, Any]:
    return {"campaign": campaign, "amount": "1", "spend_date": "2026-03-02", **fields}


def test_a_spend_of_another_brand_is_one_of_no_campaign(own, other):
    client = limited(Role.BUYER, "api", own)
    told = []
    for campaign in (other["campaign"], NOBODY):
        single = ask(client, "POST", "/api/spends/", json.dumps(spend(campaign)))
        rows = [spend(own["campaign"]), spend(campaign)]
        batch = ask(client, "POST", "/api/spends/batch/", json.dumps({"rows": rows}))
        bad = ask(client, "POST", "/api/spends/batch/", json.dumps({"rows": [*rows, {}]}))
        restate = {"mode": "restate", "source": "x", "as_of": "2026-03-02T10:00:00Z", "rows": rows}
        restated = ask(client, "POST", "/api/spends/batch/", json.dumps(restate))
        complete = {"from": "2026-03-01", "to": "2026-03-02", "campaigns": [campaign]}
        whole = ask(
            client, "POST", "/api/spends/batch/", json.dumps({**restate, "complete": complete})
        )
        answers = (single, batch, bad, restated, whole)
        told.append([(a.status_code, without(a.text_, campaign)) for a in answers])
    assert told[0] == told[1]
    assert [status for status, _ in told[0]] == [404, 422, 422, 422, 404]


def test_a_key_that_another_brands_spend_has_is_free(own, other):
    client = limited(Role.BUYER, "api", own)
    same = {"external_id": other["external_id"], "source": other["source"]}
    answer = ask(client, "POST", "/api/spends/", json.dumps(spend(own["campaign"], **same)))
    assert answer.status_code == 201
    for said in same.values():
        answer.text_ = answer.text_.replace(said, "")
    assert not is_told(answer.text_)


def test_all_that_a_source_said_is_all_of_ones_own_brands(own, other):
    """A complete report of a buyer who is limited takes nothing back from other brands."""
    client = limited(Role.BUYER, "api", own)
    complete = {"from": "2026-03-01", "to": "2026-03-02", "campaigns": "all"}
    body = {
        "mode": "restate",
        "source": f"{WORD} restating",
        "as_of": "2026-03-02T11:59:00Z",
        "rows": [{"campaign": own["campaign"], "amount": "3", "spend_date": "2026-03-01"}],
        "complete": complete,
        "confirm_decrease": True,
    }
    answer = ask(client, "POST", "/api/spends/batch/", json.dumps(body))
    assert answer.status_code == 201
    told = json.loads(answer.content)
    assert {row["campaign"] for row in told["restated"]} <= {own["campaign"]}
    assert not _SUMS.search(answer.text_)


def bodies(own: Things, ids: Things) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return writes to one's own that name something else in their bodies."""
    week = {"day_of_week": 1, "start_time": "09:00", "end_time": "10:00"}
    return {
        "a campaign of the brand": ("api/campaigns/", {"brand": ids["brand"], "name": "New"}),
        "a campaign in the group": (
            "api/campaigns/",
            {"brand": own["brand"], "name": "New", "group": ids["group"]},
        ),
        "a campaign with the hours": (
            "api/campaigns/",
            {"brand": own["brand"], "name": "New", "shared_schedule": ids["shared_schedule"]},
        ),
        "a window": ("api/schedules/", {"campaign": ids["campaign"], **week}),
        "an exception": (
            "api/schedule-exceptions/",
            {"campaign": ids["campaign"], "day": "2026-04-01", "closed": True},
        ),
        "a shared exception": (
            "api/schedule-exceptions/",
            {"shared_schedule": ids["shared_schedule"], "day": "2026-04-01", "closed": True},
        ),
    }


@pytest.mark.parametrize(
    "what",
    list(
        bodies(
            dict.fromkeys(["brand", "campaign"], ""),
            dict.fromkeys(["brand", "campaign", "group", "shared_schedule"], ""),
        )
    ),
)
def test_a_body_that_names_another_brands_is_as_one_that_names_nothing(own, other, nothing, what):
    client = limited(Role.BUYER, "api", own)
    told = []
    for ids in (other, nothing):
        path, body = bodies(own, ids)[what]
        answer = ask(client, "POST", f"/{path}", json.dumps(body))
        told.append((answer.status_code, without(answer.text_, *ids.values(), NOBODY)))
    assert told[0] == told[1]
    assert told[0][0] in (400, 404)


def test_who_is_no_longer_limited_to_a_brand_is_out_at_the_next_request(own, other):
    client = limited(Role.CLIENT_VIEWER, "portal", own)
    assert client.get(f"/brands/{own['brand']}/").status_code == 200
    User.objects.filter(role=Role.CLIENT_VIEWER).update(brand_ids=[other["brand"]])
    assert client.get(f"/brands/{own['brand']}/").status_code == 404
    assert client.get(f"/brands/{other['brand']}/").status_code == 200
