"""The days and months of a calendar, and its changes of zone, against a walk over the minutes."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from kernel.errors import InvalidValue
from kernel.local_time import Calendar
from tests.zones.rules import MINUTE, ONE_DAY, date_at, first_instant
from tests.zones.tally import Tally

_TICK = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)


def compare_days(tz: ZoneInfo, first: date, last: date, tally: Tally) -> None:
    """Ask of each day where it begins, and from its first and last instant for the next day and the
    next month: the instant before each shows an earlier date, and it itself shows none earlier."""
    calendar = Calendar(tz.key)
    day = first
    while day <= last:
        tally.days += 1
        start, after = calendar.day_start(day), calendar.day_start(day + ONE_DAY)
        if not _begins(start, day, tz):
            tally.wrong.append(f"{tz.key} {day} begins {start}")
        # A day that is skipped begins with the one after it, and has no instant of its own.
        for at in (start, after - _TICK) if start < after else ():
            _compare_turns(calendar, tz, at, tally)
        day += ONE_DAY


def _compare_turns(calendar: Calendar, tz: ZoneInfo, at: datetime, tally: Tally) -> None:
    today = date_at(at, tz)
    month = (today.replace(day=1) + 31 * ONE_DAY).replace(day=1)
    asked = {
        "today": calendar.today(at) == today,
        "next day": _begins(calendar.next_day(at), today + ONE_DAY, tz),
        "next month": _begins(calendar.next_month(at), month, tz),
    }
    tally.wrong += [f"{tz.key} {at} {name}" for name, is_right in asked.items() if not is_right]


def _begins(at: datetime, day: date, tz: ZoneInfo) -> bool:
    return date_at(at - _TICK, tz) < day <= date_at(at, tz)


def compare_minutes(tz: ZoneInfo, around: datetime, reach: timedelta, tally: Tally) -> None:
    """Ask for each minute which day it is and when the next one begins: at the first later minute
    that shows a later date."""
    calendar = Calendar(tz.key)
    start = around.replace(second=0, microsecond=0) - reach
    count = 2 * (reach // MINUTE)
    instants = [start + MINUTE * number for number in range(count + 1)]
    dates = [date_at(at, tz) for at in instants]
    turns: list[datetime | None] = [None] * len(dates)
    for place in range(count - 1, -1, -1):
        is_turn = dates[place + 1] > dates[place]
        turns[place] = instants[place + 1] if is_turn else turns[place + 1]
    for at, shown, turn in zip(instants, dates, turns, strict=True):
        tally.minutes += 1
        found = calendar.next_day(at)
        is_right = found > instants[-1] if turn is None else found == turn
        if calendar.today(at) != shown or not is_right:
            tally.wrong.append(f"{tz.key} {at} today={calendar.today(at)} next={found}")


def compare_moves(old: ZoneInfo, new: ZoneInfo, now: datetime, tally: Tally) -> None:
    """Ask when a new zone takes effect that is chosen at an instant, and then, hour by hour over
    that instant, which day it is: no day may come back."""
    tally.moves += 1
    since = midnight_after(old, new, now)
    expected = None if since is None else Calendar(new.key, zone_before=old.key, since=since)
    try:
        moved = Calendar(old.key).moved_to(new.key, now=now)
    except InvalidValue:
        moved = None
    if moved != expected:
        tally.wrong.append(f"{old.key} -> {new.key} {now} {moved} not since {since}")
    elif moved is None:
        tally.refused += 1
    else:
        assert since is not None
        _compare_labels(moved, old, new, now, since, tally)


def _compare_labels(
    moved: Calendar, old: ZoneInfo, new: ZoneInfo, now: datetime, since: datetime, tally: Tally
) -> None:
    hours = (since - now) // _HOUR + 30
    instants = sorted({now + _HOUR * hour for hour in range(hours)} | {since - _TICK, since})
    shown = [date_at(at, old if at < since else new) for at in instants]
    if shown != sorted(shown) or [moved.today(at) for at in instants] != shown:
        tally.wrong.append(f"{old.key} -> {new.key} {now} days {shown}")
    for (at, day), (_, later) in pairwise(zip(instants, shown, strict=True)):
        turn = moved.next_day(at)
        before = date_at(turn - _TICK, old if turn - _TICK < since else new)
        after = date_at(turn, old if turn < since else new)
        if not (at < turn and before == day < after) or later < day:
            tally.wrong.append(f"{old.key} -> {new.key} {now} next day of {at}: {turn}")


def midnight_after(old: ZoneInfo, new: ZoneInfo, now: datetime) -> datetime | None:
    """The new zone's first midnight after `now` whose date is not before the old zone's until then;
    None where none of the next three is, as in a zone more than a day behind."""
    day = date_at(now, new)
    for _ in range(3):
        day += ONE_DAY
        at = _first_instant(new, day)
        if at > now and date_at(at, new) >= date_at(at - _TICK, old):
            return at
    return None


_first_instant = lru_cache(maxsize=None)(first_instant)


def lost_days(tz: ZoneInfo, instants: Iterable[datetime]) -> list[date]:
    """The dates that a clock never shows, because it jumps over them at one of the instants."""
    lost = []
    for at in instants:
        day, after = date_at(at - _TICK, tz) + ONE_DAY, date_at(at, tz)
        while day < after:
            lost.append(day)
            day += ONE_DAY
    return lost
