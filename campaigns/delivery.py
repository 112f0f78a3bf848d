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

from dayparting.windows import Position, WeeklyHours, next_change
from kernel.local_time import Calendar, first_of_month

from .models import Reason


class BudgetFacts(NamedTuple):
    """One budget above the campaign: its limits today (None: no limit) and what it has spent."""

    budget_id: UUID
    daily_limit: Decimal | None
    monthly_limit: Decimal | None
    spent_today: Decimal
    spent_month: Decimal


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
    hours: WeeklyHours
    budgets: tuple[BudgetFacts, ...]


class WantedHold(NamedTuple):
    """A reason against running, with its numbers and the end that time alone brings."""

    reason: Reason
    budget_id: UUID | None = None
    period_start: date | None = None
    until: datetime | None = None
    spent: Decimal | None = None
    limit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Every reason against running; none means that it runs.

    `next_check_at` is the earliest instant at which time alone could change this decision.
    """

    holds: tuple[WantedHold, ...]
    next_check_at: datetime | None

    @property
    def may_run(self) -> bool:
        return not self.holds


def decide(facts: CampaignFacts, *, moment: BrandMoment) -> Decision:
    """Return every rule's reason why the campaign may not run at `moment`."""
    holds: list[WantedHold] = []
    for budget in facts.budgets:
        if budget.daily_limit is not None or budget.monthly_limit is not None:
            holds.extend(_budget_holds(budget, moment))
    # A limit that is not spent stays so until somebody spends; one that is turns with its period.
    turns = [
        moment.next_day if h.reason == Reason.DAILY_BUDGET else moment.next_month for h in holds
    ]
    if not facts.hours.is_always_open:
        change = next_change(facts.hours, moment.position)
        if change is not None:
            turns.append(change)
        if not facts.hours.is_open_at(moment.position.week_time):
            holds.append(WantedHold(Reason.DAYPART, until=change))
    if facts.start_date is not None and moment.today < facts.start_date:
        starts = moment.calendar.day_start(facts.start_date)
        turns.append(starts)
        holds.append(WantedHold(Reason.FLIGHT, until=starts))
    if facts.end_date is not None:
        if moment.today > facts.end_date:
            holds.append(WantedHold(Reason.FLIGHT))
        else:
            turns.append(moment.calendar.day_start(facts.end_date + timedelta(days=1)))
    return Decision(tuple(holds), min(turns, default=None))


def is_spent(limit: Decimal | None, spent: Decimal) -> bool:
    """Return whether a limit is used up; a limit of nothing always is."""
    return limit is not None and (limit == 0 or spent >= limit)


def _budget_holds(budget: BudgetFacts, moment: BrandMoment) -> Iterator[WantedHold]:
    if is_spent(budget.daily_limit, budget.spent_today):
        yield WantedHold(
            Reason.DAILY_BUDGET,
            budget.budget_id,
            moment.today,
            # A limit of nothing is as spent tomorrow as it is today.
            moment.next_day if budget.daily_limit else None,
            budget.spent_today,
            budget.daily_limit,
        )
    if is_spent(budget.monthly_limit, budget.spent_month):
        yield WantedHold(
            Reason.MONTHLY_BUDGET,
            budget.budget_id,
            first_of_month(moment.today),
            moment.next_month if budget.monthly_limit else None,
            budget.spent_month,
            budget.monthly_limit,
        )
