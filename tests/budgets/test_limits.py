"""A limit is a row with the local day from which it applies; the past is not rewritten."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from budgets import services as budgets
from budgets.limits import check_amount, check_currency, check_limit
from budgets.models import LimitVersion
from budgets.queries import spent_on, terms_on
from budgets.terms import Limits
from campaigns.services import brands
from campaigns.services.spend import NewSpend, record_spend
from kernel.errors import Conflict, InvalidValue, NameTaken
from tests.conftest import ANN, NOON, make_brand, make_campaign

TODAY = NOON.date()


def change(brand, now=NOON, **limits):
    changes: Any = {f"{name}_budget": value for name, value in limits.items()}
    brands.update_brand(brand_id=brand.id, changes=changes, now=now, by=ANN)


@pytest.mark.parametrize(
    ("days", "daily"), [(-400, 10), (-1, 10), (0, 10), (4, 10), (5, 20), (6, 20)]
)
def test_each_day_has_the_limit_that_was_last_set_by_then(acme, days, daily):
    brand = make_brand(daily="10")
    change(brand, NOON + timedelta(days=5), daily=Decimal(20))
    root = budgets.root_of(brand)
    day = TODAY + timedelta(days=days)
    expected = Limits(Decimal(daily), None)
    assert terms_on({brand.id: day}, at=NOON)[root.id].limits == expected
    assert budgets.current_limits(root, on=day) == expected


def test_one_limit_changes_without_the_other(acme):
    brand = make_brand(daily="10", monthly="100")
    change(brand, monthly=None)
    terms = terms_on({brand.id: TODAY}, at=NOON).popitem()[1]
    assert terms.limits == Limits(Decimal(10), None)


def test_the_same_limit_again_writes_nothing(acme):
    brand = make_brand(daily="10")
    change(brand, NOON + timedelta(days=1), daily=Decimal("10.00"))
    assert LimitVersion.objects.count() == 1


def test_a_change_names_who_made_it(acme):
    make_brand(daily="10")
    version = LimitVersion.objects.get()
    assert (version.set_by_kind, version.set_by_label, version.set_at) == ("person", "Ann", NOON)


@pytest.mark.parametrize(
    ("limit", "currency", "is_good"),
    [
        ("0", "USD", True),
        ("0.01", "USD", True),
        ("10.000000", "USD", True),
        ("0.001", "USD", False),
        ("100", "JPY", True),
        ("100.5", "JPY", False),
        ("1.234", "KWD", True),
        ("-0.01", "USD", False),
        ("NaN", "USD", False),
        ("Infinity", "USD", False),
        ("99999999999", "VND", True),
        ("100000000000", "VND", False),
    ],
)
def test_a_limit_is_an_amount_in_the_currencys_minor_units(limit, currency, is_good):
    if is_good:
        check_limit(Decimal(limit), currency=currency, field="daily_budget")
        return
    with pytest.raises(InvalidValue) as refusal:
        check_limit(Decimal(limit), currency=currency, field="daily_budget")
    assert refusal.value.field == "daily_budget"


@pytest.mark.parametrize("amount", ["1.0000001", "sNaN", "-Infinity", "1e12"])
def test_an_amount_has_six_decimals_at_most_and_is_finite(amount):
    with pytest.raises(InvalidValue):
        check_amount(Decimal(amount))


@pytest.mark.parametrize("code", ["usd", "US", "XXX", "DEM", ""])
def test_a_currency_is_an_active_code(code):
    with pytest.raises(InvalidValue):
        check_currency(code)


def test_a_currency_is_fixed_once_there_is_spend(acme):
    brand = make_brand()
    brands.update_brand(brand_id=brand.id, changes={"currency": "EUR"}, now=NOON, by=ANN)
    campaign = make_campaign(brand)
    spend = NewSpend(campaign.id, Decimal(1), TODAY)
    record_spend(spend=spend, now=NOON, by=ANN)
    with pytest.raises(Conflict) as refusal:
        brands.update_brand(brand_id=brand.id, changes={"currency": "USD"}, now=NOON, by=ANN)
    assert refusal.value.field == "currency"


def test_a_currency_with_coarser_units_must_fit_the_limits(acme):
    brand = make_brand(daily="10.50")
    with pytest.raises(InvalidValue):
        brands.update_brand(brand_id=brand.id, changes={"currency": "JPY"}, now=NOON, by=ANN)


def test_a_name_is_free_again_once_its_brand_is_archived(acme):
    brand = make_brand("Northwind")
    with pytest.raises(NameTaken):
        make_brand("NORTHWIND")
    spend = NewSpend(make_campaign(brand).id, Decimal(1), TODAY)
    record_spend(spend=spend, now=NOON, by=ANN)
    assert brands.remove_brand(brand_id=brand.id, now=NOON, by=ANN) is not None
    make_brand("northwind")


def test_the_month_counts_up_to_the_day_and_not_the_next_month(acme):
    campaign = make_campaign(make_brand())
    later = NOON + timedelta(days=40)
    for day in (date(2026, 2, 28), date(2026, 3, 1), TODAY, date(2026, 3, 31), date(2026, 4, 1)):
        record_spend(spend=NewSpend(campaign.id, Decimal(1), day), now=later, by=ANN)
    spent = spent_on({campaign.brand_id: TODAY})[campaign.budget_id]
    assert (spent.today, spent.month) == (Decimal(1), Decimal(2))
