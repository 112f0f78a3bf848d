"""Whether a schedule is open at an instant, and when that next changes. Pure.

A window is half-open in local wall-clock time and belongs to the weekday on which it starts. So
"open" depends on nothing but where in its week the wall clock stands, and a week is a circle.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple, Protocol

from kernel.local_time import Calendar

_SECOND = 1_000_000
DAY = 86_400 * _SECOND
WEEK = 7 * DAY
# A window that falls into the hour that does not exist is missed for that week, hardly ever twice.
_JUMPS_MAX = 8


class Hours(Protocol):
    """When a campaign may run, as the rules ask it."""

    @property
    def is_always_open(self) -> bool:
        """Whether it never closes, so that nobody need ask."""

    def is_open(self, position: "Position") -> bool:
        """Return whether it is open at the position."""

    def next_change(self, position: "Position") -> datetime | None:
        """Return the first instant after the position at which it opens or closes; None: never."""


class WindowLine(NamedTuple):
    """One active window: 0 = Monday … 6 = Sunday, local wall-clock times."""

    day_of_week: int
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """The union of a schedule's windows as edges on a week, in microseconds since Monday 00:00.

    Edges alternate: opens, closes, opens … None at all is always open.
    """

    edges: tuple[int, ...]
    is_always_open: bool

    def is_open(self, position: "Position") -> bool:
        """Return whether it is open at the position."""
        return self.is_open_at(position.week_time)

    def next_change(self, position: "Position") -> datetime | None:
        """Return the first instant after the position at which it opens or closes; None: never.

        Between two jumps of the wall clock (DST, a new zone) it runs evenly, so the next edge is
        plain arithmetic; at a jump the state is asked again.
        """
        if self.is_always_open:
            return None
        opened = self.is_open_at(position.week_time)
        for _ in range(_JUMPS_MAX):
            wait = self.until_flip(position.week_time, opened=opened)
            edge = None if wait is None else position.now + timedelta(microseconds=wait)
            if edge is not None and (position.jump is None or edge < position.jump):
                return edge
            if position.jump is None:
                return None
            position = Position.at(position.jump, position.calendar)
            if self.is_open_at(position.week_time) != opened:
                return position.now
        return None

    def is_open_at(self, at: int) -> bool:
        """Return whether the week's microsecond `at` is inside a window."""
        return self.is_always_open or bisect_right(self.edges, at) % 2 == 1

    def until_flip(self, at: int, *, opened: bool) -> int | None:
        """Return how many microseconds of wall clock after `at` the state is first not `opened`."""
        if self.is_always_open:
            return None
        start = bisect_right(self.edges, at)
        count = len(self.edges)
        for step in range(count + 1):
            turn, place = divmod(start + step, count)
            edge = self.edges[place] % WEEK
            if self.is_open_at(edge) != opened:
                return self.edges[place] + turn * WEEK - at
        return None


@lru_cache(maxsize=8192)
def weekly_hours(lines: tuple[WindowLine, ...]) -> WeeklyHours:
    """Return the union of active windows; overlapping and touching ones become one."""
    if not lines:
        return WeeklyHours((), is_always_open=True)
    spans = sorted(_linear_spans(lines))
    merged: list[list[int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    if merged == [[0, WEEK]]:
        return WeeklyHours((), is_always_open=True)
    return WeeklyHours(tuple(edge for span in merged for edge in span), is_always_open=False)


def _linear_spans(lines: Iterable[WindowLine]) -> Iterable[tuple[int, int]]:
    """Cut the windows into spans within one week; a Sunday night's tail is Monday's morning."""
    for line in lines:
        midnight = line.day_of_week * DAY
        start, end = (midnight + at for at in day_span(line.start, line.end))
        yield start, min(end, WEEK)
        if end > WEEK:
            yield 0, end - WEEK


def day_span(start: time, end: time) -> tuple[int, int]:
    """Return a window as microseconds since its day's midnight; past DAY is the next morning."""
    assert start != end, "a window has a length"
    first, last = since_midnight(start), since_midnight(end)
    return first, last if last > first else last + DAY


def since_midnight(at: time) -> int:
    """Return a wall clock's time in microseconds."""
    return ((at.hour * 60 + at.minute) * 60 + at.second) * _SECOND + at.microsecond


def _week_time(local: datetime) -> int:
    return local.weekday() * DAY + since_midnight(local.time())


class Position(NamedTuple):
    """Where an instant stands in a brand's week, worked out once for all of its schedules.

    `week_time`: microseconds since Monday 00:00; `jump`: when the wall clock next does not run
    evenly.
    """

    now: datetime
    week_time: int
    jump: datetime | None
    calendar: Calendar

    @classmethod
    def at(cls, now: datetime, calendar: Calendar) -> "Position":
        return cls(now, _week_time(calendar.local(now)), calendar.next_offset_change(now), calendar)


def is_open(hours: Hours, calendar: Calendar, *, now: datetime) -> bool:
    """Return whether the schedule is open at the instant `now`."""
    return hours.is_always_open or hours.is_open(Position.at(now, calendar))
