"""What raising the totals tells: the nodes of which a limit may have changed sides."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from budgets import totals
from budgets.models import LimitVersion, Period
from budgets.services import root_of
from budgets.totals import Sums
from campaigns.services import brands, budgets
from tests.conftest import ANN, NOON, make_brand, make_campaign

TODAY = NOON.date()
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def brand(acme):
    """A brand of which one limit is set, and none is spent."""
    return make_brand(daily="100")


def change(brand, **limits):
    changes: Any = limits
    brands.update_brand(brand_id=brand.id, changes=changes, now=NOON, by=ANN)


def near(brand, daily, *, monthly_only="0", day=TODAY):
    """Add amounts to the brand's root alone; return what the day has spent where it is told."""
    place = (root_of(brand).id, day)
    with transaction.atomic():
        raised = totals.raise_totals(Sums.of({place: (Decimal(daily), Decimal(monthly_only))}))
    assert set(raised) <= {place}
    return [told.spent_on_day for told in raised.values()]


def test_a_limit_is_near_when_it_is_crossed_and_neither_before_nor_after(brand):
    assert near(brand, "99.99") == []
    assert near(brand, "0.01") == [100]
    assert near(brand, "1") == []


def test_a_budget_that_stops_early_is_near_where_it_stops(brand):
    change(brand, stop_at=80)
    assert near(brand, "79.99") == []
    assert near(brand, "0.01") == [80]
    assert near(brand, "20") == []


def test_a_limit_of_nothing_is_spent_before_and_after(brand):
    change(brand, daily_budget=Decimal(0))
    assert near(brand, "1") == []


def test_any_of_the_versions_may_be_the_one_in_force(brand):
    change(brand, daily_budget=Decimal(50), from_day=TOMORROW)
    # Its hold, should it have one, may end at another time now.
    assert near(brand, "1") == [1]
    assert near(brand, "49", day=TOMORROW) == []
    assert near(brand, "1", day=TOMORROW) == [50]
    assert near(brand, "50", day=TOMORROW) == [100]


@pytest.mark.parametrize("period", Period)
def test_a_limit_that_is_adjusted_is_always_near(brand, period):
    change(brand, monthly_budget=Decimal(900))
    budgets.adjust_budget(
        budget_id=root_of(brand).id, amount=Decimal(5), period=period, note="more", now=NOON, by=ANN
    )
    LimitVersion.objects.update(monthly_limit=None)
    assert near(brand, "1") == [1]
    assert near(brand, "1", day=TODAY - timedelta(days=1)) == [1]
    # Adjustments are of their month alone.
    assert near(brand, "1", day=TODAY + timedelta(days=40)) == []


def test_a_monthly_limit_is_near_when_the_month_may_have_spent_it(brand):
    change(brand, monthly_budget=Decimal(1000), daily_budget=None, stop_at=90)
    assert near(brand, "899", day=TODAY + timedelta(days=40)) == []
    assert near(brand, "500", day=TOMORROW) == []
    assert near(brand, "399.99") == []
    assert near(brand, "0", monthly_only="0.01") == [Decimal("399.99")]
    # It may be the first time today, for all that is known.
    assert near(brand, "1") == [Decimal("400.99")]


def test_days_that_are_negative_free_no_month_unseen(brand):
    change(brand, monthly_budget=Decimal(1000), daily_budget=None)
    assert near(brand, "-500", day=TOMORROW) == [-500]
    assert near(brand, "999") == []
    assert near(brand, "1") == [1000]


def test_several_days_of_one_month_are_near_together(brand):
    change(brand, monthly_budget=Decimal(100), daily_budget=None)
    root, amount = root_of(brand).id, (Decimal(50), Decimal(0))
    places = {(root, TODAY), (root, TOMORROW)}
    with transaction.atomic():
        assert set(totals.raise_totals(Sums.of(dict.fromkeys(places, amount)))) == places


@pytest.mark.parametrize("amounts", [("-1", "0"), ("0", "-1")])
def test_where_something_is_taken_away_all_are_told(brand, amounts):
    daily, monthly_only = amounts
    near(brand, "10", monthly_only="10")
    assert near(brand, daily, monthly_only=monthly_only) == [10 + int(daily)]


def test_all_days_of_a_near_budget_are_told(brand):
    root, yesterday = root_of(brand).id, TODAY - timedelta(days=1)
    campaign = make_campaign(brand, daily="7")
    sums = {(root, TODAY): 1, (root, yesterday): 100, (campaign.budget_id, TODAY): 1}
    with transaction.atomic():
        raised = totals.raise_totals(
            Sums.of({place: (Decimal(amount), Decimal(0)) for place, amount in sums.items()})
        )
    assert set(raised) == {(root, TODAY), (root, yesterday)}
