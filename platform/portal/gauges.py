"""What a bar shows: money spent against a limit. Pure."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from budgets.models import STOP_AT_MAX
from budgets.queries import Figures
from budgets.terms import is_spent
from kernel.local_time import Calendar
from kernel.money import show

# From this share of what may be spent on, a person should look.
NEAR_SHARE = Decimal("0.8")
BAR_UNITS = 1000


class Level(StrEnum):
    """How close a budget is to its limit; the names are the stylesheet's too."""

    UNLIMITED = "unlimited"
    FINE = "fine"
    NEAR = "near"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class Gauge:
    """An amount spent in a period against its limit (None: no limit), in one currency.

    `pace` is how much of the period is gone, in thousandths; None where no even pace is expected.
    It counts as spent from `stop_at` percent of the limit on.
    """

    spent: Decimal
    limit: Decimal | None
    currency: str
    pace: int | None = None
    stop_at: int = STOP_AT_MAX

    @property
    def level(self) -> Level:
        if self.limit is None:
            return Level.UNLIMITED
        if is_spent(self.limit, self.spent, self.stop_at):
            return Level.SPENT
        return Level.NEAR if self.spent >= NEAR_SHARE * self._stop else Level.FINE

    @property
    def _stop(self) -> Decimal:
        """The amount from which the limit counts as spent."""
        return (self.limit or Decimal(0)) * self.stop_at / STOP_AT_MAX

    @property
    def stops_early(self) -> bool:
        """Whether it counts as spent before all of the limit is."""
        return bool(self.limit) and self.stop_at < STOP_AT_MAX

    @property
    def stop_units(self) -> int:
        """Where on the bar it counts as spent, of `BAR_UNITS`."""
        return BAR_UNITS * self.stop_at // STOP_AT_MAX

    @property
    def percent(self) -> int | None:
        """Whole percents, rounded down: 99.9 % spent is not all of it."""
        if self.limit is None:
            return None
        if self.limit == 0:
            return 100
        return max(0, int(self.spent * 100 / self.limit))

    @property
    def units(self) -> int:
        """The length of the filled part, of `BAR_UNITS`."""
        if not self.limit:
            return BAR_UNITS if self.level == Level.SPENT else 0
        share = min(Decimal(1), max(Decimal(0), self.spent / self.limit))
        return int(share * BAR_UNITS)

    @property
    def left(self) -> Decimal | None:
        """What may still be spent until it counts as spent; negative where that was overrun."""
        return None if self.limit is None else self._stop - self.spent

    @property
    def sentence(self) -> str:
        """The bar in words: `64.00 of 100.00 USD`."""
        spent = show(self.spent, self.currency)
        if self.limit is None:
            return f"{spent} {self.currency}, no limit"
        return f"{spent} of {show(self.limit, self.currency)} {self.currency}"


@dataclass(frozen=True, slots=True)
class Gauges:
    """A budget's day and month."""

    today: Gauge
    month: Gauge


def gauges(figures: Figures, *, currency: str, pace: int | None = None) -> Gauges:
    """Return the bars of a budget; `pace` is the month's (see `month_pace`)."""
    bounds, spent, stop_at = figures.bounds, figures.spent, figures.terms.stop_at
    even = pace if bounds.monthly else None
    return Gauges(
        Gauge(spent.today, bounds.daily, currency, stop_at=stop_at),
        Gauge(spent.month, bounds.monthly, currency, even, stop_at),
    )


def month_pace(calendar: Calendar, *, now: datetime) -> int:
    """Return how much of the brand's local month is gone at `now`, in thousandths."""
    start = calendar.day_start(calendar.today(now).replace(day=1))
    end = calendar.next_month(now)
    return max(0, min(BAR_UNITS, int(BAR_UNITS * ((now - start) / (end - start)))))
