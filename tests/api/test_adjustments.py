"""Adjustments, coming limits, modes and the history of a budget, as the API has them."""

import pytest

from budgets import services as rows
from tests.conftest import NOBODY, make_brand, make_campaign

GIVEN = {"amount": "200.00", "period": "DAY", "note": "Launch"}


@pytest.fixture
def brand(acme):
    return make_brand(daily="50")


@pytest.fixture
def root(brand):
    return rows.root_of(brand)


def adjustments(budget):
    return f"budgets/{budget.id}/adjustments/"


def test_it_is_given_shown_and_withdrawn(manager, brand, root):
    campaign = make_campaign(brand)
    spent = {"campaign": str(campaign.id), "amount": "60", "spend_date": "2026-03-02"}
    assert manager.post("spends/", **spent).json()["campaign_status"] == "PAUSED"
    answer = manager.post(adjustments(root), **GIVEN)
    assert answer.status_code == 201
    given = answer.json()
    assert given == {
        "id": given["id"],
        "amount": "200.00",
        "period": "DAY",
        "period_start": "2026-03-02",
        "note": "Launch",
        "expires_at": None,
        "ends_at": "2026-03-03T00:00:00Z",
        "in_force": True,
        "given_at": "2026-03-02T12:00:00Z",
        "by": "API key manager of acme",
        "withdrawn_at": None,
        "withdrawn_by": "",
    }
    assert manager.get(f"campaigns/{campaign.id}/").json()["status"] == "ACTIVE"
    shown = manager.get(f"budgets/{root.id}/").json()
    assert (shown["daily_budget"], shown["daily_adjustment"]) == ("50.00", "200.00")
    assert shown["adjustments"] == [given]
    withdrawn = manager.delete(f"{adjustments(root)}{given['id']}/")
    assert withdrawn.status_code == 200
    assert withdrawn.json()["withdrawn_by"] == "API key manager of acme"
    assert manager.get(f"campaigns/{campaign.id}/").json()["status"] == "PAUSED"
    assert manager.get(f"budgets/{root.id}/").json()["adjustments"] == []
    assert [row["in_force"] for row in manager.get(adjustments(root)).json()["results"]] == [False]
    assert manager.delete(f"{adjustments(root)}{given['id']}/").status_code == 409


def test_an_expiry_beyond_the_period_ends_with_it(manager, root):
    given = manager.post(adjustments(root), **GIVEN, expires_at="2026-03-09T00:00:00+01:00").json()
    assert given["ends_at"] == "2026-03-03T00:00:00Z"
    given = manager.post(adjustments(root), **GIVEN, expires_at="2026-03-02T15:00:00+01:00").json()
    assert given["ends_at"] == given["expires_at"] == "2026-03-02T14:00:00Z"


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"amount": "0"}, 400, "amount"),
        ({"amount": "1.001"}, 400, "amount"),
        ({"amount": "9" * 30}, 400, "amount"),
        ({"amount": None}, 400, "amount"),
        ({"period": "WEEK"}, 400, "period"),
        ({"period": "MONTH"}, 409, "period"),
        ({"note": " "}, 400, "note"),
        ({"note": "n" * 501}, 400, "note"),
        ({"expires_at": "2026-03-02T12:00:00"}, 400, "expires_at"),
        ({"expires_at": "2026-03-02T11:59:59Z"}, 400, "expires_at"),
        ({"given_at": "2026-03-02T11:59:59Z"}, 400, "given_at"),
        ({"days": 3}, 400, "days"),
    ],
)
def test_what_can_not_be_is_refused_by_its_name(manager, root, change, status, field):
    answer = manager.post(adjustments(root), **(GIVEN | change))
    assert (answer.status_code, list(answer.json())) == (status, [field])
    assert manager.get(adjustments(root)).json()["count"] == 0


@pytest.mark.parametrize("field", ["amount", "period", "note"])
def test_what_is_missing_is_named(manager, root, field):
    answer = manager.post(
        adjustments(root), **{name: value for name, value in GIVEN.items() if name != field}
    )
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_a_viewer_looks_and_a_stranger_finds_nothing(manager, viewer, stranger, root):
    given = manager.post(adjustments(root), **GIVEN).json()
    assert viewer.post(adjustments(root), **GIVEN).status_code == 403
    assert viewer.delete(f"{adjustments(root)}{given['id']}/").status_code == 403
    assert viewer.get(adjustments(root)).json()["count"] == 1
    assert stranger.get(adjustments(root)).status_code == 404
    assert stranger.post(adjustments(root), **GIVEN).status_code == 404
    assert stranger.delete(f"{adjustments(root)}{given['id']}/").status_code == 404
    assert stranger.get(f"budgets/{root.id}/changes/").status_code == 404
    assert stranger.delete(f"budgets/{root.id}/upcoming/2026-12-01/").status_code == 404


def test_one_of_another_budget_is_not_found(manager, root):
    other = rows.root_of(make_brand("Contoso", daily="5"))
    given = manager.post(adjustments(other), **GIVEN).json()
    assert manager.delete(f"{adjustments(root)}{given['id']}/").status_code == 404
    assert manager.delete(f"{adjustments(root)}{NOBODY}/").status_code == 404


@pytest.mark.parametrize("path", ["budgets", "brands", "campaigns"])
def test_a_limit_may_begin_on_a_coming_day(manager, brand, root, path):
    campaign = make_campaign(brand)
    address, budget = {
        "budgets": (f"budgets/{root.id}/", root.id),
        "brands": (f"brands/{brand.id}/", root.id),
        "campaigns": (f"campaigns/{campaign.id}/", campaign.budget_id),
    }[path]
    before = manager.get(address).json()["daily_budget"]
    changed = manager.patch(address, **{"daily_budget": "80.00", "from": "2026-12-01"})
    assert (changed.status_code, changed.json()["daily_budget"]) == (200, before)
    upcoming = manager.get(f"budgets/{budget}/").json()["upcoming"]
    assert upcoming == [{"from": "2026-12-01", "daily_budget": "80.00", "monthly_budget": None}]
    assert manager.delete(f"budgets/{budget}/upcoming/2026-12-01/").status_code == 204
    assert manager.get(f"budgets/{budget}/").json()["upcoming"] == []
    assert manager.delete(f"budgets/{budget}/upcoming/2026-12-01/").status_code == 404
    assert manager.delete(f"budgets/{budget}/upcoming/2026-13-01/").status_code == 404


@pytest.mark.parametrize("day", ["2026-03-01", "2200-01-01", "soon", None, 20261201])
def test_a_day_that_can_not_be_is_refused(manager, root, day):
    answer = manager.patch(f"budgets/{root.id}/", **{"daily_budget": "80.00", "from": day})
    assert (answer.status_code, list(answer.json())) == (400, ["from"])


def test_what_is_new_begins_today(manager, brand):
    body = {"brand": str(brand.id), "name": "New", "from": "2026-12-01"}
    for path in ("budgets/", "campaigns/"):
        answer = manager.post(path, **body)
        assert (answer.status_code, list(answer.json())) == (400, ["from"])


def test_a_mode_is_set_inherited_and_taken_away(manager, brand, root):
    leaf = make_campaign(brand).budget_id
    shown = manager.patch(f"budgets/{root.id}/", mode="alert_only", stop_at=90).json()
    assert (shown["mode"], shown["effective_mode"], shown["stop_at"]) == (
        "alert_only",
        "alert_only",
        90,
    )
    child = manager.get(f"budgets/{leaf}/").json()
    assert (child["mode"], child["effective_mode"], child["stop_at"]) == (None, "alert_only", 100)
    assert manager.patch(f"budgets/{leaf}/", mode="pause").json()["effective_mode"] == "pause"
    assert manager.patch(f"budgets/{leaf}/", mode=None).json()["effective_mode"] == "alert_only"
    assert manager.put(f"budgets/{leaf}/", **manager.get(f"budgets/{leaf}/").json()).json() == (
        manager.get(f"budgets/{leaf}/").json()
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"mode": "stop"}, "mode"),
        ({"mode": ""}, "mode"),
        ({"stop_at": 49}, "stop_at"),
        ({"stop_at": 101}, "stop_at"),
        ({"stop_at": 10**30}, "stop_at"),
        ({"stop_at": "90"}, "stop_at"),
        ({"stop_at": None}, "stop_at"),
        ({"effective_mode": "pause"}, "effective_mode"),
    ],
)
def test_a_mode_or_a_stop_that_can_not_be_is_refused(manager, root, change, field):
    answer = manager.patch(f"budgets/{root.id}/", **change)
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_alerts_are_told_beside_the_holds(manager, brand, root):
    campaign = make_campaign(brand)
    manager.patch(f"budgets/{root.id}/", mode="alert_only")
    manager.post("spends/", campaign=str(campaign.id), amount="60", spend_date="2026-03-02")
    shown = manager.get(f"campaigns/{campaign.id}/").json()
    assert (shown["status"], shown["pause_reason"], shown["holds"]) == ("ACTIVE", None, [])
    (alert,) = shown["alerts"]
    assert (alert["reason"], alert["mode"], alert["spent"]) == (
        "daily_budget",
        "alert_only",
        "60.00",
    )
    assert manager.get(f"campaigns/{campaign.id}/holds/").json()["count"] == 0
    assert manager.get(f"campaigns/{campaign.id}/holds/", alerts="true").json()["count"] == 1


def test_the_history_names_who_and_what(manager, viewer, root):
    manager.patch(f"budgets/{root.id}/", daily_budget="75.00")
    newest = viewer.get(f"budgets/{root.id}/changes/").json()["results"][0]
    assert newest == {
        "from_day": "2026-03-02",
        "before": {"daily_budget": "50.00"},
        "after": {"daily_budget": "75.00"},
        "at": "2026-03-02T12:00:00Z",
        "by": "API key manager of acme",
    }
