"""`is_open` and `next_change` against a table of minutes around a place in time."""

import random
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from dayparting.exceptions import dated_hours
from dayparting.windows import Hours, Position, WindowLine, day_span, is_open
from kernel.local_time import Calendar
from tests.dayparting.table import Timetable
from tests.zones.rules import MINUTE, ONE_DAY, Jump
from tests.zones.tally import Tally

_TICK = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)
_DAILY = [(day, time(6), time(20)) for day in range(7)]
_NIGHTS = [(day, time(22), time(2)) for day in range(7)]


def timetables(jump: Jump) -> list[Timetable]:
    """Timetables whose edges lie where a clock jumps: in the hour that is lost or comes twice, up
    to it, from it on, over it; by weekday and by date; and some that chance has made."""
    low, high = sorted((jump.before, jump.after))
    if low == high:
        low, high = low - _HOUR, low + _HOUR
    # After the full hours, not before: where a clock goes back, that would close for seconds only,
    # which no table of minutes shows.
    seconds = timedelta(seconds=30)
    spans = [
        (low, high),
        (low - 1.5 * _HOUR, low),
        (high, high + 1.5 * _HOUR),
        (low - _HOUR + seconds, high + _HOUR + seconds),
    ]
    # Longer than a day where a whole day is skipped, which no window is.
    spans = [(start, end) for start, end in spans if end - start < ONE_DAY]
    found = [Timetable([(start.weekday(), start.time(), end.time())]) for start, end in spans]
    found += [
        Timetable(_DAILY, {start.date(): [(start.time(), end.time())]}) for start, end in spans
    ]
    found += [
        Timetable(
            [(jump.after.weekday(), time(0), time(7)), (jump.after.weekday(), time(7), time(0))]
        ),
        Timetable(_NIGHTS, {jump.after.date(): []}),
        Timetable([], {low.date(): [], high.date() + ONE_DAY: [(time(0), time(1))]}),
    ]
    return [*found, *(_by_chance(jump, number) for number in range(3))]


def _by_chance(jump: Jump, number: int) -> Timetable:
    dice = random.Random(f"{jump.at} {number}")

    def span() -> tuple[time, time]:
        first = dice.randrange(96)
        last = (first + dice.randrange(1, 95)) % 96
        return time(first // 4, first % 4 * 15), time(last // 4, last % 4 * 15)

    lines = [(dice.randrange(7), *span()) for _ in range(dice.randrange(7))]
    around = [jump.after.date() + ONE_DAY * days for days in (-2, -1, 0, 1, 2)]
    days = dice.sample(around, number)
    return Timetable(lines, {day: [span()] * dice.randrange(2) for day in days})


def hours_of(timetable: Timetable) -> Hours:
    """The product's own of a timetable."""
    return dated_hours(
        tuple(sorted(WindowLine(*line) for line in timetable.lines)),
        {day: [day_span(*span) for span in spans] for day, spans in timetable.exceptions.items()},
    )


class Minutes:
    """The minutes around an instant in a zone."""

    def __init__(self, tz: ZoneInfo, at: datetime, reach: timedelta) -> None:
        # A minute of UTC is one of every zone: since 1972 all offsets have whole minutes.
        start = at.replace(second=0, microsecond=0) - reach
        self.tz = tz
        self.calendar = Calendar(tz.key)
        self.instants = [start + MINUTE * number for number in range(2 * (reach // MINUTE) + 1)]
        self.walls = [at.astimezone(tz) for at in self.instants]
        self.positions = [Position.at(at, self.calendar) for at in self.instants]

    def compare(self, timetable: Timetable, tally: Tally, *, change_every: int) -> None:
        """Ask for each minute whether it is open, and for each so manieth when that changes."""
        hours = hours_of(timetable)
        table = [timetable.is_open(wall) for wall in self.walls]
        flips = self._flips(table)
        for place, at in enumerate(self.instants):
            tally.minutes += 1
            if is_open(hours, self.calendar, now=at) is not table[place]:
                tally.wrong.append(f"{self.tz.key} {at} open={not table[place]} {timetable}")
            # Each minute before a change is asked, too.
            if place % change_every == 0 or flips[place] == place + 1:
                tally.changes += 1
                found = hours.next_change(self.positions[place])
                if not self._is_right(found, timetable, flips[place]):
                    tally.wrong.append(f"{self.tz.key} {at} next={found} {timetable}")

    @staticmethod
    def _flips(table: list[bool]) -> list[int | None]:
        """For each minute the next one that says otherwise."""
        flips: list[int | None] = [None] * len(table)
        for place in range(len(table) - 2, -1, -1):
            flips[place] = flips[place + 1] if table[place] == table[place + 1] else place + 1
        return flips

    def _is_right(self, found: datetime | None, timetable: Timetable, flip: int | None) -> bool:
        """Whether a change lies within the minute in which the table says so, at its very edge."""
        if flip is None:
            return found is None or found > self.instants[-1]
        if found is None or not self.instants[flip - 1] < found <= self.instants[flip]:
            return False
        before = timetable.is_open((found - _TICK).astimezone(self.tz))
        return before != timetable.is_open(found.astimezone(self.tz))
