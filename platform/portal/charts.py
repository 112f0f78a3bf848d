"""The geometry of the charts. Pure: numbers in, whole SVG units out; templates draw them.

The drawings are stretched to the width that a page has, so no text lies in them: labels are HTML.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from dayparting.models import Weekday, Window
from dayparting.sentences import told_hours
from kernel.money import show

from .gauges import Gauge, Level
from .series import DayFigures

SLOT_WIDTH = 20
BAR_WIDTH = 14
CHART_HEIGHT = 200
DAY_MINUTES = 24 * 60
_STEPS_MAX = 5


class Bar(NamedTuple):
    """A day's bar; `label` is what it says, `slot` the left edge of the day's column."""

    day: date
    slot: int
    x: int
    y: int
    height: int
    level: Level
    label: str
    is_today: bool
    # The day's number, where the axis shows one.
    tick: str


@dataclass(frozen=True, slots=True)
class MonthChart:
    """Daily spend as bars, the daily limit as a stepped line, both on one scale from zero."""

    bars: list[Bar]
    limit_path: str
    width: int
    # From the top down.
    scale: list[str]
    rules: list[int]
    monthly_only: str
    is_empty: bool


def month_chart(series: Sequence[DayFigures], *, currency: str, today: date) -> MonthChart:
    """Return the chart of a month; amounts are in `currency`."""
    values = [figures.amount for figures in series]
    limits = [figures.limit for figures in series if figures.limit is not None]
    step, count = scale_of(max([*values, *limits], default=Decimal(0)))
    top = step * count
    monthly_only = sum((figures.monthly_only for figures in series), Decimal(0))
    return MonthChart(
        bars=list(_bars(series, top, currency=currency, today=today)),
        limit_path=_limit_path(series, top),
        width=SLOT_WIDTH * len(series),
        scale=[_scale_label(step * place) for place in range(count, -1, -1)],
        rules=[CHART_HEIGHT * place // count for place in range(count + 1)],
        monthly_only=f"{show(monthly_only, currency)} {currency}" if monthly_only else "",
        is_empty=not any(values) and not monthly_only,
    )


def _bars(
    series: Sequence[DayFigures], top: Decimal, *, currency: str, today: date
) -> Iterator[Bar]:
    for place, figures in enumerate(series):
        gauge = Gauge(figures.amount, figures.limit, currency)
        height = _height(figures.amount, top)
        day = figures.day
        yield Bar(
            day=day,
            slot=place * SLOT_WIDTH,
            x=place * SLOT_WIDTH + (SLOT_WIDTH - BAR_WIDTH) // 2,
            y=CHART_HEIGHT - height,
            height=height,
            level=gauge.level,
            label=f"{day:%a} {day.day} {day:%b}: {gauge.sentence}",
            is_today=day == today,
            tick=str(day.day) if day.day == 1 or day.day % 5 == 0 else "",
        )


def _height(amount: Decimal, top: Decimal) -> int:
    """Return a bar's height; a day that gave money back has none, one that spent anything shows."""
    if amount <= 0:
        return 0
    return max(2, int(CHART_HEIGHT * amount / top))


def _limit_path(series: Sequence[DayFigures], top: Decimal) -> str:
    """Return the limit as an SVG path: a step where it changed, a gap where there was none."""
    parts: list[str] = []
    known: Decimal | None = None
    for place, figures in enumerate(series):
        if figures.limit is not None:
            y = CHART_HEIGHT - int(CHART_HEIGHT * figures.limit / top)
            if known is None:
                parts.append(f"M{place * SLOT_WIDTH} {y}")
            elif known != figures.limit:
                parts.append(f"V{y}")
            parts.append(f"H{(place + 1) * SLOT_WIDTH}")
        known = figures.limit
    return " ".join(parts)


def scale_of(highest: Decimal) -> tuple[Decimal, int]:
    """Return the step of a scale, a round number, and how many of them reach above `highest`."""
    if highest <= 0:
        return Decimal(1), 1
    # A little air, so that neither a bar nor the limit's line touches the top.
    wanted = highest * Decimal("1.04")
    least = wanted / _STEPS_MAX
    power = Decimal(1).scaleb(least.adjusted())
    rounds = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
    step = next(power * factor for factor in rounds if power * factor >= least)
    return step, math.ceil(wanted / step)


def _scale_label(value: Decimal) -> str:
    """Write a number of the scale briefly: 12.5k, 3M."""
    for unit, name in ((Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(10**3), "k")):
        if value >= unit:
            return f"{(value / unit).normalize():f}{name}"
    return f"{value.normalize():f}"


class Span(NamedTuple):
    """A window, or the part of one that lies in a day: minutes from the day's midnight."""

    x: int
    width: int
    is_active: bool
    label: str


class WeekRow(NamedTuple):
    """A weekday of the timetable; `now` is the minute of the marker, on today's row only."""

    weekday: int
    name: str
    spans: list[Span]
    now: int | None


def week_timetable(windows: Iterable[Window], *, local_now: datetime | None) -> list[WeekRow]:
    """Return the seven rows of a week; what crosses midnight goes on in the next day's row.

    Without `local_now` it is the week of no brand in particular, and nothing in it is now.
    """
    days: list[list[Span]] = [[] for _ in Weekday]
    for window in windows:
        start, end = _minute(window.start_time), _minute(window.end_time)
        label = told_hours(window.start_time, window.end_time)
        if not window.is_active:
            label += " (off)"
        tail = 0 if start < end or end == 0 else end
        end = end if start < end else DAY_MINUTES
        day = window.day_of_week
        days[day].append(Span(start, end - start, window.is_active, label))
        if tail:
            after = f"{label} of {Weekday(day).label}"
            days[(day + 1) % 7].append(Span(0, tail, window.is_active, after))
    return [
        WeekRow(
            day.value,
            day.label,
            sorted(days[day.value]),
            _minute(local_now.time()) if local_now and local_now.weekday() == day.value else None,
        )
        for day in Weekday
    ]


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def pick_month(asked: date | None, *, today: date) -> tuple[date, date, date | None]:
    """Return the month to show, the one before, and the one after unless that lies ahead."""
    month = (asked or today).replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    after = (month + timedelta(days=32)).replace(day=1)
    return month, before, after if after <= today else None
