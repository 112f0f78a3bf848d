"""The rules: facts in, every reason out. Pure: it knows neither the database nor the clock.

    a live campaign runs if and only if nothing holds it

A rule hold is a function of the facts at an instant: no margins, no memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from budgets.models import STOP_AT_MAX, BudgetMode, Period
from budgets.queries import Spent
from budgets.terms import NO_TERMS, ZERO, Terms, bound, in_force_on, is_spent
from dayparting.windows import Hours, Position
from kernel.local_time import Calendar, first_of_month

from .models import Reason


class BudgetFacts(NamedTuple):
    """One budget above the campaign: what bears on it today, what it has spent, and the mode that
    is in force there (its own, or that of a budget above it)."""

    budget_id: UUID
    terms: Terms
    spent: Spent
    mode: str = BudgetMode.PAUSE_RESUME


class BrandMoment(NamedTuple):
    """What an instant means in a brand's time zone, worked out once for all of its campaigns."""

    now: datetime
    calendar: Calendar
    today: date
    next_day: datetime
    next_month: datetime
    position: Position

    @classmethod
    def at(cls, now: datetime, calendar: Calendar) -> "BrandMoment":
        return cls(
            now,
            calendar,
            calendar.today(now),
            calendar.next_day(now),
            calendar.next_month(now),
            Position.at(now, calendar),
        )


class CampaignFacts(NamedTuple):
    """All that a decision on one live campaign rests on. `budgets`: leaf, group, root."""

    campaign_id: UUID
    start_date: date | None
    end_date: date | None
    hours: Hours
    budgets: tuple[BudgetFacts, ...]


class WantedHold(NamedTuple):
    """A reason against running, with its numbers and the end that time alone brings."""

    reason: Reason
    budget_id: UUID | None = None
    period_start: date | None = None
    until: datetime | None = None
    spent: Decimal | None = None
    # What binds, adjustments included; and of it these.
    limit: Decimal | None = None
    adjusted_by: Decimal = ZERO
    stop_at: int = STOP_AT_MAX
    mode: str = BudgetMode.PAUSE_RESUME

    @property
    def is_alert(self) -> bool:
        """Whether it is only told: its budget's mode holds nothing."""
        return self.mode == BudgetMode.ALERT_ONLY


@dataclass(frozen=True, slots=True)
class Decision:
    """Every reason against running; none means that it runs. `alerts` hold nothing: they tell what
    budgets that only alert would have held.

    `next_check_at` is the earliest instant at which time alone could change this decision.
    """

    holds: tuple[WantedHold, ...]
    next_check_at: datetime | None
    alerts: tuple[WantedHold, ...] = ()

    @property
    def may_run(self) -> bool:
        return not self.holds


def decide(facts: CampaignFacts, *, moment: BrandMoment) -> Decision:
    """Return every rule's reason why the campaign may not run at `moment`."""
    spent: list[WantedHold] = []
    turns: list[datetime] = []
    for budget in facts.budgets:
        if budget.terms is not NO_TERMS:
            spent.extend(_spent_limits(budget, moment))
            if budget.terms.adjustments or budget.terms.later:
                turns.extend(_turns(budget.terms, moment))
    # A limit that is not spent stays so until somebody spends; one that is turns with its period.
    turns += [
        moment.next_day if h.reason == Reason.DAILY_BUDGET else moment.next_month for h in spent
    ]
    holds = [hold for hold in spent if not hold.is_alert]
    # Where the flight is over, no window opens any more.
    last = None if facts.end_date is None else facts.end_date + timedelta(days=1)
    over = None if last is None else moment.calendar.day_start(last)
    if not facts.hours.is_always_open:
        change = facts.hours.next_change(moment.position)
        if change is not None:
            turns.append(change)
        if not facts.hours.is_open(moment.position):
            opens = change if change and (over is None or change < over) else None
            holds.append(WantedHold(Reason.DAYPART, until=opens))
    if facts.start_date is not None and moment.today < facts.start_date:
        starts = moment.calendar.day_start(facts.start_date)
        turns.append(starts)
        holds.append(WantedHold(Reason.FLIGHT, until=starts))
    if over is not None:
        if over <= moment.now:
            holds.append(WantedHold(Reason.FLIGHT))
        else:
            turns.append(over)
    alerts = tuple([hold for hold in spent if hold.is_alert])
    return Decision(tuple(holds), min(turns, default=None), alerts)


def _spent_limits(budget: BudgetFacts, moment: BrandMoment) -> Iterator[WantedHold]:
    terms = budget.terms
    bounds = terms.bounds
    if is_spent(bounds.daily, budget.spent.today, terms.stop_at):
        yield _spent(budget, Period.DAY, bounds.daily, budget.spent.today, moment)
    if is_spent(bounds.monthly, budget.spent.month, terms.stop_at):
        yield _spent(budget, Period.MONTH, bounds.monthly, budget.spent.month, moment)


def _spent(
    budget: BudgetFacts,
    period: Period,
    limit: Decimal | None,
    spent: Decimal,
    moment: BrandMoment,
) -> WantedHold:
    is_daily = period == Period.DAY
    return WantedHold(
        Reason.DAILY_BUDGET if is_daily else Reason.MONTHLY_BUDGET,
        budget.budget_id,
        moment.today if is_daily else first_of_month(moment.today),
        _end(budget, period, spent, moment),
        spent,
        limit,
        budget.terms.adjusted_by(period),
        budget.terms.stop_at,
        budget.mode,
    )


def _end(
    budget: BudgetFacts, period: Period, spent: Decimal, moment: BrandMoment
) -> datetime | None:
    """Return when a spent limit could be unspent by time alone.

    In its period: where an adjustment ends or a new limit begins. In the next one nothing is spent
    yet, and no adjustment was given for it, so only a limit of nothing is; but what outlasts its
    period may wait for a person.
    """
    terms, calendar = budget.terms, moment.calendar
    turn = moment.next_day if period == Period.DAY else moment.next_month
    for at in sorted(at for at in _turns(terms, moment) if at < turn):
        limit = in_force_on(calendar.today(at), terms.limits, terms.later).of(period)
        ongoing = [
            a.amount
            for a in terms.adjustments
            if a.period == period and (a.expires_at is None or a.expires_at > at)
        ]
        if not is_spent(bound(limit, sum(ongoing, ZERO)), spent, terms.stop_at):
            return at
    if budget.mode == BudgetMode.PAUSE:
        return None
    first = calendar.today(turn)
    if in_force_on(first, terms.limits, terms.later).of(period) != 0:
        return turn
    raised = (c.from_day for c in terms.later if c.from_day > first and c.limits.of(period) != 0)
    day = next(raised, None)
    return None if day is None else calendar.day_start(day)


def _turns(terms: Terms, moment: BrandMoment) -> Iterator[datetime]:
    """Yield the instants at which time alone changes what binds: adjustments end, limits begin."""
    for adjustment in terms.adjustments:
        is_daily = adjustment.period == Period.DAY
        turn = moment.next_day if is_daily else moment.next_month
        ends = adjustment.expires_at
        yield turn if ends is None else min(ends, turn)
    for change in terms.later:
        yield moment.calendar.day_start(change.from_day)
