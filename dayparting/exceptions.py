"""Days on which a week's windows do not count: closed ones, and ones with hours of their own. Pure.

On the date of an exception only its hours count: not the windows that start on that weekday, nor
the tail that the night before would have left there. Hours that cross midnight belong to the date
on which they start, and reach into the next morning unless that date is an exception too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from kernel.local_time import Calendar

from .windows import (
    DAY,
    Position,
    WeeklyHours,
    WindowLine,
    day_span,
    since_midnight,
    weekly_hours,
)

# Microseconds since a date's midnight; past DAY is the next morning.
Span = tuple[int, int]
_ONE_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class DatedHours:
    """A week's windows with exceptions by date (no spans: closed on that day)."""

    weekly: WeeklyHours
    # By weekday, 0 = Monday.
    spans: tuple[tuple[Span, ...], ...]
    exceptions: Mapping[date, tuple[Span, ...]]
    # Many campaigns share one schedule, and are asked about at the same instant.
    _changes: dict[tuple[datetime, Calendar], datetime | None] = field(
        default_factory=dict, compare=False
    )

    @property
    def is_always_open(self) -> bool:
        """An exception may close it, so it has to be asked."""
        return False

    def is_open(self, position: Position) -> bool:
        """Return whether it is open at the position."""
        local = position.calendar.local(position.now)
        day, at = local.date(), since_midnight(local.time())
        own = self.exceptions.get(day)
        if own is not None:
            return _is_inside(own, at)
        if self.weekly.is_always_open:
            return True
        tail = self._starting_on(day - _ONE_DAY)
        return _is_inside(self._starting_on(day), at) or _is_inside(tail, at + DAY)

    def next_change(self, position: Position) -> datetime | None:
        """Return the first instant after the position at which it opens or closes; None: never.

        Away from the exceptions (and the mornings after them) the week tells. Near them each
        instant at which the wall clock meets an edge, or jumps, is asked.
        """
        key = (position.now, position.calendar)
        if key not in self._changes:
            self._changes[key] = self._next_change(position)
        return self._changes[key]

    def _next_change(self, position: Position) -> datetime | None:
        calendar = position.calendar
        today = calendar.today(position.now)
        days = self._days_concerned(today)
        if not days or today < days[0]:
            change = self.weekly.next_change(position)
            if not days or (change is not None and change < calendar.day_start(days[0])):
                return change
        opened, day = self.is_open(position), days[0]
        while day <= days[-1]:
            for at in self._candidates(day, calendar):
                if at > position.now and self.is_open(Position.at(at, calendar)) != opened:
                    return at
            day += _ONE_DAY
        after = Position.at(calendar.day_start(day), calendar)
        return after.now if self.weekly.is_open(after) != opened else self.weekly.next_change(after)

    def _days_concerned(self, today: date) -> list[date]:
        """The dates from `today` on that are exceptions, or the morning after one."""
        dates = set(self.exceptions) | {day + _ONE_DAY for day in self.exceptions}
        return sorted(day for day in dates if day >= today)

    def _starting_on(self, day: date) -> Sequence[Span]:
        own = self.exceptions.get(day)
        if own is not None:
            return own
        return ((0, DAY),) if self.weekly.is_always_open else self.spans[day.weekday()]

    def _candidates(self, day: date, calendar: Calendar) -> list[datetime]:
        """The instants of a date at which something may change: its edges, its jumps, its start."""
        start, end = calendar.day_start(day), calendar.day_start(day + _ONE_DAY)
        found = {start}
        jump = calendar.next_offset_change(start - _TICK)
        while jump is not None and jump < end:
            found.add(jump)
            jump = calendar.next_offset_change(jump)
        edges = {edge for span in self._starting_on(day) for edge in span}
        edges |= {
            edge - DAY for span in self._starting_on(day - _ONE_DAY) for edge in span if edge > DAY
        }
        zones = {calendar.zone_at(start), calendar.zone_at(end - _TICK)}
        for edge in edges:
            if edge < DAY:
                found.update(_instants(day, edge, zones))
        return sorted(at for at in found if start <= at < end)


def _instants(day: date, edge: int, zones: Iterable[str]) -> Iterator[datetime]:
    """The instants at which a wall clock shows a date's time: twice where the hour comes twice."""
    shown = datetime(day.year, day.month, day.day) + timedelta(microseconds=edge)  # noqa: DTZ001
    for zone in zones:
        for fold in (0, 1):
            yield shown.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def _is_inside(spans: Iterable[Span], at: int) -> bool:
    return any(start <= at < end for start, end in spans)


def dated_hours(
    lines: tuple[WindowLine, ...], exceptions: Mapping[date, Sequence[Span]]
) -> WeeklyHours | DatedHours:
    """Return the union of active windows, with its exceptions by date."""
    weekly = weekly_hours(lines)
    if not exceptions:
        return weekly
    spans: list[list[Span]] = [[] for _ in range(7)]
    for line in lines:
        spans[line.day_of_week].append(day_span(line.start, line.end))
    return DatedHours(
        weekly,
        tuple(tuple(each) for each in spans),
        {day: tuple(own) for day, own in exceptions.items()},
    )
