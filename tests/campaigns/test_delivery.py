"""The rules, without a database: facts in, every reason out."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from budgets.models import Period
from budgets.queries import Spent
from budgets.terms import Adjustment, Limits, LimitsFrom, Terms
from campaigns.delivery import BrandMoment, BudgetFacts, CampaignFacts, decide
from campaigns.models import Reason
from dayparting.windows import WindowLine, weekly_hours
from kernel.local_time import Calendar

RIGA = ZoneInfo("Europe/Riga")
MONDAY_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=RIGA)
LEAF, ROOT = UUID(int=1), UUID(int=2)


def budget(
    budget_id=LEAF, *, daily=None, monthly=None, today="0", month="0", mode="pause_resume", **terms
):
    limits = Limits(
        None if daily is None else Decimal(daily), None if monthly is None else Decimal(monthly)
    )
    spent = Spent(Decimal(today), Decimal(month))
    return BudgetFacts(budget_id, Terms(limits, **terms), spent, mode)


def campaign(*budgets, start=None, end=None, windows=()):
    hours = weekly_hours(tuple(WindowLine(*window) for window in windows))
    return CampaignFacts(UUID(int=9), start, end, hours, budgets or (budget(), budget(ROOT)))


def decided(facts, now=MONDAY_NOON):
    return decide(facts, moment=BrandMoment.at(now.astimezone(UTC), Calendar("Europe/Riga")))


def reasons(facts, now=MONDAY_NOON):
    return [hold.reason for hold in decided(facts, now).holds]


@pytest.mark.parametrize(
    ("spent", "expected"),
    [("49.99", []), ("50.00", [Reason.DAILY_BUDGET]), ("50.000001", [Reason.DAILY_BUDGET])],
)
def test_it_holds_exactly_at_the_daily_limit(spent, expected):
    assert reasons(campaign(budget(daily="50", today=spent))) == expected


@pytest.mark.parametrize("spent", ["-10", "0", "0.01"])
def test_a_limit_of_nothing_is_spent_whatever_was_spent_or_given_back(spent):
    decision = decided(campaign(budget(daily="0", today=spent)))
    assert [(hold.reason, hold.until) for hold in decision.holds] == [(Reason.DAILY_BUDGET, None)]


def test_no_limit_never_holds():
    assert decided(campaign(budget(today="1000000", month="1000000"))).may_run


def test_each_limit_above_the_campaign_binds_on_its_own():
    facts = campaign(
        budget(LEAF, daily="10", today="10", monthly="100", month="99"),
        budget(ROOT, daily="1000", today="10", monthly="50", month="50"),
    )
    holds = [(hold.reason, hold.budget_id) for hold in decided(facts).holds]
    assert holds == [(Reason.DAILY_BUDGET, LEAF), (Reason.MONTHLY_BUDGET, ROOT)]


def test_a_daily_hold_ends_at_the_brands_midnight_and_a_monthly_one_at_its_next_month():
    facts = campaign(budget(daily="1", today="1", monthly="1", month="1"))
    daily, monthly = decided(facts).holds
    assert daily.until == datetime(2026, 3, 3, 0, 0, tzinfo=RIGA)
    assert monthly.until == datetime(2026, 4, 1, 0, 0, tzinfo=RIGA)
    assert (daily.period_start, monthly.period_start) == (date(2026, 3, 2), date(2026, 3, 1))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 3, 1, 23, 59, 59, tzinfo=RIGA), [Reason.FLIGHT]),
        (datetime(2026, 3, 2, 0, 0, tzinfo=RIGA), []),
        (datetime(2026, 3, 3, 23, 59, 59, tzinfo=RIGA), []),
        (datetime(2026, 3, 4, 0, 0, tzinfo=RIGA), [Reason.FLIGHT]),
    ],
)
def test_a_flight_runs_from_its_first_to_its_last_day_inclusive(now, expected):
    assert reasons(campaign(start=date(2026, 3, 2), end=date(2026, 3, 3)), now) == expected


def test_a_flight_that_has_ended_never_comes_back():
    (hold,) = decided(campaign(end=date(2026, 3, 1))).holds
    assert hold.until is None


def test_a_closed_daypart_ends_when_the_next_window_opens():
    (hold,) = decided(campaign(windows=[(2, time(9), time(18))])).holds
    assert (hold.reason, hold.until) == (
        Reason.DAYPART,
        datetime(2026, 3, 4, 9, 0, tzinfo=RIGA),
    )


def test_every_reason_is_given_at_once():
    facts = campaign(
        budget(daily="1", today="1", monthly="1", month="1"),
        end=date(2026, 3, 1),
        windows=[(2, time(9), time(18))],
    )
    assert reasons(facts) == [
        Reason.DAILY_BUDGET,
        Reason.MONTHLY_BUDGET,
        Reason.DAYPART,
        Reason.FLIGHT,
    ]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (campaign(), None),
        (campaign(budget(daily="10", today="9")), None),
        (campaign(budget(daily="10", today="10")), datetime(2026, 3, 3, tzinfo=RIGA)),
        (campaign(budget(daily="0")), datetime(2026, 3, 3, tzinfo=RIGA)),
        (campaign(budget(monthly="10", month="10")), datetime(2026, 4, 1, tzinfo=RIGA)),
        (campaign(start=date(2026, 3, 9)), datetime(2026, 3, 9, tzinfo=RIGA)),
        (campaign(end=date(2026, 5, 1)), datetime(2026, 5, 2, tzinfo=RIGA)),
        (campaign(end=date(2026, 3, 1)), None),
        (campaign(windows=[(0, time(9), time(18))]), MONDAY_NOON + timedelta(hours=6)),
    ],
)
def test_time_is_asked_again_when_it_alone_could_change_the_decision(facts, expected):
    assert decided(facts).next_check_at == expected


def give(amount, period=Period.DAY, until=None):
    return Adjustment(period, Decimal(amount), until)


@pytest.mark.parametrize(
    ("spent", "stop_at", "is_held"),
    [("94.99", 95, False), ("95", 95, True), ("49.99", 50, False), ("50", 50, True)],
)
def test_a_budget_may_stop_before_its_limit(spent, stop_at, is_held):
    held = reasons(campaign(budget(daily="100", today=spent, stop_at=stop_at)))
    assert held == ([Reason.DAILY_BUDGET] if is_held else [])


@pytest.mark.parametrize(
    ("amounts", "spent", "is_held"),
    [
        (["20"], "119.99", False),
        (["20"], "120", True),
        (["-30"], "69.99", False),
        (["-30"], "70", True),
        (["20", "-30"], "90", True),
        # Nothing less than nothing, which is always spent.
        (["-100.01"], "-5", True),
    ],
)
def test_what_binds_is_the_limit_with_all_its_adjustments(amounts, spent, is_held):
    adjustments = tuple(give(amount) for amount in amounts)
    held = reasons(campaign(budget(daily="100", today=spent, adjustments=adjustments)))
    assert held == ([Reason.DAILY_BUDGET] if is_held else [])


def test_an_adjustment_of_the_month_leaves_the_day_alone():
    adjustments = (give("50", Period.MONTH),)
    facts = campaign(
        budget(daily="10", monthly="10", today="10", month="10", adjustments=adjustments)
    )
    assert reasons(facts) == [Reason.DAILY_BUDGET]


def test_an_adjustment_of_a_limit_that_is_not_there_limits_nothing():
    assert decided(campaign(budget(today="50", adjustments=(give("-10"),)))).may_run


AT_THREE = datetime(2026, 3, 2, 15, 0, tzinfo=RIGA)
MIDNIGHT = datetime(2026, 3, 3, 0, 0, tzinfo=RIGA)


@pytest.mark.parametrize(
    ("spent", "terms", "until"),
    [
        # What lowered the limit ends at three, and what was spent is below it then.
        ("50", {"adjustments": (give("-60", until=AT_THREE),)}, AT_THREE),
        # It ends, and the limit is spent all the same.
        ("90", {"adjustments": (give("-50", until=AT_THREE), give("-10"))}, MIDNIGHT),
        # The new day's limit is nothing, which is always spent.
        ("100", {"later": (LimitsFrom(date(2026, 3, 3), Limits(Decimal(0))),)}, None),
        (
            "100",
            {
                "later": (
                    LimitsFrom(date(2026, 3, 3), Limits(Decimal(0))),
                    LimitsFrom(date(2026, 3, 9), Limits()),
                )
            },
            datetime(2026, 3, 9, tzinfo=RIGA),
        ),
    ],
)
def test_a_hold_tells_the_first_instant_at_which_time_alone_could_end_it(spent, terms, until):
    (hold,) = decided(campaign(budget(daily="100", today=spent, **terms))).holds
    assert hold.until == until


def test_a_coming_limit_of_the_month_ends_a_hold_within_the_month():
    later = (LimitsFrom(date(2026, 3, 10), Limits(None, Decimal(500))),)
    (hold,) = decided(campaign(budget(monthly="100", month="100", later=later))).holds
    assert hold.until == datetime(2026, 3, 10, tzinfo=RIGA)


@pytest.mark.parametrize(
    ("terms", "asked_at"),
    [
        ({"adjustments": (give("5", until=AT_THREE),)}, AT_THREE),
        ({"adjustments": (give("5"),)}, MIDNIGHT),
        ({"adjustments": (give("5", Period.MONTH),)}, datetime(2026, 4, 1, tzinfo=RIGA)),
        (
            {"later": (LimitsFrom(date(2026, 3, 20), Limits(Decimal(1))),)},
            datetime(2026, 3, 20, tzinfo=RIGA),
        ),
    ],
)
def test_an_unspent_limit_is_asked_again_when_time_changes_it(terms, asked_at):
    facts = campaign(budget(daily="100", monthly="100", today="1", month="1", **terms))
    assert decided(facts).next_check_at == asked_at


def test_a_budget_that_only_alerts_holds_nothing_and_tells_what_it_would_have_held():
    decision = decided(campaign(budget(daily="1", today="1", mode="alert_only")))
    assert decision.may_run
    assert [alert.reason for alert in decision.alerts] == [Reason.DAILY_BUDGET]
    assert decision.next_check_at == MIDNIGHT


def test_a_hold_that_will_wait_for_a_person_does_not_end_by_time():
    decision = decided(campaign(budget(daily="1", today="1", mode="pause")))
    assert [hold.until for hold in decision.holds] == [None]
    # At the turn somebody must look, so that it waits.
    assert decision.next_check_at == MIDNIGHT
