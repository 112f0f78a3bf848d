"""Every "why" has an answer in one sentence. Pure."""

from datetime import datetime
from typing import NamedTuple

from budgets.models import STOP_AT_MAX, BudgetMode
from kernel.local_time import Calendar
from kernel.money import show

from .models import WAITS, Hold, Reason


class Surroundings(NamedTuple):
    """What a hold's sentence is told in: its budget's name, the brand's currency and calendar."""

    budget_name: str
    currency: str
    calendar: Calendar


def hold_sentence(hold: Hold, around: Surroundings, *, now: datetime) -> str:
    """Tell why the campaign is held, on which numbers, and what brings it back."""
    since = _clock(hold.placed_at, around.calendar, now=now)
    if hold.mode == BudgetMode.ALERT_ONLY:
        return f"Since {since}: {_why(hold, around)}. Its budget only alerts, so it runs on."
    return f"Paused since {since}: {_why(hold, around)}. {_end(hold, around.calendar, now=now)}"


def _why(hold: Hold, around: Surroundings) -> str:
    match hold.reason:
        case Reason.DAILY_BUDGET | Reason.MONTHLY_BUDGET:
            period = "daily" if hold.reason == Reason.DAILY_BUDGET else "monthly"
            assert hold.spent is not None
            assert hold.limit is not None
            spent, limit = (
                show(hold.spent, around.currency),
                show(hold.limit, around.currency),
            )
            return (
                f"{period} budget of {around.budget_name} spent,"
                f" {spent} of {limit} {around.currency}{_parts(hold, around)}"
            )
        case Reason.DAYPART:
            return "outside its hours"
        case Reason.FLIGHT:
            return "its flight has not started" if hold.until else "its flight has ended"
        case _:
            note = f" ({hold.note})" if hold.note else ""
            return f"paused by {hold.placed_by_label}{note}"


def _parts(hold: Hold, around: Surroundings) -> str:
    """Tell what made the limit of the hold another than its budget's own, if anything did."""
    parts = []
    if hold.adjusted_by:
        sign = "+" if hold.adjusted_by > 0 else "-"
        amount = show(abs(hold.adjusted_by), around.currency)
        parts.append(f"adjusted by {sign}{amount}")
    if hold.stop_at != STOP_AT_MAX:
        parts.append(f"stops at {hold.stop_at} %")
    return f" ({', '.join(parts)})" if parts else ""


def _end(hold: Hold, calendar: Calendar, *, now: datetime) -> str:
    if hold.released_at is not None:
        return (
            f"Released {_clock(hold.released_at, calendar, now=now)} by {hold.released_by_label}."
        )
    if hold.reason == Reason.MANUAL:
        return "Resumes when a person resumes it."
    if hold.origin == WAITS:
        period = "day" if hold.reason == Reason.DAILY_BUDGET else "month"
        return f"Its {period} is over; resumes when a person resumes it."
    if hold.mode == BudgetMode.PAUSE and hold.until is None:
        period = "day" if hold.reason == Reason.DAILY_BUDGET else "month"
        return f"Resumes when the budget is raised; after its {period}, when a person resumes it."
    if hold.until is None:
        if hold.reason in (Reason.DAILY_BUDGET, Reason.MONTHLY_BUDGET):
            return "Resumes when the budget is raised."
        return "Does not resume by itself."
    zone = calendar.zone_at(hold.until)
    return f"Resumes {_clock(hold.until, calendar, now=now)} {zone}."


def _clock(at: datetime, calendar: Calendar, *, now: datetime) -> str:
    """Write an instant on the brand's wall clock; with its date where that is not plain."""
    local, today = calendar.local(at), calendar.today(now)
    clock = f"{local:%H:%M}"
    days = (local.date() - today).days
    # The coming midnight needs no date: "Resumes 00:00".
    if days == 0 or (days == 1 and clock == "00:00"):
        return clock
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local.day} {local:%b}{year} {clock}"
