"""What the clocks of the tz database do, asked of plain zoneinfo: nothing of the product's is used.

Zones whose clocks show the same throughout the years are one rule: what holds in one of them holds
in all.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

MINUTE = timedelta(minutes=1)
ONE_DAY = timedelta(days=1)
# No zone changes its clock twice within it.
STEP = timedelta(hours=6)


@dataclass(frozen=True)
class Jump:
    """An instant at which a wall clock does not run evenly: what it would show, and what it does.

    Both are naive. A midnight that is nothing but a midnight shows the same before and after.
    """

    at: datetime
    before: datetime
    after: datetime


@dataclass(frozen=True)
class Rule:
    """The zones whose clocks are the same, and the jumps of these clocks."""

    names: tuple[str, ...]
    jumps: tuple[Jump, ...]

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.names[0])


def all_names() -> list[str]:
    """Every zone of the tz database that has a place or a meaning of its own."""
    names = available_timezones() - {"Factory", "localtime", "posixrules"}
    return sorted(name for name in names if not name.startswith(("posix/", "right/")))


def rules_of(names: list[str], years: range, *, step: timedelta = STEP) -> list[Rule]:
    """Group zones by what their clocks show in all of the years."""
    start, end = (datetime(year, 1, 1, tzinfo=UTC) for year in (years.start, years.stop))
    instants = [start + step * turn for turn in range((end - start) // step + 1)]
    same: dict[tuple[timedelta, tuple[Jump, ...]], list[str]] = defaultdict(list)
    for name in names:
        tz = ZoneInfo(name)
        same[offset(start, tz), tuple(_jumps(instants, tz))].append(name)
    return [Rule(tuple(found), jumps) for (_, jumps), found in same.items()]


def _jumps(instants: list[datetime], tz: ZoneInfo) -> Iterator[Jump]:
    low, known = instants[0], offset(instants[0], tz)
    for high in instants[1:]:
        if (new := offset(high, tz)) != known:
            at = _first_second(low, high, tz)
            yield Jump(at, wall(at, known), wall(at, new))
            known = new
        low = high


def _first_second(low: datetime, high: datetime, tz: ZoneInfo) -> datetime:
    known, first, last = offset(low, tz), int(low.timestamp()), int(high.timestamp())
    while last - first > 1:
        middle = (first + last) // 2
        if offset(datetime.fromtimestamp(middle, UTC), tz) == known:
            first = middle
        else:
            last = middle
    return datetime.fromtimestamp(last, UTC)


def offset(at: datetime, tz: ZoneInfo) -> timedelta:
    """How far a zone is ahead of UTC at an instant."""
    found = at.astimezone(tz).utcoffset()
    assert found is not None
    return found


def wall(at: datetime, ahead: timedelta) -> datetime:
    """What a clock shows, without its zone."""
    return (at + ahead).replace(tzinfo=None)


def midnight(tz: ZoneInfo, day: date) -> Jump:
    """The first instant of a local day, as the place to look around."""
    at = first_instant(tz, day)
    shown = at.astimezone(tz).replace(tzinfo=None)
    return Jump(at, shown, shown)


def first_instant(tz: ZoneInfo, day: date) -> datetime:
    """The first instant at which a zone's date is `day` or later, found by walking the minutes."""
    at = datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC)
    # Wherever the guess is, the date before it begins at most two days earlier.
    if not (date_at(at - timedelta(microseconds=1), tz) < day <= date_at(at, tz)):
        at -= 2 * ONE_DAY
        while date_at(at, tz) < day:
            at += MINUTE
    return at


def date_at(at: datetime, tz: ZoneInfo) -> date:
    return at.astimezone(tz).date()
