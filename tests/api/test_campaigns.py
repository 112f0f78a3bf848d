"""Campaigns: `status` is a command, the answer tells what holds it."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from budgets.models import Budget
from campaigns.models import Campaign
from campaigns.services.budgets import create_group
from campaigns.services.spend import NewSpend, record_spend
from tests.conftest import ANN, NOBODY, NOON, make_brand, make_campaign


@pytest.fixture
def brand(acme):
    return make_brand(daily="100")


@pytest.fixture
def campaign(brand):
    return make_campaign(brand)


@pytest.fixture
def address(campaign):
    return f"campaigns/{campaign.id}/"


def spend(campaign, amount):
    record_spend(spend=NewSpend(campaign.id, Decimal(amount), NOON.date()), now=NOON, by=ANN)


def reasons(answer):
    return [hold["reason"] for hold in answer.json()["holds"]]


def test_it_is_made_active(manager, brand):
    answer = manager.post("campaigns/", brand=str(brand.id), name="Search", status="ACTIVE")
    assert answer.status_code == 201
    shown = answer.json()
    stored = Campaign.objects.get()
    assert shown == {
        "id": str(stored.id),
        "brand": str(brand.id),
        "name": "Search",
        "status": "ACTIVE",
        "pause_reason": None,
        "holds": [],
        "platform": "",
        "external_id": "",
        "start_date": None,
        "end_date": None,
        "group": None,
        "budget": str(stored.budget_id),
        "daily_budget": None,
        "monthly_budget": None,
        "daily_spend": "0.00",
        "monthly_spend": "0.00",
        "daily_adjustment": "0.00",
        "monthly_adjustment": "0.00",
        "alerts": [],
        "shared_schedule": None,
        "archived_at": None,
        "created_at": shown["created_at"],
        "updated_at": shown["updated_at"],
    }
    assert manager.get(f"campaigns/{stored.id}/").json() == shown


def test_it_takes_every_optional_field(manager, brand):
    group = create_group(brand_id=brand.id, name="Social", now=NOON, by=ANN)
    given = {
        "name": "Search",
        "daily_budget": "10.00",
        "monthly_budget": "200.00",
        "external_id": "g-1",
        "platform": "google",
        "start_date": "2026-03-01",
        "end_date": "2026-03-31",
        "group": str(group.id),
        "status": "INACTIVE",
    }
    shown = manager.post("campaigns/", brand=str(brand.id), **given).json()
    assert {name: shown[name] for name in given} == given


def test_the_answer_tells_what_holds_it(manager, campaign, address):
    spend(campaign, "100")
    shown = manager.get(address).json()
    assert (shown["status"], shown["pause_reason"]) == ("PAUSED", "daily_budget")
    assert shown["holds"] == [
        {
            "reason": "daily_budget",
            "budget": str(Budget.objects.get(kind="root").id),
            "since": "2026-03-02T12:00:00Z",
            "until": "2026-03-03T00:00:00Z",
            "spent": "100.00",
            "limit": "100.00",
            "adjustment": "0.00",
            "stop_at": 100,
            "mode": "pause_resume",
            "by": "Ann",
            "sentence": shown["holds"][0]["sentence"],
        }
    ]
    assert shown["holds"][0]["sentence"].startswith("Paused since 12:00: daily budget of Northwind")


def test_patch_pauses_and_resumes(manager, address):
    paused = manager.patch(address, status="PAUSED")
    assert (paused.json()["status"], reasons(paused)) == ("PAUSED", ["manual"])
    resumed = manager.patch(address, status="ACTIVE")
    assert (resumed.json()["status"], reasons(resumed)) == ("ACTIVE", [])


def test_patch_commands_even_where_the_status_reads_the_same(manager, campaign, address):
    spend(campaign, "100")
    answer = manager.patch(address, status="PAUSED")
    assert sorted(reasons(answer)) == ["daily_budget", "manual"]


def test_resuming_leaves_the_other_holds(manager, campaign, address):
    spend(campaign, "100")
    manager.patch(address, status="PAUSED")
    answer = manager.patch(address, status="ACTIVE")
    assert (answer.json()["status"], reasons(answer)) == ("PAUSED", ["daily_budget"])


def test_inactive_switches_off(manager, campaign, address):
    spend(campaign, "100")
    answer = manager.patch(address, status="INACTIVE")
    assert (answer.json()["status"], reasons(answer)) == ("INACTIVE", [])


def test_put_with_the_status_that_it_has_commands_nothing(manager, campaign, address):
    spend(campaign, "100")
    answer = manager.put(address, **manager.get(address).json())
    assert (answer.status_code, reasons(answer)) == (200, ["daily_budget"])


def test_put_with_another_status_commands(manager, address):
    shown = manager.get(address).json() | {"status": "PAUSED"}
    assert reasons(manager.put(address, **shown)) == ["manual"]


def test_get_edit_put_works_for_a_held_campaign(manager, campaign, address):
    spend(campaign, "100")
    shown = manager.get(address).json() | {"name": "Renamed", "daily_budget": "5.00"}
    answer = manager.put(address, **shown)
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["daily_budget"]) == ("Renamed", "5.00")


@pytest.mark.parametrize("missing", ["brand", "name"])
def test_put_wants_the_required_fields(manager, brand, address, missing):
    body = {"brand": str(brand.id), "name": "Renamed"}
    del body[missing]
    answer = manager.put(address, **body)
    assert (answer.status_code, list(answer.json())) == (400, [missing])


def test_put_keeps_what_it_does_not_name(manager, brand):
    campaign = make_campaign(brand, daily="7", platform="meta")
    shown = manager.put(f"campaigns/{campaign.id}/", brand=str(brand.id), name="Renamed").json()
    assert (shown["daily_budget"], shown["platform"]) == ("7.00", "meta")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_the_brand_can_not_change(manager, address, method):
    other = make_brand("Contoso")
    answer = getattr(manager, method)(address, name="Search", brand=str(other.id))
    assert (answer.status_code, list(answer.json())) == (400, ["brand"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("holds", []),
        ("pause_reason", None),
        ("daily_spend", "3.00"),
        ("updated_at", "2020-01-01T00:00:00Z"),
        ("budget", NOBODY),
    ],
)
def test_what_is_only_shown_can_not_be_changed(manager, campaign, address, field, value):
    spend(campaign, "100")
    answer = manager.patch(address, **{field: value})
    assert (answer.status_code, list(answer.json())) == (400, [field])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 201),
        ("status", "RUNNING"),
        ("status", None),
        ("platform", 5),
        ("external_id", "x" * 101),
        ("start_date", "2026-02-30"),
        ("start_date", "0001-01-01"),
        ("end_date", "9999-12-31"),
        ("start_date", "2026-03-01T00:00:00"),
        ("group", "not-an-id"),
        ("group", NOBODY),
        ("daily_budget", "1.234"),
        ("daily_budget", True),
        ("monthly_budget", {}),
    ],
)
def test_a_bad_value_names_its_field_and_stores_nothing(manager, brand, field, value):
    answer = manager.post("campaigns/", **{"brand": str(brand.id), "name": "N", field: value})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not Campaign.objects.exists()


def test_it_can_not_end_before_it_starts(manager, address):
    manager.patch(address, start_date="2026-04-01")
    answer = manager.patch(address, end_date="2026-03-31")
    assert (answer.status_code, list(answer.json())) == (400, ["end_date"])


def test_a_brand_that_is_not_there_is_404_with_its_field(manager):
    answer = manager.post("campaigns/", brand=str(uuid4()), name="N")
    assert (answer.status_code, answer.json()) == (404, {"brand": ["There is no such brand."]})


def test_the_group_of_another_brand_is_400(manager, address):
    other = create_group(brand_id=make_brand("Contoso").id, name="Social", now=NOON, by=ANN)
    answer = manager.patch(address, group=str(other.id))
    assert (answer.status_code, list(answer.json())) == (400, ["group"])


def test_its_month_moves_with_it_into_a_group_and_out_again(manager, brand, campaign, address):
    group = create_group(brand_id=brand.id, name="Social", now=NOON, by=ANN)
    spend(campaign, "30")
    assert manager.patch(address, group=str(group.id)).json()["group"] == str(group.id)
    assert manager.get(f"budgets/{group.id}/").json()["monthly_spend"] == "30.00"
    assert manager.patch(address, group=None).json()["group"] is None
    assert manager.get(f"budgets/{group.id}/").json()["monthly_spend"] == "0.00"


def test_names_and_external_ids_are_there_once_in_a_brand(manager, brand):
    make_campaign(brand, "One", platform="google", external_id="g-1")
    by_name = manager.post("campaigns/", brand=str(brand.id), name="one")
    assert (by_name.status_code, list(by_name.json())) == (400, ["name"])
    by_id = manager.post(
        "campaigns/", brand=str(brand.id), name="Two", platform="google", external_id="g-1"
    )
    assert (by_id.status_code, list(by_id.json())) == (400, ["external_id"])


def test_without_spend_it_is_deleted(manager, address):
    assert manager.delete(address).status_code == 204
    assert manager.get(address).status_code == 404


def test_with_spend_it_is_archived_and_says_so(manager, brand, campaign, address):
    spend(campaign, "1")
    answer = manager.delete(address)
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["id"]) == ("INACTIVE", str(campaign.id))
    assert "archived" in answer.json()["detail"]
    assert manager.get(address).json()["archived_at"] is not None
    assert manager.get("campaigns/").json()["count"] == 0
    assert manager.get("campaigns/", archived="true").json()["count"] == 1
    again = manager.post("campaigns/", brand=str(brand.id), name=campaign.name)
    assert again.status_code == 201


def test_an_archived_one_is_not_changed(manager, campaign, address):
    spend(campaign, "1")
    manager.delete(address)
    assert manager.patch(address, status="ACTIVE").status_code == 409


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"platform": "google"}, ["One"]),
        ({"external_id": "m-2"}, ["Two"]),
        ({"status": "PAUSED"}, ["Two"]),
        ({"search": "W"}, ["Two"]),
        ({"search": "g-1"}, ["One"]),
        ({"name": "one"}, ["One"]),
        ({"brand": "Northwind"}, ["One", "Two"]),
        ({"brand": "Contoso"}, []),
        ({"group": "Social"}, ["One"]),
    ],
)
def test_the_list_is_filtered(manager, brand, query, names):
    group = create_group(brand_id=brand.id, name="Social", now=NOON, by=ANN)
    make_campaign(brand, "One", platform="google", external_id="g-1", group=group.id)
    make_campaign(brand, "Two", platform="meta", external_id="m-2", status="PAUSED")
    ids = {"Northwind": brand.id, "Contoso": make_brand("Contoso").id, "Social": group.id}
    asked = {name: ids.get(word, word) for name, word in query.items()}
    shown = manager.get("campaigns/", **asked).json()["results"]
    assert [campaign["name"] for campaign in shown] == names


def test_a_date_may_come_back_as_null(manager, brand):
    campaign = make_campaign(brand, start_date=NOON.date())
    assert manager.patch(f"campaigns/{campaign.id}/", start_date=None).json()["start_date"] is None


# Holds --------------------------------------------------------------------------------------------
def test_its_holds_are_told_open_and_closed(manager, campaign, address):
    manager.patch(address, status="PAUSED")
    manager.patch(address, status="ACTIVE")
    manager.patch(address, status="PAUSED")
    shown = manager.get(f"{address}holds/").json()
    assert shown["count"] == 2
    assert {hold["released_at"] is None for hold in shown["results"]} == {True, False}
    assert {hold["reason"] for hold in shown["results"]} == {"manual"}
    assert manager.get(f"{address}holds/", reason="flight").json()["count"] == 0


def test_a_released_hold_says_by_whom(manager, campaign, address):
    manager.patch(address, status="PAUSED")
    manager.patch(address, status="ACTIVE")
    (hold,) = manager.get(f"{address}holds/").json()["results"]
    assert hold["by"] == hold["released_by"] == "API key manager of acme"
    assert hold["released_at"] == "2026-03-02T12:00:00Z"


def test_the_holds_of_a_campaign_that_is_not_there_are_404(manager):
    assert manager.get(f"campaigns/{uuid4()}/holds/").status_code == 404


def test_a_put_with_a_status_read_before_it_changed_is_a_conflict(manager, campaign, address):
    # Made and last changed by the test's own clock, as everything else here.
    Campaign.objects.update(
        created_at=NOON - timedelta(days=2), updated_at=NOON - timedelta(days=1)
    )
    shown = manager.get(address).json()
    manager.patch(address, status="PAUSED")
    # What else moved with it.
    del shown["holds"], shown["pause_reason"]
    answer = manager.put(address, **shown | {"name": "Renamed"})
    assert (answer.status_code, list(answer.json())) == (409, ["status"])
