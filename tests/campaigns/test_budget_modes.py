"""What happens when a limit is spent, adjusted, or about to change."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from budgets import services as rows
from budgets.models import BudgetChange, LimitVersion, Period
from campaigns import sweep
from campaigns.audit import audit
from campaigns.models import Campaign, Hold, Reason, StatusChange
from campaigns.queries import holds_of
from campaigns.reports import monthly_report
from campaigns.services import brands, budgets, campaigns
from campaigns.services.spend import NewSpend, record_spend
from kernel.errors import Conflict, InvalidValue, NotFound
from tests.conftest import ANN, NOON, make_brand, make_campaign

NEXT_DAY = datetime(2026, 3, 3, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def the_books_agree(acme):
    yield
    assert audit().violations == []


def spend(campaign, amount, *, now=NOON, **fields):
    new = NewSpend(campaign.id, Decimal(amount), now.date(), **fields)
    return record_spend(spend=new, now=now, by=ANN)


def change(budget, *, now=NOON, **named):
    changes: Any = named
    return budgets.update_budget(budget_id=budget.id, changes=changes, now=now, by=ANN)


def adjust(budget, amount, *, now=NOON, period=Period.DAY, expires_at=None):
    return budgets.adjust_budget(
        budget_id=budget.id,
        amount=Decimal(amount),
        period=period,
        note="Launch",
        expires_at=expires_at,
        now=now,
        by=ANN,
    )


def command(campaign, status, *, now=NOON):
    campaigns.command(campaign_ids=[campaign.id], status=status, now=now, by=ANN)


def sweep_at(now):
    """Decide what is due: time alone must never ask for more."""
    sweep.enforce(sweep.due_brands(now=now), now=now)


def status_of(campaign):
    return Campaign.objects.get(id=campaign.id).status


def sentences(campaign, *, now=NOON):
    told = holds_of([campaign], now=now, with_alerts=True).get(campaign.id, [])
    return [hold.sentence for hold in told]


# Modes --------------------------------------------------------------------------------------------
def test_a_hold_of_a_finished_period_waits_for_a_person(acme):
    brand = make_brand(daily="50")
    campaign = make_campaign(brand)
    change(rows.root_of(brand), mode="pause")
    spend(campaign, "50")
    assert sentences(campaign) == [
        "Paused since 12:00: daily budget of Northwind spent, 50.00 of 50.00 USD."
        " Resumes when the budget is raised; after its day, when a person resumes it."
    ]
    before = StatusChange.objects.count()
    sweep_at(NEXT_DAY)
    assert status_of(campaign) == "PAUSED"
    (hold,) = Hold.objects.filter(campaign=campaign)
    assert (hold.reason, hold.released_at, hold.until) == (Reason.DAILY_BUDGET, None, None)
    assert sentences(campaign, now=NEXT_DAY) == [
        "Paused since 2 Mar 12:00: daily budget of Northwind spent, 50.00 of 50.00 USD."
        " Its day is over; resumes when a person resumes it."
    ]
    assert StatusChange.objects.count() == before
    command(campaign, "ACTIVE", now=NEXT_DAY)
    assert status_of(campaign) == "ACTIVE"


@pytest.mark.parametrize("is_swept", [True, False])
def test_a_person_resumes_what_waits_whether_or_not_a_sweep_has_seen_it(acme, is_swept):
    brand = make_brand(daily="50")
    change(brand.budgets.get(kind="root"), mode="pause")
    campaign = make_campaign(brand)
    spend(campaign, "50")
    if is_swept:
        sweep_at(NEXT_DAY)
    command(campaign, "ACTIVE", now=NEXT_DAY + HOUR)
    assert Campaign.objects.get().status == "ACTIVE"


def test_within_its_period_a_raised_limit_resumes_it_without_a_person(acme):
    brand = make_brand(daily="50", monthly="50")
    campaign = make_campaign(brand)
    root = rows.root_of(brand)
    change(root, mode="pause")
    spend(campaign, "50")
    change(root, daily_budget=Decimal(51), monthly_budget=None)
    assert status_of(campaign) == "ACTIVE"


def test_one_limit_waits_once_however_often_it_is_spent(acme):
    brand = make_brand(daily="50")
    campaign = make_campaign(brand)
    change(rows.root_of(brand), mode="pause")
    for day in range(3):
        now = NOON + timedelta(days=day)
        sweep_at(now)
        spend(campaign, "50", now=now)
    assert Hold.objects.filter(campaign=campaign, released_at=None).count() == 2
    command(campaign, "ACTIVE", now=now)
    assert status_of(campaign) == "PAUSED"
    sweep_at(now + timedelta(days=1))
    assert Hold.objects.filter(campaign=campaign, released_at=None).count() == 1


def test_what_waits_survives_being_switched_off(acme):
    brand = make_brand(daily="50")
    campaign = make_campaign(brand)
    change(rows.root_of(brand), mode="pause")
    spend(campaign, "50")
    sweep_at(NEXT_DAY)
    command(campaign, "INACTIVE", now=NEXT_DAY)
    command(campaign, "PAUSED", now=NEXT_DAY)
    assert status_of(campaign) == "PAUSED"
    assert Hold.objects.filter(campaign=campaign, released_at=None).count() == 2


def test_a_budget_that_only_alerts_holds_nothing(acme):
    brand = make_brand(daily="50")
    one, other = make_campaign(brand, "One"), make_campaign(brand, "Other")
    change(rows.root_of(brand), mode="alert_only")
    spend(one, "50")
    assert (status_of(one), status_of(other)) == ("ACTIVE", "ACTIVE")
    assert Hold.objects.count() == 0
    # Every campaign below it would have been held.
    assert {alert.campaign_id for alert in Hold.alerts.all()} == {one.id, other.id}
    assert sentences(one) == [
        "Since 12:00: daily budget of Northwind spent, 50.00 of 50.00 USD."
        " Its budget only alerts, so it runs on."
    ]
    sweep_at(NEXT_DAY)
    assert Hold.alerts.filter(released_at=None).count() == 0


def test_a_change_of_mode_is_decided_at_once(acme):
    brand = make_brand(daily="50")
    campaign = make_campaign(brand)
    root = rows.root_of(brand)
    spend(campaign, "50")
    for mode, status in (("alert_only", "ACTIVE"), ("pause", "PAUSED"), ("", "PAUSED")):
        change(root, mode=mode)
        assert status_of(campaign) == status
    sweep_at(NEXT_DAY)
    assert status_of(campaign) == "ACTIVE"


def test_a_mode_is_inherited_down_to_where_another_is_set(acme):
    brand = make_brand()
    group = budgets.create_group(
        brand_id=brand.id, name="G", daily_budget=Decimal(10), now=NOON, by=ANN
    )
    campaign = make_campaign(brand, group=group.id, daily="10")
    change(rows.root_of(brand), mode="alert_only")
    spend(campaign, "10")
    assert status_of(campaign) == "ACTIVE"
    change(campaign.budget, mode="pause_resume")
    assert [hold.budget_id for hold in Hold.objects.filter(released_at=None)] == [
        campaign.budget_id
    ]
    change(group, mode="pause")
    assert Hold.objects.filter(released_at=None).count() == 2


@pytest.mark.parametrize(("stop_at", "status"), [(100, "ACTIVE"), (96, "ACTIVE"), (95, "PAUSED")])
def test_an_early_stop_is_decided_at_once_and_told(acme, stop_at, status):
    brand = make_brand(daily="100")
    campaign = make_campaign(brand)
    spend(campaign, "95")
    change(rows.root_of(brand), stop_at=stop_at)
    assert status_of(campaign) == status
    if status == "PAUSED":
        assert "95.00 of 100.00 USD (stops at 95 %)" in sentences(campaign)[0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"stop_at": 49}, "stop_at"), ({"stop_at": 101}, "stop_at"), ({"mode": "stop"}, "mode")],
)
def test_a_mode_or_stop_that_can_not_be_is_refused(acme, changes, field):
    root = rows.root_of(make_brand(daily="10"))
    with pytest.raises(InvalidValue) as refused:
        change(root, **changes)
    assert refused.value.field == field


# Adjustments --------------------------------------------------------------------------------------
def test_an_adjustment_counts_at_once_and_ends_with_its_day(acme):
    brand = make_brand(daily="50")
    campaign = make_campaign(brand)
    spend(campaign, "60")
    root = rows.root_of(brand)
    adjust(root, "20")
    assert status_of(campaign) == "ACTIVE"
    spend(campaign, "10")
    assert "70.00 of 70.00 USD (adjusted by +20.00)" in sentences(campaign)[0]
    sweep_at(NEXT_DAY)
    assert status_of(campaign) == "ACTIVE"
    spend(campaign, "50", now=NEXT_DAY)
    assert status_of(campaign) == "PAUSED"


def test_an_adjustment_that_expires_holds_again_by_time_alone(acme):
    brand = make_brand(daily="50")
    campaign = make_campaign(brand)
    adjust(rows.root_of(brand), "20", expires_at=NOON + HOUR)
    spend(campaign, "60")
    sweep_at(NOON + HOUR - timedelta(seconds=1))
    assert status_of(campaign) == "ACTIVE"
    sweep_at(NOON + HOUR)
    assert status_of(campaign) == "PAUSED"


def test_a_negative_one_that_expires_brings_back_and_says_when(acme):
    brand = make_brand(daily="50")
    campaign = make_campaign(brand)
    spend(campaign, "30")
    adjust(rows.root_of(brand), "-20", expires_at=NOON + HOUR)
    (hold,) = Hold.objects.filter(campaign=campaign)
    assert (hold.limit, hold.adjusted_by, hold.until) == (Decimal(30), Decimal(-20), NOON + HOUR)
    sweep_at(NOON + HOUR)
    assert status_of(campaign) == "ACTIVE"


def test_what_is_withdrawn_counts_no_more(acme):
    brand = make_brand(monthly="50")
    campaign = make_campaign(brand)
    root = rows.root_of(brand)
    given = adjust(root, "20", period=Period.MONTH)
    spend(campaign, "60")
    assert status_of(campaign) == "ACTIVE"
    budgets.withdraw_adjustment(budget_id=root.id, adjustment_id=given.id, now=NOON, by=ANN)
    assert status_of(campaign) == "PAUSED"
    with pytest.raises(Conflict):
        budgets.withdraw_adjustment(budget_id=root.id, adjustment_id=given.id, now=NOON, by=ANN)


def test_what_has_ended_can_not_be_withdrawn(acme):
    root = rows.root_of(make_brand(daily="50"))
    given = adjust(root, "20")
    with pytest.raises(Conflict):
        budgets.withdraw_adjustment(budget_id=root.id, adjustment_id=given.id, now=NEXT_DAY, by=ANN)


def test_it_ends_with_the_brands_day_not_with_utcs(acme):
    brand = make_brand(daily="50", time_zone="America/Los_Angeles")
    campaign = make_campaign(brand)
    late = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)  # Still 2 March there.
    adjust(rows.root_of(brand), "20", now=late)
    record_spend(
        spend=NewSpend(campaign.id, Decimal(60), date(2026, 3, 2)),
        now=late + 4 * HOUR,
        by=ANN,
    )
    assert status_of(campaign) == "ACTIVE"


@pytest.mark.parametrize(
    ("amount", "period", "expires_at", "error", "field"),
    [
        ("0", Period.DAY, None, InvalidValue, "amount"),
        ("0.001", Period.DAY, None, InvalidValue, "amount"),
        ("NaN", Period.DAY, None, InvalidValue, "amount"),
        ("1e12", Period.DAY, None, InvalidValue, "amount"),
        ("5", Period.DAY, NOON, InvalidValue, "expires_at"),
        ("5", Period.MONTH, None, Conflict, "period"),
    ],
)
def test_an_adjustment_that_can_not_be_is_refused(acme, amount, period, expires_at, error, field):
    root = rows.root_of(make_brand(daily="50"))
    with pytest.raises(error) as refused:
        adjust(root, amount, period=period, expires_at=expires_at)
    assert refused.value.field == field


def test_the_monthly_report_tells_what_was_adjusted(acme):
    brand = make_brand(daily="50", monthly="100")
    root = rows.root_of(brand)
    adjust(root, "20")
    adjust(root, "30", period=Period.MONTH)
    withdrawn = adjust(root, "40", period=Period.MONTH)
    budgets.withdraw_adjustment(budget_id=root.id, adjustment_id=withdrawn.id, now=NOON, by=ANN)
    line = monthly_report([brand], NOON.date(), now=NOON)[0]
    assert (line.limit, line.adjustments, line.daily_adjustments) == (
        Decimal(130),
        Decimal(30),
        Decimal(20),
    )
    past = monthly_report([brand], NOON.date(), now=NOON + timedelta(days=60))[0]
    assert (past.limit, past.adjustments) == (Decimal(130), Decimal(30))


# Limits of coming days ----------------------------------------------------------------------------
def test_a_coming_limit_begins_on_its_local_day(acme):
    brand = make_brand(monthly="50", time_zone="Asia/Tokyo")
    campaign = make_campaign(brand)
    change(rows.root_of(brand), monthly_budget=Decimal(10), from_day=date(2026, 3, 5))
    spend(campaign, "10")
    begins = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
    sweep_at(begins - timedelta(seconds=1))
    assert status_of(campaign) == "ACTIVE"
    sweep_at(begins)
    assert status_of(campaign) == "PAUSED"


def test_the_first_limit_of_all_may_be_a_coming_one(acme):
    brand = make_brand()
    campaign = make_campaign(brand)
    spend(campaign, "10")
    change(rows.root_of(brand), daily_budget=Decimal(5), from_day=date(2026, 3, 5))
    assert status_of(campaign) == "ACTIVE"


def test_a_limit_of_today_leaves_the_coming_one(acme):
    brand = make_brand(daily="50")
    root = rows.root_of(brand)
    change(root, daily_budget=Decimal(80), from_day=date(2026, 3, 5))
    change(root, daily_budget=Decimal(60))
    days = [date(2026, 3, 2), date(2026, 3, 5)]
    assert [rows.current_limits(root, on=day).daily for day in days] == [Decimal(60), Decimal(80)]


def test_a_coming_limit_can_be_taken_back_and_one_of_today_can_not(acme):
    brand = make_brand(daily="50")
    root = rows.root_of(brand)
    day = date(2026, 3, 5)
    change(root, daily_budget=Decimal(80), from_day=day)
    budgets.withdraw_limits(budget_id=root.id, from_day=day, now=NOON, by=ANN)
    assert LimitVersion.objects.filter(budget=root).count() == 1
    with pytest.raises(NotFound):
        budgets.withdraw_limits(budget_id=root.id, from_day=day, now=NOON, by=ANN)
    with pytest.raises(Conflict):
        budgets.withdraw_limits(budget_id=root.id, from_day=NOON.date(), now=NOON, by=ANN)


@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2200, 1, 1)])
def test_the_past_is_not_rewritten(acme, day):
    brand = make_brand(daily="50")
    with pytest.raises(InvalidValue) as refused:
        change(rows.root_of(brand), daily_budget=Decimal(1), from_day=day)
    assert refused.value.field == "from"


def test_a_day_without_a_limit_says_nothing(acme):
    with pytest.raises(InvalidValue):
        change(rows.root_of(make_brand()), from_day=date(2026, 3, 5))


# The history --------------------------------------------------------------------------------------
def test_every_change_is_told_with_who_made_it_and_what_it_was(acme):
    brand = make_brand(daily="50")
    campaign = make_campaign(brand)
    root = rows.root_of(brand)
    brands.update_brand(brand_id=brand.id, changes={"daily_budget": None}, now=NOON, by=ANN)
    change(root, mode="pause", stop_at=90)
    change(root, mode="pause", stop_at=90)
    campaigns.update_campaign(
        campaign_id=campaign.id, changes={"monthly_budget": Decimal(7)}, now=NOON, by=ANN
    )
    told = [(c.before, c.after, c.by_label) for c in BudgetChange.objects.order_by("id")]
    assert told == [
        ({"daily_budget": None}, {"daily_budget": "50.00"}, "Ann"),
        ({"daily_budget": "50.00"}, {"daily_budget": None}, "Ann"),
        ({"mode": "", "stop_at": 100}, {"mode": "pause", "stop_at": 90}, "Ann"),
        ({"monthly_budget": None}, {"monthly_budget": "7.00"}, "Ann"),
    ]


def test_an_edit_after_an_unswept_midnight_keeps_what_that_midnight_changed(acme):
    campaign = make_campaign(make_brand(daily="50"))
    spend(campaign, "50")
    campaigns.update_campaign(
        campaign_id=campaign.id,
        changes={"name": "Renamed", "status": "PAUSED"},
        now=NEXT_DAY,
        by=ANN,
    )
    changes = StatusChange.objects.filter(campaign=campaign).order_by("version")
    assert [change.to_status for change in changes] == ["ACTIVE", "PAUSED", "ACTIVE", "PAUSED"]
