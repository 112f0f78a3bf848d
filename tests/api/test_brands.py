"""Brands: made, shown, changed; archived rather than deleted once there is spend."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from budgets.models import Brand
from campaigns.models import Campaign
from campaigns.services.spend import NewSpend, record_spend
from tests.conftest import ANN, NOBODY, NOON, make_brand, make_campaign


def spend(campaign, amount="10"):
    new = NewSpend(campaign.id, Decimal(amount), NOON.date())
    return record_spend(spend=new, now=NOON, by=ANN)


def test_it_is_made_with_its_budgets(manager):
    answer = manager.post(
        "brands/", name="Northwind", daily_budget="100.00", monthly_budget="2000.00"
    )
    assert answer.status_code == 201
    shown = answer.json()
    assert shown == {
        "id": str(Brand.objects.get().id),
        "name": "Northwind",
        "currency": "USD",
        "time_zone": "UTC",
        "time_zone_now": "UTC",
        "time_zone_since": None,
        "daily_budget": "100.00",
        "monthly_budget": "2000.00",
        "daily_spend": "0.00",
        "monthly_spend": "0.00",
        "daily_adjustment": "0.00",
        "monthly_adjustment": "0.00",
        "archived_at": None,
        "created_at": shown["created_at"],
        "updated_at": shown["updated_at"],
    }
    assert manager.get(f"brands/{shown['id']}/").json() == shown


def test_its_budgets_are_optional_or_null(manager):
    assert manager.post("brands/", name="One").json()["daily_budget"] is None
    answer = manager.post("brands/", name="Two", daily_budget=None, monthly_budget=None)
    assert answer.json()["monthly_budget"] is None


@pytest.mark.parametrize(
    ("currency", "sent", "shown"),
    [
        ("USD", "100", "100.00"),
        ("USD", "0", "0.00"),
        ("USD", 100.5, "100.50"),
        ("JPY", "100", "100"),
        ("JPY", "100.00", "100"),
        ("KWD", "1.5", "1.500"),
    ],
)
def test_limits_are_shown_in_minor_units(manager, currency, sent, shown):
    answer = manager.post("brands/", name="N", currency=currency, daily_budget=sent)
    assert answer.json()["daily_budget"] == shown


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", None),
        ("name", "x" * 101),
        ("currency", "XXX"),
        ("currency", "usd"),
        ("currency", "DOLLARS"),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "x" * 300),
        ("daily_budget", "-1"),
        ("daily_budget", "1.001"),
        ("daily_budget", "1e400"),
        ("monthly_budget", "99999999999999999999"),
        ("monthly_budget", "NaN"),
    ],
)
def test_a_bad_value_names_its_field_and_stores_nothing(manager, field, value):
    answer = manager.post("brands/", **{"name": "N", field: value})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not Brand.objects.exists()


def test_a_name_is_there_once_in_any_case(manager):
    manager.post("brands/", name="Northwind")
    answer = manager.post("brands/", name="NORTHWIND")
    assert (answer.status_code, list(answer.json())) == (400, ["name"])


def test_put_keeps_what_it_does_not_name(manager):
    brand = make_brand(daily="100", time_zone="Europe/Riga")
    shown = manager.put(f"brands/{brand.id}/", name="Southwind").json()
    assert (shown["name"], shown["daily_budget"]) == ("Southwind", "100.00")
    assert shown["time_zone"] == "Europe/Riga"


def test_put_wants_the_required_field(manager):
    answer = manager.put(f"brands/{make_brand().id}/", daily_budget="5")
    assert (answer.status_code, list(answer.json())) == (400, ["name"])


def test_null_takes_a_limit_away(manager):
    brand = make_brand(daily="100", monthly="1000")
    shown = manager.patch(f"brands/{brand.id}/", daily_budget=None).json()
    assert (shown["daily_budget"], shown["monthly_budget"]) == (None, "1000.00")


def test_the_same_put_twice_is_accepted_twice(manager):
    address = f"brands/{make_brand().id}/"
    edited = {**manager.get(address).json(), "name": "Southwind"}
    assert [manager.put(address, **edited).status_code for _ in range(2)] == [200, 200]
    never = {**edited, "updated_at": "2020-01-01T00:00:00Z"}
    assert manager.put(address, **never).status_code == 400


def test_get_edit_put_works(manager):
    address = f"brands/{make_brand(daily='100').id}/"
    shown = manager.get(address).json()
    shown["name"] = "Southwind"
    answer = manager.put(address, **shown)
    assert answer.status_code == 200
    assert answer.json() == {**shown, "updated_at": answer.json()["updated_at"]}


def test_the_same_put_works_twice(manager):
    address = f"brands/{make_brand(daily='100').id}/"
    shown = manager.get(address).json() | {"name": "Southwind"}
    assert [manager.put(address, **shown).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", NOBODY),
        ("daily_spend", "1.00"),
        ("created_at", "2020-01-01T00:00:00Z"),
        ("archived_at", "2020-01-01T00:00:00Z"),
        ("time_zone_now", None),
        ("nonsense", 1),
    ],
)
def test_what_is_only_shown_can_not_be_changed(manager, method, field, value):
    address = f"brands/{make_brand().id}/"
    answer = getattr(manager, method)(address, **{"name": "Southwind", field: value})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert Brand.objects.get().name == "Northwind"


def test_post_refuses_what_is_only_shown(manager):
    answer = manager.post("brands/", name="N", id=str(uuid4()), nonsense=1)
    assert (answer.status_code, sorted(answer.json())) == (400, ["id", "nonsense"])


def test_lowering_a_limit_holds_the_campaigns_at_once(manager):
    campaign = make_campaign(make_brand(daily="100"))
    spend(campaign, "60")
    manager.patch(f"brands/{campaign.brand_id}/", daily_budget="50.00")
    assert manager.get(f"campaigns/{campaign.id}/").json()["pause_reason"] == "daily_budget"


def test_the_currency_is_fixed_once_there_is_spend(manager):
    campaign = make_campaign(make_brand())
    address = f"brands/{campaign.brand_id}/"
    assert manager.patch(address, currency="EUR").json()["currency"] == "EUR"
    spend(campaign)
    answer = manager.patch(address, currency="USD")
    assert (answer.status_code, list(answer.json())) == (409, ["currency"])


def test_a_new_zone_is_told_with_its_instant(manager):
    brand = make_brand()
    shown = manager.patch(f"brands/{brand.id}/", time_zone="Asia/Tokyo").json()
    assert shown["time_zone"] == "Asia/Tokyo"
    assert shown["time_zone_now"] == "UTC"
    assert shown["time_zone_since"] == "2026-03-02T15:00:00Z"


def test_a_zone_more_than_a_day_behind_is_refused_in_words(manager):
    brand = make_brand(time_zone="Pacific/Kiritimati")
    answer = manager.patch(f"brands/{brand.id}/", time_zone="Pacific/Niue")
    assert (answer.status_code, list(answer.json())) == (400, ["time_zone"])


def test_a_brand_without_spend_is_deleted(manager):
    campaign = make_campaign(make_brand())
    answer = manager.delete(f"brands/{campaign.brand_id}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not Campaign.objects.exists()


def test_a_brand_with_spend_is_archived_and_its_name_is_free(manager):
    campaign = make_campaign(make_brand())
    spend(campaign)
    answer = manager.delete(f"brands/{campaign.brand_id}/")
    assert answer.status_code == 200
    assert "archived" in answer.json()["detail"]
    assert answer.json()["archived_at"] == "2026-03-02T12:00:00Z"
    assert manager.get(f"campaigns/{campaign.id}/").json()["archived_at"] is not None
    assert manager.post("brands/", name="Northwind").status_code == 201


def test_an_archived_brand_is_listed_on_demand_and_not_changed(manager):
    campaign = make_campaign(make_brand())
    spend(campaign)
    address = f"brands/{campaign.brand_id}/"
    manager.delete(address)
    assert manager.get("brands/").json()["count"] == 0
    assert manager.get("brands/", archived="true").json()["count"] == 1
    assert manager.get(address).status_code == 200
    assert manager.patch(address, name="N").status_code == 409


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Contoso", "Northwind"]),
        ({"search": "wind"}, ["Northwind"]),
        ({"search": "%"}, []),
        ({"name": "NORTHWIND"}, ["Northwind"]),
        ({"name": "North"}, []),
        ({"name": ""}, ["Contoso", "Northwind"]),
    ],
)
def test_the_list_is_filtered(manager, query, names):
    make_brand("Northwind"), make_brand("Contoso")
    shown = manager.get("brands/", **query).json()["results"]
    assert [brand["name"] for brand in shown] == names


def test_spend_is_the_brands_own_day(manager, monkeypatch):
    brand = make_brand(time_zone="Pacific/Auckland")  # Its Tuesday has begun.
    campaign = make_campaign(brand)
    for days, amount in ((0, "5"), (1, "7")):
        new = NewSpend(campaign.id, Decimal(amount), NOON.date() + timedelta(days=days))
        record_spend(spend=new, now=NOON, by=ANN)
    shown = manager.get(f"brands/{brand.id}/").json()
    assert (shown["daily_spend"], shown["monthly_spend"]) == ("7.00", "12.00")
