"""Windows, exceptions and times of day in words."""

from collections.abc import Iterable
from datetime import time

from .models import ScheduleException, Weekday, Window


def told_time(at: time) -> str:
    """Write a time of day: `09:00`, and `09:00:30` where there are seconds."""
    return at.isoformat("seconds" if at.second else "minutes")


def told_hours(start: time, end: time) -> str:
    """Write a window: `09:00–18:00`."""
    return f"{told_time(start)}–{told_time(end)}"


def exception_hours(exception: ScheduleException) -> str:
    """Tell the hours of an exception's day: `10:00–14:00, 22:00–02:00`, or `closed`."""
    pairs = zip(exception.starts, exception.ends, strict=True)
    return ", ".join(told_hours(*pair) for pair in pairs) or "closed"


def weekly(windows: Iterable[Window]) -> str:
    """Tell a schedule's active windows: `Mon–Fri 09:00–18:00, Sat 10:00–14:00`."""
    days: dict[tuple[time, time], set[int]] = {}
    for window in windows:
        if window.is_active:
            days.setdefault((window.start_time, window.end_time), set()).add(window.day_of_week)
    lines = sorted((min(on), start, end, on) for (start, end), on in days.items())
    told_lines = [f"{_days(on)} {told_time(start)}–{told_time(end)}" for _, start, end, on in lines]
    return ", ".join(told_lines) or "Always"


def _days(days: set[int]) -> str:
    """Tell days of the week: runs of three or more as a span."""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    names = [
        f"{_day(run[0])}–{_day(run[-1])}" if len(run) > 2 else " ".join(map(_day, run))
        for run in runs
    ]
    return " ".join(names)


def _day(day: int) -> str:
    return Weekday(day).label[:3]
