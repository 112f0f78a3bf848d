"""Adjustments: an amount more or less for one budget, in the period that is running.

The caller holds the brand's lock, and decides again.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from kernel.actor import Actor
from kernel.errors import Conflict, InvalidValue, NotFound
from kernel.local_time import Calendar, first_of_month
from kernel.money import canonical

from .limits import check_adjustment
from .models import Brand, Budget, BudgetAdjustment, Period
from .services import current_limits

# What began earlier has ended: no month is longer, in any zone.
_PERIOD_MAX = timedelta(days=33)


def give(
    budget: Budget,
    *,
    brand: Brand,
    amount: Decimal,
    period: Period,
    note: str,
    expires_at: datetime | None,
    now: datetime,
    by: Actor,
) -> BudgetAdjustment:
    """Add an amount (in the brand's currency; negative lowers) to a limit of the running period.

    Raises InvalidValue, and Conflict where there is no limit to adjust.
    """
    check_adjustment(amount, currency=brand.currency)
    if not note.strip():
        raise InvalidValue("An adjustment needs a note of why.", field="note")
    if expires_at is not None and expires_at <= now:
        raise InvalidValue("An adjustment ends in the future.", field="expires_at")
    today = brand.calendar.today(now)
    if current_limits(budget, on=today).of(period) is None:
        what = "daily" if period == Period.DAY else "monthly"
        raise Conflict(f"There is no {what} budget to adjust.", field="period")
    return BudgetAdjustment.objects.create(
        budget=budget,
        period=period,
        period_start=today if period == Period.DAY else first_of_month(today),
        amount=canonical(amount),
        note=note,
        # What would outlast its period ends with it.
        expires_at=expires_at if expires_at and expires_at < _turn(period, brand, now) else None,
        given_at=now,
        given_by_kind=by.kind,
        given_by_id=by.id,
        given_by_label=by.label[:120],
    )


def _turn(period: Period, brand: Brand, now: datetime) -> datetime:
    calendar = brand.calendar
    return calendar.next_day(now) if period == Period.DAY else calendar.next_month(now)


def withdraw(
    budget: Budget, adjustment_id: UUID, *, brand: Brand, now: datetime, by: Actor
) -> BudgetAdjustment:
    """Take an adjustment back. Raises NotFound, and Conflict for one that has ended."""
    adjustment = BudgetAdjustment.objects.filter(budget=budget, id=adjustment_id).first()
    if adjustment is None:
        raise NotFound("There is no such adjustment.")
    if adjustment.withdrawn_at is not None:
        raise Conflict("It was withdrawn already.")
    if ends_at(adjustment, brand.calendar) <= now:
        raise Conflict("It has ended already.")
    adjustment.withdrawn_at = now
    adjustment.withdrawn_by_kind = by.kind
    adjustment.withdrawn_by_id = by.id
    adjustment.withdrawn_by_label = by.label[:120]
    adjustment.save()
    return adjustment


def ends_at(adjustment: BudgetAdjustment, calendar: Calendar) -> datetime:
    """Return when an adjustment ends by time alone: at its expiry, or with its period."""
    start = calendar.day_start(adjustment.period_start)
    is_daily = adjustment.period == Period.DAY
    turn = calendar.next_day(start) if is_daily else calendar.next_month(start)
    return min(adjustment.expires_at or turn, turn)


def is_in_force(adjustment: BudgetAdjustment, calendar: Calendar, *, now: datetime) -> bool:
    """Return whether an adjustment counts at `now`."""
    return adjustment.withdrawn_at is None and now < ends_at(adjustment, calendar)


def in_force(budgets: Collection[Budget], *, now: datetime) -> dict[UUID, list[BudgetAdjustment]]:
    """Return the adjustments that count at `now`, by the id of their budget, the oldest first.

    The budgets come with their brands, and the adjustments with the budgets. One statement.
    """
    by_id = {budget.id: budget for budget in budgets}
    rows = BudgetAdjustment.objects.filter(
        budget__in=by_id, withdrawn_at=None, period_start__gte=now.date() - _PERIOD_MAX
    )
    found: dict[UUID, list[BudgetAdjustment]] = {}
    for row in rows.order_by("given_at", "id"):
        row.budget = by_id[row.budget_id]
        if is_in_force(row, row.budget.brand.calendar, now=now):
            found.setdefault(row.budget_id, []).append(row)
    return found
