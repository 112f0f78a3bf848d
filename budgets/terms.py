"""What a budget may spend on a day, all that bears on it considered. Pure.

L = max(0, limit + adjustments)          a budget is spent when L = 0, or spent ≥ stop_at % of L
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from .models import STOP_AT_MAX, Budget, BudgetMode, Period

ZERO = Decimal(0)


class Limits(NamedTuple):
    """What a budget may spend in a day and in a month; None is no limit."""

    daily: Decimal | None = None
    monthly: Decimal | None = None

    def of(self, period: Period) -> Decimal | None:
        """Return the limit of a period."""
        return self.daily if period == Period.DAY else self.monthly


NO_LIMITS = Limits()


class Adjustment(NamedTuple):
    """An amount added to a limit in the running period; `expires_at` None: until its end."""

    period: Period
    amount: Decimal
    expires_at: datetime | None = None


class LimitsFrom(NamedTuple):
    """The limits that will apply from a coming local day on."""

    from_day: date
    limits: Limits


class Terms(NamedTuple):
    """What bears on a budget on its brand's local day, at an instant of it.

    `limits` are the day's own, before the adjustments that are in force; `later` what will replace
    them, in order. `mode` is the budget's own: empty is that of the budget above.
    """

    limits: Limits = NO_LIMITS
    later: tuple[LimitsFrom, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    mode: str = ""
    stop_at: int = STOP_AT_MAX

    def adjusted_by(self, period: Period) -> Decimal:
        """Return the sum of a period's adjustments."""
        return sum((a.amount for a in self.adjustments if a.period == period), ZERO)

    @property
    def bounds(self) -> Limits:
        """What binds: the limits with their adjustments."""
        if not self.adjustments:
            return self.limits
        return Limits(
            bound(self.limits.daily, self.adjusted_by(Period.DAY)),
            bound(self.limits.monthly, self.adjusted_by(Period.MONTH)),
        )


NO_TERMS = Terms()


def bound(limit: Decimal | None, adjusted_by: Decimal) -> Decimal | None:
    """Return what binds: a limit with what was added to it, nothing less than nothing."""
    return None if limit is None else max(ZERO, limit + adjusted_by)


def is_spent(limit: Decimal | None, spent: Decimal, stop_at: int = STOP_AT_MAX) -> bool:
    """Return whether `stop_at` percent of a limit are used up; a limit of nothing always is."""
    return limit is not None and (limit == 0 or spent * 100 >= limit * stop_at)


def in_force_on(day: date, limits: Limits, later: Iterable[LimitsFrom]) -> Limits:
    """Return the limits of a coming local day: `limits`, or the last of `later` by then."""
    for change in later:
        if change.from_day > day:
            break
        limits = change.limits
    return limits


def mode_giver(budget: Budget) -> Budget | None:
    """Return the nearest budget, from this one up, that has a mode of its own; None: none has.

    The budget comes with those above it.
    """
    node: Budget | None = budget
    while node is not None and not node.mode:
        node = node.parent
    return node


def effective_mode(budget: Budget) -> BudgetMode:
    """Return the mode in force at a budget that comes with those above it: the nearest set one."""
    giver = mode_giver(budget)
    return BudgetMode(giver.mode) if giver else BudgetMode.PAUSE_RESUME
