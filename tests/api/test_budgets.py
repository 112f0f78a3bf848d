"""Budgets: every node is shown and limited here, groups are made and deleted here."""

from decimal import Decimal

import pytest

from budgets.models import Budget
from campaigns.services.spend import NewSpend, record_spend
from tests.conftest import ANN, NOBODY, NOON, make_brand, make_campaign


@pytest.fixture
def brand(acme):
    return make_brand(daily="100", monthly="1000")


@pytest.fixture
def group(manager, brand):
    body = {"name": "Social", "daily_budget": "40.00", "monthly_budget": None}
    return manager.post("budgets/", brand=str(brand.id), **body).json()


def test_a_group_is_made_below_its_brand(brand, group):
    root = Budget.objects.get(kind="root")
    assert group == {
        "id": str(Budget.objects.get(kind="group").id),
        "brand": str(brand.id),
        "kind": "group",
        "parent": str(root.id),
        "campaign": None,
        "name": "Social",
        "currency": "USD",
        "daily_budget": "40.00",
        "monthly_budget": None,
        "daily_spend": "0.00",
        "monthly_spend": "0.00",
        "daily_adjustment": "0.00",
        "monthly_adjustment": "0.00",
        "mode": None,
        "effective_mode": "pause_resume",
        "stop_at": 100,
        "adjustments": [],
        "upcoming": [],
        "created_at": group["created_at"],
        "updated_at": group["updated_at"],
    }


def test_the_list_shows_every_node_with_what_was_spent(manager, brand, group):
    campaign = make_campaign(brand, "Search", daily="30", group=group["id"])
    spend = NewSpend(campaign.id, Decimal("12.345"), NOON.date())
    record_spend(spend=spend, now=NOON, by=ANN)
    shown = manager.get("budgets/").json()["results"]
    assert [(b["kind"], b["name"], b["daily_budget"], b["daily_spend"]) for b in shown] == [
        ("root", "Northwind", "100.00", "12.345"),
        ("leaf", "Search", "30.00", "12.345"),
        ("group", "Social", "40.00", "12.345"),
    ]
    assert [b["campaign"] for b in shown] == [None, str(campaign.id), None]


@pytest.mark.parametrize("kind", ["root", "group", "leaf"])
def test_the_limits_of_any_node_change(manager, brand, group, kind):
    make_campaign(brand)
    budget = Budget.objects.get(kind=kind)
    shown = manager.patch(f"budgets/{budget.id}/", daily_budget="7.00").json()
    assert (shown["kind"], shown["daily_budget"]) == (kind, "7.00")


def test_a_spent_group_holds_the_campaigns_below_it(manager, brand, group):
    inside = make_campaign(brand, "Inside", group=group["id"])
    outside = make_campaign(brand, "Outside")
    spend = NewSpend(inside.id, Decimal(20), NOON.date())
    record_spend(spend=spend, now=NOON, by=ANN)
    manager.patch(f"budgets/{group['id']}/", daily_budget="20.00")
    shown = {c["name"]: c["holds"] for c in manager.get("campaigns/").json()["results"]}
    assert [hold["budget"] for hold in shown["Inside"]] == [group["id"]]
    assert shown["Outside"] == []
    assert outside.brand_id == inside.brand_id


def test_a_group_is_renamed(manager, group):
    assert manager.patch(f"budgets/{group['id']}/", name="Paid").json()["name"] == "Paid"


def test_a_brands_own_budget_is_not_renamed(manager, brand):
    root = Budget.objects.get(kind="root")
    answer = manager.patch(f"budgets/{root.id}/", name="Paid")
    assert (answer.status_code, list(answer.json())) == (409, ["name"])


@pytest.mark.parametrize("kind", ["root", "group", "leaf"])
def test_get_edit_put_works_for_any_node(manager, brand, group, kind):
    make_campaign(brand, "x" * 200)
    address = f"budgets/{Budget.objects.get(kind=kind).id}/"
    shown = manager.get(address).json() | {"monthly_budget": "500.00"}
    answer = manager.put(address, **shown)
    assert (answer.status_code, answer.json()["monthly_budget"]) == (200, "500.00")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "leaf"),
        ("parent", None),
        ("campaign", NOBODY),
        ("currency", "EUR"),
        ("brand", NOBODY),
    ],
)
def test_what_is_only_shown_can_not_be_changed(manager, group, field, value):
    answer = manager.patch(f"budgets/{group['id']}/", **{field: value})
    assert (answer.status_code, list(answer.json())) == (400, [field])


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("name", "social", 400),
        ("name", "x" * 101, 400),
        ("name", 7, 400),
        ("kind", "group", 400),
        ("daily_budget", "0.001", 400),
        ("brand", NOBODY, 404),
    ],
)
def test_a_bad_value_names_its_field_and_stores_nothing(
    manager, brand, group, field, value, status
):
    answer = manager.post("budgets/", **{"brand": str(brand.id), "name": "New", field: value})
    assert (answer.status_code, list(answer.json())) == (status, [field])
    assert Budget.objects.filter(kind="group").count() == 1


def test_a_group_is_deleted_and_its_campaigns_stay(manager, brand, group):
    campaign = make_campaign(brand, group=group["id"])
    assert manager.delete(f"budgets/{group['id']}/").status_code == 204
    assert manager.get(f"campaigns/{campaign.id}/").json()["group"] is None


@pytest.mark.parametrize("kind", ["root", "leaf"])
def test_a_brands_or_a_campaigns_own_budget_is_not_deleted(manager, brand, kind):
    make_campaign(brand)
    answer = manager.delete(f"budgets/{Budget.objects.get(kind=kind).id}/")
    assert (answer.status_code, list(answer.json())) == (409, ["detail"])


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({"kind": "group"}, ["group"]),
        ({"brand": "brand"}, ["root", "leaf", "group"]),
        ({"campaign": "campaign"}, ["leaf"]),
    ],
)
def test_the_list_is_filtered(manager, brand, group, query, kinds):
    ids = {"brand": brand.id, "campaign": make_campaign(brand).id}
    make_brand("Contoso")
    asked = {name: ids.get(word, word) for name, word in query.items()}
    shown = manager.get("budgets/", **asked).json()["results"]
    assert [budget["kind"] for budget in shown] == kinds


def test_those_of_archived_campaigns_are_listed_on_demand(manager, brand):
    campaign = make_campaign(brand)
    record_spend(spend=NewSpend(campaign.id, Decimal(1), NOON.date()), now=NOON, by=ANN)
    manager.delete(f"campaigns/{campaign.id}/")
    assert [b["kind"] for b in manager.get("budgets/").json()["results"]] == ["root"]
    assert manager.get("budgets/", archived="true").json()["count"] == 2
