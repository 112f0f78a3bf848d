"""When a campaign may run in the coming days, each local date as a strip of its wall clock.

A date is drawn from 0 to 24 whatever its length. Hours that do not exist on it and hours that come
twice are drawn as such: what is open depends on the wall clock alone, so both times look the same.
Two statements for any campaign.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from campaigns.models import Campaign
from campaigns.timeline import Interval, timeline
from dayparting.models import ScheduleException
from dayparting.sentences import told_time
from dayparting.windows import DAY, since_midnight
from kernel.local_time import Calendar

DAYS = 7
_SECOND = 1_000_000
_TICK = timedelta(microseconds=1)
_ONE_DAY = timedelta(days=1)


class Stretch(NamedTuple):
    """`[start, end)` of a wall clock's day, in whole seconds since its midnight."""

    start: int
    end: int

    @property
    def width(self) -> int:
        return self.end - self.start

    @property
    def told(self) -> str:
        return f"{_told(self.start)}–{_told(self.end)}"


class DayStrip(NamedTuple):
    """A local date. `now` is the second of the marker, on today's strip only."""

    day: date
    open: list[Stretch]
    skipped: list[Stretch]
    twice: list[Stretch]
    is_exception: bool
    now: int | None
    told: str
    notes: list[str]


def coming_days(campaign: Campaign, *, now: datetime) -> list[DayStrip]:
    """Return today and the days after it, of a campaign that comes with its brand."""
    calendar = campaign.brand.calendar
    today = calendar.today(now)
    days = [today + timedelta(days=count) for count in range(DAYS)]
    start, end = calendar.day_start(today), calendar.day_start(days[-1] + _ONE_DAY)
    intervals = timeline(campaign, start=start, end=end)
    schedule_id = campaign.shared_schedule_id or campaign.schedule_id
    rows = ScheduleException.objects.filter(
        schedule_id=schedule_id, day__gte=today, day__lte=days[-1]
    )
    exceptions = {row.day: row for row in rows}
    strips = []
    for day in days:
        exception = exceptions.get(day)
        strip = day_strip(day, intervals, calendar)
        notes = [*_flight_notes(campaign, day), *_exception_notes(exception), *strip.notes]
        marker = _seconds(calendar.local(now)) if day == today else None
        strips.append(strip._replace(notes=notes, is_exception=exception is not None, now=marker))
    return strips


def day_strip(day: date, intervals: Iterable[Interval], calendar: Calendar) -> DayStrip:
    """Return a date's strip from the instants at which a campaign may run. Pure."""
    even = _even_stretches(day, calendar)
    whole = [_on_the_wall(start, end, calendar) for start, end in even]
    parts = [
        _on_the_wall(max(start, piece.start), min(end, piece.end), calendar)
        for start, end in even
        for piece in intervals
        if max(start, piece.start) < min(end, piece.end)
    ]
    opened, skipped, twice = _union(parts), _gaps(_union(whole)), _overlaps(whole)
    return DayStrip(
        day,
        opened,
        skipped,
        twice,
        is_exception=False,
        now=None,
        told=_told_open(opened, _union(whole)),
        notes=_clock_notes(day, skipped, twice, calendar),
    )


def _even_stretches(day: date, calendar: Calendar) -> list[tuple[datetime, datetime]]:
    """Cut a local date where its clock jumps; a date that is skipped has no stretch."""
    start, end = calendar.day_start(day), calendar.day_start(day + _ONE_DAY)
    edges = [start]
    jump = calendar.next_offset_change(start)
    while jump is not None and jump < end:
        edges.append(jump)
        jump = calendar.next_offset_change(jump)
    return list(pairwise([*edges, end])) if start < end else []


def _on_the_wall(start: datetime, end: datetime, calendar: Calendar) -> Stretch:
    """Return what the clock shows from `start` to `end`, between which it runs evenly."""
    last = since_midnight(calendar.local(end - _TICK).time()) + 1
    return Stretch(_seconds(calendar.local(start)), last // _SECOND)


def _seconds(local: datetime) -> int:
    return since_midnight(local.time()) // _SECOND


def _union(stretches: Iterable[Stretch]) -> list[Stretch]:
    merged: list[Stretch] = []
    for stretch in sorted(stretches):
        if merged and stretch.start <= merged[-1].end:
            merged[-1] = Stretch(merged[-1].start, max(merged[-1].end, stretch.end))
        else:
            merged.append(stretch)
    return merged


def _gaps(merged: Sequence[Stretch]) -> list[Stretch]:
    """Return what of a day lies in none of the stretches, which are in order and do not touch."""
    edges = [Stretch(0, 0), *merged, Stretch(DAY // _SECOND, DAY // _SECOND)]
    return [Stretch(a.end, b.start) for a, b in pairwise(edges) if a.end < b.start]


def _overlaps(stretches: Sequence[Stretch]) -> list[Stretch]:
    found = [
        Stretch(max(one.start, other.start), min(one.end, other.end))
        for place, one in enumerate(stretches)
        for other in stretches[place + 1 :]
    ]
    return _union(each for each in found if each.start < each.end)


def _told(seconds: int) -> str:
    """Write the time of day, and the day's end as 24:00."""
    if seconds == DAY // _SECOND:
        return "24:00"
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return told_time(time(hour, minute, second))


def _told_open(opened: Sequence[Stretch], whole: Sequence[Stretch]) -> str:
    if not opened:
        return "closed"
    return "all day" if opened == whole else ", ".join(each.told for each in opened)


def _flight_notes(campaign: Campaign, day: date) -> list[str]:
    if campaign.start_date is not None and day < campaign.start_date:
        return ["before its first day"]
    if campaign.end_date is not None and day > campaign.end_date:
        return ["after its last day"]
    return []


def _exception_notes(exception: ScheduleException | None) -> list[str]:
    if exception is None:
        return []
    return [f"exception: {exception.note}" if exception.note else "exception"]


def _clock_notes(
    day: date, skipped: Sequence[Stretch], twice: Sequence[Stretch], calendar: Calendar
) -> list[str]:
    """Tell what the clock does on a date, and why: DST, or the brand's new zone."""
    notes = [f"{each.told} does not exist" for each in skipped]
    notes += [f"{each.told} comes twice" for each in twice]
    turn, start = calendar.since, calendar.day_start(day)
    if turn is not None and start <= turn <= calendar.day_start(day + _ONE_DAY):
        if notes:
            notes[0] += f", since the zone changes to {calendar.zone}"
        elif start == turn:
            notes.append(f"in {calendar.zone} from here on")
        return notes
    if skipped:
        notes[0] += ", since the clock goes forward"
    elif twice:
        notes[0] += ", since the clock goes back"
    return notes
