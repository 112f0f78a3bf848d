"""Open or closed, from the words of the design and not from the code: no edges, no arithmetic.

It is asked of a wall clock, minute by minute, and knows nothing of what comes before or after.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

Span = tuple[time, time]
_ONE_DAY = timedelta(days=1)


class Timetable(NamedTuple):
    """Windows by weekday (0 = Monday), and dates with hours of their own (none: closed)."""

    lines: Sequence[tuple[int, time, time]]
    exceptions: Mapping[date, Sequence[Span]] = {}

    def is_open(self, local: datetime) -> bool:
        """Whether a wall clock is inside; an exception rules its date, whatever the week says."""
        day, clock = local.date(), local.time()
        if day in self.exceptions:
            return any(_shows(span, clock) for span in self.exceptions[day])
        if not self.lines:
            return True
        own = any(_shows(span, clock) for span in self._starting_on(day))
        return own or any(_reaches(span, clock) for span in self._starting_on(day - _ONE_DAY))

    def _starting_on(self, day: date) -> Iterable[Span]:
        if day in self.exceptions:
            return self.exceptions[day]
        return [(start, end) for weekday, start, end in self.lines if weekday == day.weekday()]


def _shows(span: Span, clock: time) -> bool:
    """Whether a time is within a window on the window's own date."""
    start, end = span
    return start <= clock < end if start < end else start <= clock


def _reaches(span: Span, clock: time) -> bool:
    """Whether it is within what a window leaves in the next morning."""
    start, end = span
    return end < start and clock < end
