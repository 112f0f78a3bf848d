"""What the simulator spends next is a function of what the API shows. No database, no network."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from demo.spending import HELD_SECONDS, next_spends

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def brand(**fields):
    shown: dict[str, Any] = {
        "id": "b1",
        "name": "Tiny Shop",
        "currency": "EUR",
        "time_zone_now": "Europe/Riga",
        "daily_budget": "100.00",
        "monthly_budget": None,
        "daily_spend": "0.00",
    }
    return shown | fields


def campaign(**fields):
    shown: dict[str, Any] = {
        "id": "c1",
        "brand": "b1",
        "name": "Search",
        "external_id": "g-1",
        "status": "ACTIVE",
        "holds": [],
        "daily_budget": None,
        "daily_spend": "0.00",
    }
    return shown | fields


def held(*, seconds: float, reason="daily_budget", **fields):
    since = (NOON - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    hold = {"reason": reason, "since": since}
    return campaign(external_id="pulse-1", status="PAUSED", holds=[hold]) | fields


def spends(brands, campaigns, *, now=NOON, moments=200):
    """Return what is posted in many moments in which nothing changes."""
    random = Random(7)
    return [
        spend
        for _ in range(moments)
        for spend in next_spends(brands, campaigns, now=now, moment_seconds=4, random=random)
    ]


@pytest.mark.parametrize("status", ["PAUSED", "INACTIVE"])
@pytest.mark.parametrize("external_id", ["g-1", "pulse-1"])
def test_it_never_spends_on_a_campaign_that_does_not_run(status, external_id):
    still = campaign(id="still", status=status, external_id=external_id)
    runs = campaign(id="runs")
    assert {spend.campaign["id"] for spend in spends([brand()], [still, runs])} == {"runs"}


def test_a_fast_campaign_spends_its_brands_day_within_a_minute():
    fast = campaign(external_id="pulse-1")
    amounts = [spend.amount for spend in spends([brand()], [fast], moments=15)]
    assert len(amounts) == 15
    assert sum(amounts) >= 100


@pytest.mark.parametrize(
    ("seconds", "is_credited"), [(HELD_SECONDS - 1, False), (HELD_SECONDS, True)]
)
def test_a_credit_comes_when_a_spent_day_has_held_it_for_a_while(seconds, is_credited):
    fast = held(seconds=seconds, daily_spend="104.00")
    found = spends([brand(daily_spend="104.00")], [fast], moments=1)
    assert [spend.amount for spend in found] == ([Decimal("-59.00")] if is_credited else [])


def test_a_credit_is_shared_by_the_campaigns_that_spent():
    fast = [
        held(seconds=60, id="c1", daily_spend="80.00"),
        held(seconds=60, id="c2", daily_spend="40.00"),
        held(seconds=60, id="c3"),
    ]
    found = spends([brand(daily_spend="120.00")], fast, moments=1)
    assert {spend.campaign["id"]: spend.amount for spend in found} == {
        "c1": Decimal("-50.00"),
        "c2": Decimal("-25.00"),
    }


def test_a_credit_heeds_the_campaigns_own_budget():
    fast = held(seconds=60, daily_spend="50.00", daily_budget="50.00")
    [credit] = spends([brand(daily_spend="50.00")], [fast], moments=1)
    assert credit.amount == Decimal("-27.50")


@pytest.mark.parametrize("reason", ["manual", "daypart", "monthly_budget", "flight"])
def test_what_else_holds_it_brings_no_credit(reason):
    fast = held(seconds=60, reason=reason, daily_spend="104.00")
    assert spends([brand(daily_spend="104.00")], [fast], moments=1) == []


def test_no_credit_helps_a_budget_of_nothing():
    fast = held(seconds=60, daily_spend="10.00")
    assert spends([brand(daily_budget="0.00", daily_spend="10.00")], [fast], moments=1) == []


def test_a_credit_says_why_and_a_spend_need_not():
    [credit] = spends([brand(daily_spend="104.00")], [held(seconds=60, daily_spend="104.00")])[:1]
    assert credit.body("k1") == {
        "campaign": "c1",
        "amount": "-59.00",
        "spend_date": "2026-03-02",
        "source": "simulator",
        "external_id": "k1",
        "description": "Credit: invalid clicks",
        "correction": True,
    }
    [spend] = spends([brand()], [campaign(external_id="pulse-1")], moments=1)
    assert "correction" not in spend.body("k2")


@pytest.mark.parametrize(
    ("zone", "day"), [("Asia/Tokyo", "2026-03-03"), ("America/New_York", "2026-03-02")]
)
def test_a_spend_is_of_the_brands_day(zone, day):
    evening = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)
    fast = campaign(external_id="pulse-1")
    [spend] = spends([brand(time_zone_now=zone)], [fast], now=evening, moments=1)
    assert spend.spend_date == day


def test_amounts_are_in_the_currencys_minor_units():
    fast = campaign(external_id="pulse-1")
    yen = brand(currency="JPY", daily_budget="90000")
    assert all(spend.amount == int(spend.amount) > 0 for spend in spends([yen], [fast]))


@pytest.mark.parametrize(
    ("own", "shared", "monthly", "pace"),
    [
        ("200.00", "1000.00", None, 170),
        (None, "1000.00", None, 425),
        (None, None, "30000.00", 425),
        (None, None, None, 40),
    ],
)
def test_a_calm_campaign_keeps_to_the_pace_of_its_budget(own, shared, monthly, pace):
    day_of_moments = 24 * 60 * 60 // 4
    brands = [brand(daily_budget=shared, monthly_budget=monthly)]
    campaigns = [campaign(daily_budget=own), campaign(id="c2", status="PAUSED")]
    spent = sum(spend.amount for spend in spends(brands, campaigns, moments=day_of_moments))
    assert 0.9 * pace < spent < 1.1 * pace


def test_the_same_seed_draws_the_same_spends():
    world = [brand()], [campaign(external_id="pulse-1"), campaign(id="c2")]
    assert spends(*world) == spends(*world)
