"""What bears on a budget beside its limits of today: its mode, what was added, what will begin."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.urls import reverse

from budgets import adjusting
from budgets.models import (
    STOP_AT_MAX,
    Brand,
    Budget,
    BudgetAdjustment,
    BudgetChange,
    BudgetKind,
    BudgetMode,
    Period,
)
from budgets.queries import NO_FIGURES, Figures
from budgets.terms import Limits, effective_mode, mode_giver
from kernel.local_time import Calendar
from kernel.money import show

from .gauges import Gauges, gauges, month_pace

# So many changes are listed; the budget's history has them all.
CHANGES_SHOWN = 8

_MODE_NOTES = {
    BudgetMode.PAUSE: "waits for a person when spent",
    BudgetMode.ALERT_ONLY: "only alerts",
}
_CALLED = {"daily_budget": "Daily budget", "monthly_budget": "Monthly budget"}


class ToldAdjustment(NamedTuple):
    """An adjustment in words: `+200.00 USD for today, until midnight`."""

    row: BudgetAdjustment
    sentence: str


class ComingLimits(NamedTuple):
    """What will apply from a coming local day on, in words: `80.00 USD a day`."""

    from_day: date
    sentence: str


class ToldChange(NamedTuple):
    """One change of a budget, a line for each thing that changed.

    `from_day` is None where it applied at once.
    """

    lines: list[str]
    from_day: date | None
    at: datetime
    by: str


class BudgetLine(NamedTuple):
    """A budget's row: what it is called, its bars, and what is not as usual with it, in words."""

    budget: Budget
    name: str
    gauges: Gauges
    notes: list[str]

    @property
    def level(self) -> str:
        """Whose it is: a brand's, a group's, a campaign's."""
        return BudgetKind(self.budget.kind).label


class BudgetCard(NamedTuple):
    """A budget as its page tells it; `mode_from` names the budget that it has its mode from."""

    budget: Budget
    mode: BudgetMode
    mode_from: str
    has_limit: bool
    limits: str
    adjustments: list[ToldAdjustment]
    coming: list[ComingLimits]
    changes: list[ToldChange]


def budget_card(budget: Budget, figures: Figures, *, now: datetime) -> BudgetCard:
    """Return what a page tells of a budget that comes with its brand and those above it.

    Two statements.
    """
    brand = budget.brand
    given = adjusting.in_force([budget], now=now).get(budget.id, [])
    changes = BudgetChange.objects.filter(budget=budget).order_by("-id")[:CHANGES_SHOWN]
    return BudgetCard(
        budget,
        effective_mode(budget),
        inherited_from(budget),
        _has_limit(figures),
        _limits_text(figures.limits, brand.currency),
        [ToldAdjustment(row, adjustment_sentence(row, brand, now=now)) for row in given],
        coming_limits(figures, brand.currency),
        told_changes(changes, brand),
    )


def _has_limit(figures: Figures) -> bool:
    return any(limit is not None for limit in figures.limits)


def _limits_text(limits: Limits, currency: str) -> str:
    """Tell what people set, before adjustments."""
    told = [
        _limit_text(limit, which, period, currency)
        for limit, which, period in (
            (limits.daily, "daily", "a day"),
            (limits.monthly, "monthly", "a month"),
        )
        if limit is not None
    ]
    return ", ".join(told) or "none"


def budget_lines(
    budgets: Iterable[Budget], figures: Mapping[UUID, Figures], *, now: datetime
) -> list[BudgetLine]:
    """Return the rows of budgets that come with their brands and those above them.

    It asks nothing of the database.
    """
    lines = []
    for budget in budgets:
        own, brand = figures.get(budget.id, NO_FIGURES), budget.brand
        bars = gauges(own, currency=brand.currency, pace=month_pace(brand.calendar, now=now))
        lines.append(BudgetLine(budget, budget_called(budget), bars, budget_notes(budget, own)))
    return lines


def budget_notes(budget: Budget, figures: Figures) -> list[str]:
    """Tell in a few words what is not as usual with a budget that comes with those above it."""
    if not _has_limit(figures):
        return []
    currency = budget.brand.currency
    notes = []
    mode = effective_mode(budget)
    if mode != BudgetMode.PAUSE_RESUME:
        notes.append(_MODE_NOTES[mode])
    if budget.stop_at != STOP_AT_MAX:
        notes.append(f"stops at {budget.stop_at} %")
    for period, when in ((Period.DAY, "today"), (Period.MONTH, "this month")):
        if added := figures.terms.adjusted_by(period):
            notes.append(f"{_signed(added, currency)} {when}")
    return notes


def inherited_from(budget: Budget) -> str:
    """Return the name of the budget above that gives this one its mode; "" where none does."""
    giver = mode_giver(budget)
    return "" if giver is None or giver == budget else budget_called(giver)


def budget_called(budget: Budget) -> str:
    """Return what people call a budget; a campaign's comes with its campaign."""
    match budget.kind:
        case BudgetKind.LEAF:
            return budget.campaign.name
        case BudgetKind.GROUP:
            return budget.name
        case _:
            return budget.brand.name


def page_of(budget: Budget) -> str:
    """Return the address of the page that shows a budget: its brand's, its own, its campaign's."""
    match budget.kind:
        case BudgetKind.LEAF:
            return reverse("portal:campaign", args=[budget.campaign.id])
        case BudgetKind.GROUP:
            return reverse("portal:group", args=[budget.id])
        case _:
            return reverse("portal:brand", args=[budget.brand_id])


def adjustment_sentence(row: BudgetAdjustment, brand: Brand, *, now: datetime) -> str:
    """Tell how much is added (or taken away) for what, and until when."""
    amount = _signed(row.amount, brand.currency)
    calendar = brand.calendar
    ends = adjusting.ends_at(row, calendar)
    start, today = row.period_start, calendar.today(now)
    if row.period == Period.MONTH:
        period = f"{start:%B}" if start.year == today.year else f"{start:%B %Y}"
    else:
        period = "today" if start == today else day_text(start)
    return f"{amount} for {period}, until {_until(ends, calendar, now=now)}"


def _signed(amount: Decimal, currency: str) -> str:
    return f"{'-' if amount < 0 else '+'}{show(abs(amount), currency)} {currency}"


def _until(at: datetime, calendar: Calendar, *, now: datetime) -> str:
    if at == calendar.next_day(now):
        return "midnight"
    local = calendar.local(at)
    if local.date() == calendar.today(now):
        return f"{local:%H:%M}"
    return f"{day_text(local.date())}, {local:%H:%M}"


def day_text(day: date) -> str:
    """Write a day with its year: `1 Dec 2026`."""
    return f"{day.day} {day:%b %Y}"


def coming_limits(figures: Figures, currency: str) -> list[ComingLimits]:
    """Return the limits of coming days; of each only what will be another."""
    told, before = [], figures.limits
    for from_day, limits in figures.terms.later:
        told.append(ComingLimits(from_day, _limits_sentence(before, limits, currency)))
        before = limits
    return told


def _limits_sentence(before: Limits, limits: Limits, currency: str) -> str:
    parts = []
    if limits.daily != before.daily or limits == before:
        parts.append(_limit_text(limits.daily, "daily", "a day", currency))
    if limits.monthly != before.monthly or limits == before:
        parts.append(_limit_text(limits.monthly, "monthly", "a month", currency))
    return ", ".join(parts)


def _limit_text(limit: Decimal | None, which: str, period: str, currency: str) -> str:
    return f"no {which} limit" if limit is None else f"{show(limit, currency)} {currency} {period}"


def told_changes(changes: Iterable[BudgetChange], brand: Brand) -> list[ToldChange]:
    """Tell who changed what, from what to what."""
    return [
        ToldChange(
            [
                _change_line(key, change.before[key], change.after[key], brand)
                for key in change.after
            ],
            change.from_day if change.from_day > brand.calendar.today(change.at) else None,
            change.at,
            change.by_label,
        )
        for change in changes
    ]


def _change_line(key: str, before: object, after: object, brand: Brand) -> str:
    if key in _CALLED:
        told = (_amount(limit, brand.currency) for limit in (before, after))
        return f"{_CALLED[key]}: {' → '.join(told)}"
    if key == "mode":
        return f"When it is spent: {_mode(before)} → {_mode(after)}"
    return f"Counts as spent from: {before} % → {after} %"


def _amount(limit: object, currency: str) -> str:
    """Write a limit that the history keeps as text."""
    return "no limit" if limit is None else f"{show(Decimal(str(limit)), currency)} {currency}"


def _mode(mode: object) -> str:
    return BudgetMode(str(mode)).label.lower() if mode else "as the budget above"
