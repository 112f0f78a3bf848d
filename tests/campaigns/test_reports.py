"""The monthly report: on which days a campaign was held, and what archived things are told."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from budgets.models import Brand
from campaigns import sweep
from campaigns.models import Hold
from campaigns.reports import REPORT_COLUMNS, monthly_report
from campaigns.services import brands, campaigns, schedules
from campaigns.services.spend import NewSpend, record_spend
from tests.conftest import ANN, NOON, make_brand, make_campaign

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
# Sweeps come a little after the midnight that ended the hold.
LATE = timedelta(seconds=7)
MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC)
MAY = datetime(2026, 5, 4, 12, tzinfo=UTC)


def spend(campaign, amount, *, now=NOON, day=None, **fields):
    new = NewSpend(campaign.id, Decimal(amount), day or now.date(), **fields)
    record_spend(spend=new, now=now, by=ANN)


def sweep_at(now):
    sweep.enforce(sweep.all_brands(), now=now)


def days_held(month=MARCH, *, now=MAY):
    """The days of each line: the brand's first, then its campaigns'."""
    lines = monthly_report(list(Brand.objects.order_by("name")), month, now=now)
    return [line.days_held for line in lines]


def put_hold(placed_at, released_at=None, *, until=None, time_zone="UTC"):
    """Store a hold as it is; the times are the zone's own."""
    zone = ZoneInfo(time_zone)
    placed_at, released_at, until = (
        at and datetime.fromisoformat(at).replace(tzinfo=zone)
        for at in (placed_at, released_at, until)
    )
    return Hold.objects.create(
        campaign=make_campaign(make_brand(time_zone=time_zone)),
        reason="daily_budget",
        placed_at=placed_at,
        placed_by_kind="system",
        until=until,
        released_at=released_at,
    )


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    ("released_at", "march", "april"),
    [
        ("2026-03-31T23:59:59.999999", 2, 0),
        ("2026-04-01T00:00", 2, 0),
        ("2026-04-01T00:00:00.000001", 2, 1),
        ("2026-04-02T00:00", 2, 1),
    ],
)
def test_a_hold_that_ends_at_midnight_does_not_touch_the_day_that_begins(
    acme, zone, released_at, march, april
):
    put_hold("2026-03-30T12:00", released_at, time_zone=zone)
    assert days_held(MARCH) == [march, march]
    assert days_held(APRIL) == [april, april]


@pytest.mark.parametrize(
    ("released_at", "until", "days"),
    [
        ("2026-03-03T00:00:07", "2026-03-03T00:00", 1),
        ("2026-03-04T00:00:07", "2026-03-03T00:00:01", 2),  # It ended on the 3rd, swept or not.
        ("2026-03-03T00:00:07", "2026-03-03T00:00:07", 2),
        ("2026-03-03T10:00", "2026-04-01T00:00", 2),
        ("2026-03-03T00:00:07", None, 2),
    ],
)
def test_a_hold_ends_by_time_or_sooner_by_hand(acme, released_at, until, days):
    put_hold("2026-03-02T12:00", released_at, until=until)
    assert days_held() == [days, days]


@pytest.mark.parametrize(
    ("until", "now", "days"),
    [
        (None, "2026-03-05T00:00", 4),
        (None, "2026-03-04T23:59", 3),
        ("2026-03-03T00:00", "2026-03-02T23:59", 1),
        ("2026-03-03T00:00", "2026-03-03T00:00", 1),  # Over, and not swept yet.
        ("2026-03-03T00:00", "2026-03-03T00:00:07", 1),
        ("2026-03-09T09:00", "2026-03-04T12:00", 3),  # Not the days that are still to come.
    ],
)
def test_an_open_hold_lasts_until_today_or_until_time_has_ended_it(acme, until, now, days):
    put_hold("2026-03-02T12:00", until=until)
    assert days_held(now=datetime.fromisoformat(now).replace(tzinfo=UTC)) == [days, days]


@pytest.mark.parametrize("placed_at", ["2026-03-02T00:00", "2026-03-02T12:00"])
def test_a_hold_touches_the_day_on_which_it_was_placed_however_short(acme, placed_at):
    put_hold(placed_at, placed_at)
    assert days_held() == [1, 1]


def test_a_daily_limit_spent_on_one_day_holds_for_that_day(acme):
    spend(make_campaign(make_brand(daily="50")), "50")
    sweep_at(MIDNIGHT + LATE)
    assert days_held() == [1, 1]


def test_a_daily_limit_is_spent_until_the_brands_own_midnight(acme):
    spend(make_campaign(make_brand(daily="50", time_zone="America/New_York")), "50")
    sweep_at(MIDNIGHT + timedelta(hours=5) + LATE)
    assert days_held() == [1, 1]


def test_a_limit_that_is_spent_on_two_days_in_a_row_holds_for_two(acme):
    campaign = make_campaign(make_brand(daily="50"))
    spend(campaign, "50")
    sweep_at(MIDNIGHT + LATE)
    spend(campaign, "50", now=MIDNIGHT + timedelta(hours=9))
    sweep_at(MIDNIGHT + timedelta(days=1) + LATE)
    assert days_held() == [2, 2]


def test_a_limit_of_nothing_holds_every_day(acme):
    make_campaign(make_brand(daily="0"))
    for day in range(3):
        sweep_at(MIDNIGHT + timedelta(days=day) + LATE)
    assert days_held(now=MIDNIGHT + timedelta(days=2, hours=1)) == [4, 4]


def test_a_monthly_limit_holds_for_the_rest_of_the_month_and_no_longer(acme):
    spend(make_campaign(make_brand(monthly="50")), "50")
    sweep_at(datetime(2026, 4, 1, tzinfo=UTC) + LATE)
    assert (days_held(MARCH), days_held(APRIL)) == ([30, 30], [0, 0])


def test_a_raised_limit_ends_the_hold_that_day(acme):
    brand = make_brand(monthly="50")
    spend(make_campaign(brand), "50")
    brands.update_brand(
        brand_id=brand.id,
        changes={"monthly_budget": Decimal(90)},
        now=NOON + timedelta(days=2),
        by=ANN,
    )
    assert days_held() == [3, 3]


def test_a_flight_holds_up_to_its_first_day(acme):
    make_campaign(make_brand(), start_date=date(2026, 3, 5))
    sweep_at(datetime(2026, 3, 5, tzinfo=UTC) + LATE)
    assert days_held() == [3, 3]


def test_hours_hold_on_the_days_on_which_they_are_closed(acme):
    campaign = make_campaign(make_brand())
    schedules.change_windows(
        campaign_id=campaign.id,
        # Together the whole Wednesday.
        add=[schedules.NewWindow(2, time(0), time(12)), schedules.NewWindow(2, time(12), time(0))],
        now=NOON,
        by=ANN,
    )
    for day in (4, 5):
        sweep_at(datetime(2026, 3, day, tzinfo=UTC) + LATE)
    assert days_held(now=datetime(2026, 3, 6, 12, tzinfo=UTC)) == [4, 4]  # All but the 4th.


def test_a_hold_whose_end_moves_lasts_until_the_new_one(acme):
    campaign = make_campaign(make_brand(), start_date=date(2026, 3, 5))
    campaigns.update_campaign(
        campaign_id=campaign.id, changes={"start_date": date(2026, 3, 8)}, now=NOON, by=ANN
    )
    sweep_at(datetime(2026, 3, 8, tzinfo=UTC) + LATE)
    assert Hold.objects.count() == 1
    assert days_held() == [6, 6]


def test_a_pause_lasts_until_a_person_lifts_it(acme):
    campaign = make_campaign(make_brand())
    ids, thursday = [campaign.id], NOON + timedelta(days=3)
    campaigns.command(campaign_ids=ids, status="PAUSED", now=NOON, by=ANN)
    campaigns.command(campaign_ids=ids, status="ACTIVE", now=thursday, by=ANN)
    assert days_held() == [4, 4]


def test_a_day_counts_once_however_many_holds_touch_it(acme):
    brand = make_brand(daily="50", monthly="50")
    spend(make_campaign(brand, "One"), "50")
    make_campaign(brand, "Two")
    assert days_held(now=NOON + timedelta(days=1)) == [2, 2, 2]


def names(month):
    lines = monthly_report(list(Brand.objects.order_by("name")), month, now=NOON)
    return [line.campaign.name if line.campaign else line.brand.name for line in lines]


def test_an_archived_brand_is_told_for_the_months_in_which_it_spent(acme):
    brand = make_brand()
    spend(make_campaign(brand), "5")
    make_campaign(brand, "Idle")
    make_brand("Contoso")
    brands.remove_brand(brand_id=brand.id, now=NOON, by=ANN)
    assert names(MARCH) == ["Contoso", "Northwind", "Search"]
    assert names(date(2026, 2, 1)) == ["Contoso"]


def test_an_archived_campaign_is_told_for_the_months_in_which_it_spent(acme):
    brand = make_brand()
    campaign = make_campaign(brand)
    spend(campaign, "5")
    campaigns.remove_campaign(campaign_id=campaign.id, now=NOON, by=ANN)
    assert names(MARCH) == ["Northwind", "Search"]
    assert names(date(2026, 2, 1)) == ["Northwind"]


def test_an_archived_brand_whose_credits_even_out_is_told_with_its_campaigns(acme):
    brand = make_brand()
    spend(make_campaign(brand, "One"), "5")
    spend(make_campaign(brand, "Two"), "-5", is_correction=True, description="a credit")
    brands.remove_brand(brand_id=brand.id, now=NOON, by=ANN)
    assert names(MARCH) == ["Northwind", "One", "Two"]


@pytest.mark.parametrize(
    ("limit", "over", "under"),
    [(None, None, None), ("40", "10.00", "0.00"), ("50", "0.00", "0.00"), ("60", "0.00", "10.00")],
)
def test_a_row_says_what_is_over_or_under(acme, limit, over, under):
    brand = make_brand(monthly=limit)
    spend(make_campaign(brand), "50")
    row = monthly_report([brand], MARCH, now=NOON)[0].as_row()
    assert tuple(row) == REPORT_COLUMNS
    assert (row["over"], row["under"]) == (over, under)
