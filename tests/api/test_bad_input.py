"""Whatever is sent is answered: 4xx with a sentence, never a 500, and nothing is half stored."""

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from hypothesis import HealthCheck, example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from budgets.models import Brand, Budget, SpendEntry
from campaigns.models import Campaign
from campaigns.services.schedules import add_window
from campaigns.services.spend import NewSpend, record_spend
from dayparting.models import Window
from tests.conftest import ANN, NOON, make_brand, make_campaign

BODIES = {
    "empty": b"",
    "half an object": b'{"name": "N"',
    "two objects": b'{"name": "N"}{}',
    "trailing garbage": b'{"name": "N"} x',
    "a list": b'[{"name": "N"}]',
    "a text": b'"N"',
    "null": b"null",
    "NaN": b'{"name": "N", "daily_budget": NaN}',
    "Infinity": b'{"name": "N", "daily_budget": -Infinity}',
    "a name twice": b'{"name": "N", "name": "M"}',
    "NUL": b'{"name": "N\\u0000"}',
    "NUL in a key": b'{"name": "N", "\\u0000": 1}',
    "half a surrogate pair": b'{"name": "N\\ud800"}',
    "half a surrogate pair in a key": b'{"name": "N", "\\udfff": 1}',
    "invalid UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "N"}'.encode("utf-16"),
    "deep lists": b'{"name": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep objects": b'{"name":' * 5_000 + b"1" + b"}" * 5_000,
    "nine deep": b'{"name":' * 9 + b"1" + b"}" * 9,
    "a huge integer": b'{"name": "N", "daily_budget": ' + b"9" * 5_000 + b"}",
    "a huge exponent": b'{"name": "N", "daily_budget": 1e99999999999999999999}',
    "a tiny exponent": b'{"name": "N", "daily_budget": 1e-99999999999999999999}',
    "a control character": b'{"name": "N\n"}',
    "a comment": b'{"name": "N" /* c */}',
    "single quotes": b"{'name': 'N'}",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_object_in_json_is_400(manager, body):
    answer = manager.send("POST", "brands/", body)
    assert answer.status_code == 400
    assert len(answer.content) < 500
    assert not Brand.objects.exists()


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "1e-400", "0.1e-5000", "1e999999", "0.00000000000000000000001"]
)
def test_a_number_out_of_range_names_its_field(manager, number):
    answer = manager.send("POST", "brands/", b'{"name": "N", "daily_budget": %a}' % number)
    assert answer.status_code == 400
    answer = manager.send("POST", "brands/", f'{{"name": "N", "daily_budget": {number}}}'.encode())
    assert (answer.status_code, list(answer.json())) == (400, ["daily_budget"])


def test_zero_is_zero_however_it_is_written(manager):
    answer = manager.send("POST", "brands/", b'{"name": "N", "daily_budget": 0e400}')
    assert (answer.status_code, answer.json()["daily_budget"]) == (201, "0.00")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/xml",
        "application/jsonx",
        "x" * 1000,
    ],
)
def test_another_content_type_is_415(manager, kind):
    assert manager.send("POST", "brands/", b'{"name": "N"}', kind).status_code == 415
    assert not Brand.objects.exists()


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "utf-16", "no-such-charset"])
def test_json_is_utf_8_whatever_its_type_says(manager, charset):
    kind = f"application/json; charset={charset}"
    body = '{"name": "Ķekava"}'.encode()
    answer = manager.send("POST", "brands/", body, kind)
    assert (answer.status_code, answer.json()["name"]) == (201, "Ķekava")


def test_a_body_of_ten_megabytes_is_400(manager):
    body = b'{"name": "' + b"x" * 2 * settings.BODY_BYTES_MAX + b'"}'
    assert manager.send("POST", "brands/", body).status_code == 400


def test_a_broken_form_with_a_session_is_415_or_400(acme, log_in):
    client = log_in("max@acme.example")
    client.handler.enforce_csrf_checks = True
    kind = "multipart/form-data; boundary=x"
    answer = client.generic("POST", "/api/brands/", b"--x\r\nbroken", kind)
    assert answer.status_code in (400, 403, 415)


def test_more_parameters_than_anybody_needs_are_400(manager):
    answer = manager.client.get("/api/brands/?" + "&".join(f"a{n}=" for n in range(2000)))
    assert answer.status_code == 400


# Anything at all ----------------------------------------------------------------------------------
texts = st.text(st.characters(), max_size=20) | st.sampled_from(
    [
        "2026-03-02",
        "0001-01-01",
        "9999-12-31",
        "00:00",
        "23:59:59.999999",
        "1e400",
        "-0",
        "99999999999.999999",
        "America/New_York",
        "JPY",
        "PAUSED",
        "INACTIVE",
        "MONTHLY",
        "x" * 400,
        "\0",
        "\ud800",
    ]
)
scalars = st.none() | st.booleans() | texts | st.integers() | st.floats() | st.just(10**400)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)

FIELDS = {
    "brands": ["name", "currency", "time_zone", "daily_budget", "monthly_budget", "id"],
    "budgets": ["brand", "name", "daily_budget", "monthly_budget", "kind"],
    "campaigns": [
        "brand",
        "name",
        "status",
        "platform",
        "external_id",
        "start_date",
        "end_date",
        "group",
        "daily_budget",
        "monthly_budget",
        "holds",
    ],
    "spends": [
        "campaign",
        "amount",
        "spend_date",
        "spend_type",
        "description",
        "external_id",
        "source",
        "correction",
    ],
    "schedules": ["campaign", "day_of_week", "start_time", "end_time", "is_active"],
}


@pytest.fixture
def things(acme) -> dict[str, tuple[dict[str, Any], str]]:
    """For each resource a body that is accepted, and the address of one of it."""
    campaign = make_campaign(make_brand(daily="100"))
    window = add_window(
        campaign_id=campaign.id,
        day_of_week=0,
        start_time=NOON.time().replace(hour=1),
        end_time=NOON.time(),
        now=NOON,
        by=ANN,
    )
    spend = NewSpend(campaign.id, Decimal(1), NOON.date())
    entry = record_spend(spend=spend, now=NOON, by=ANN).entries[0]
    brand, its = {"brand": str(campaign.brand_id)}, {"campaign": str(campaign.id)}
    return {
        "brands": ({"name": "New"}, f"{campaign.brand_id}/"),
        "budgets": ({**brand, "name": "New"}, f"{campaign.budget_id}/"),
        "campaigns": ({**brand, "name": "New"}, f"{campaign.id}/"),
        "spends": ({**its, "amount": "1", "spend_date": "2026-03-02"}, f"{entry.id}/"),
        "schedules": (
            {**its, "day_of_week": 1, "start_time": "09:00", "end_time": "10:00"},
            f"{window.id}/",
        ),
    }


patient = effort(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def is_answered(answer):
    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400:
        body = answer.json()
        assert isinstance(body, dict)
        assert body
    return True


@pytest.mark.parametrize("resource", FIELDS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@patient
@given(data=st.data())
def test_any_value_in_any_field_is_answered(manager, things, resource, method, data):
    body, tail = things[resource]
    changed = data.draw(st.dictionaries(st.sampled_from(FIELDS[resource]), anything, max_size=3))
    address = f"{resource}/{'' if method == 'POST' else tail}"
    sent = json.dumps({**body, **changed}).encode()
    assert is_answered(manager.send(method, address, sent))


@pytest.mark.parametrize("resource", FIELDS)
@patient
@given(body=anything | st.dictionaries(texts, anything))
@example(body={})
def test_any_json_is_answered(manager, things, resource, body):
    sent = json.dumps(body).encode()
    assert is_answered(manager.send("POST", f"{resource}/", sent))
    assert is_answered(manager.send("PATCH", f"{resource}/{things[resource][1]}", sent))


@patient
@given(body=st.binary(max_size=60))
def test_any_bytes_are_answered(manager, body):
    assert is_answered(manager.send("POST", "brands/", body))


WORDS = {
    "brands/": ["name", "search", "archived", "page", "page_size", "format"],
    "budgets/": ["brand", "campaign", "kind", "archived"],
    "campaigns/": ["brand", "group", "status", "platform", "external_id", "search", "archived"],
    "spends/": ["start_date", "end_date", "campaign", "brand", "source", "external_id", "kind"],
    "schedules/": ["campaign", "brand", "day_of_week"],
    "status-changes/": ["after", "page_size", "platform", "campaign"],
    "reports/monthly/": ["month", "brand", "format"],
}


@pytest.mark.parametrize("path", WORDS)
@patient
@given(data=st.data())
def test_any_query_is_answered(manager, things, path, data):
    # A query carries no half of a surrogate pair: the server decodes its bytes.
    words = st.text(max_size=20) | st.integers().map(str) | st.dates().map(str)
    query = data.draw(st.dictionaries(st.sampled_from(WORDS[path]), words, max_size=3))
    answer = manager.get(path, **query)
    if answer["Content-Type"].startswith("text/csv"):
        assert answer.getvalue()
    else:
        assert is_answered(answer)


def test_a_refused_body_stores_nothing_of_it(manager, things):
    counts = [m.objects.count() for m in (Brand, Budget, Campaign, SpendEntry, Window)]
    for resource, (body, _) in things.items():
        assert manager.post(f"{resource}/", **body, nonsense=str(uuid4())).status_code == 400
    assert counts == [m.objects.count() for m in (Brand, Budget, Campaign, SpendEntry, Window)]
