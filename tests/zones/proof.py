"""Every zone's hours and periods against the walk over the minutes: how much of it, and what came
out, in words."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import permutations

from tests.zones.hours import Minutes, timetables
from tests.zones.periods import compare_days, compare_minutes, compare_moves, lost_days
from tests.zones.rules import ONE_DAY, Jump, Rule, all_names, date_at, midnight, rules_of
from tests.zones.tally import Tally

YEARS = range(2024, 2031)
# Where a whole day was skipped.
SKIPPED = (
    "Kwajalein",
    "Pacific/Apia",
    "Pacific/Enderbury",
    "Pacific/Fakaofo",
    "Pacific/Kiritimati",
)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Effort:
    """How much is asked: around each jump, so many minutes before and after, of so many timetables,
    and from so manieth minute for the next change."""

    jump_step: timedelta
    reach: timedelta
    timetables: int
    change_every: int
    # Else only the leap days, and the days around each jump.
    every_day: bool
    # Of all zones, not only of those that skipped a day.
    past: range
    moves_of_each_pair: int


LONG = Effort(_HOUR, 30 * _HOUR, 14, 11, True, range(1970, 2024), 24)
SHORT = Effort(12 * _HOUR, 2 * _HOUR, 3, 15, False, range(1993, 2012), 1)


class Proof:
    """A run of all comparisons; `lines` tell each one's figures."""

    def __init__(self, effort: Effort) -> None:
        self.effort = effort
        self.rules = rules_of(all_names(), YEARS, step=effort.jump_step)
        self.wrong: list[str] = []

    def lines(self) -> Iterator[str]:
        """Compare, and tell what was compared as it is done."""
        names, jumps = sum(len(r.names) for r in self.rules), _jumps(self.rules)
        here = sum(len(rule.names) * len(rule.jumps) for rule in self.rules)
        yield (
            f"{names} zones in {YEARS.start}-{YEARS.stop - 1}: {len(self.rules)} different rules"
            f" with {len(jumps)} transitions, which stand for {here} zone-transitions"
        )
        for compare in (self._hours, self._ends, self._periods, self._moves, self._past):
            started, tally = time.monotonic(), Tally()
            told = compare(tally)
            self.wrong += tally.wrong
            yield f"{told}; mismatches {len(tally.wrong)} ({time.monotonic() - started:.0f} s)"
        yield f"zone-transitions tried: {here}, mismatches {len(self.wrong)}"

    def _hours(self, tally: Tally) -> str:
        effort = self.effort
        for place, (rule, jump) in enumerate(_jumps(self.rules)):
            self._compare_hours(place, rule, jump, effort.reach, effort.timetables, tally)
        return (
            f"hours around transitions: {effort.timetables} timetables each, every minute"
            f" {_hours(effort.reach)} before and after; {_figures(tally)}"
        )

    def _ends(self, tally: Tally) -> str:
        days = [date(year, 2, 29) for year in YEARS if year % 4 == 0]
        if self.effort.every_day:
            days += [date(year, month, 1) for year in YEARS for month in range(1, 13)]
        else:
            days += [day + ONE_DAY for day in days]
        for place, (rule, day) in enumerate((r, d) for r in self.rules for d in days):
            self._compare_hours(place, rule, midnight(rule.tz, day), 3 * _HOUR, 2, tally)
        ends = "leap days and month ends" if self.effort.every_day else "leap days"
        return f"hours around {ends}: every minute 3 h before and after; {_figures(tally)}"

    def _compare_hours(
        self, place: int, rule: Rule, jump: Jump, reach: timedelta, count: int, tally: Tally
    ) -> None:
        minutes, all_of_them = Minutes(rule.tz, jump.at, reach), timetables(jump)
        for number in range(count):
            # By turns, so that the shortest run meets all of them, too.
            timetable = all_of_them[(place * count + number) % len(all_of_them)]
            minutes.compare(timetable, tally, change_every=self.effort.change_every)

    def _periods(self, tally: Tally) -> str:
        for rule in self.rules:
            if self.effort.every_day:
                first, last = date(YEARS.start, 1, 1), date(YEARS.stop - 1, 12, 31)
                compare_days(rule.tz, first, last, tally)
            for year in YEARS:
                compare_days(rule.tz, date(year, 2, 27), date(year, 3, 2), tally)
            for jump in rule.jumps:
                _compare_days_around(rule, jump, tally)
                compare_minutes(rule.tz, jump.at, self.effort.reach, tally)
        return f"days and months: {tally.days} days, {tally.minutes} minutes around transitions"

    def _moves(self, tally: Tally) -> str:
        dice = random.Random(0)
        for old, new in permutations(self.rules, 2):
            for _ in range(self.effort.moves_of_each_pair):
                some = dice.choice([j.at for j in old.jumps + new.jumps] or [_MIDST])
                now = some + timedelta(minutes=dice.randrange(-3 * 1440, 3 * 1440))
                compare_moves(old.tz, new.tz, now, tally)
        return (
            f"changes of zone: {tally.moves} between all pairs of rules near their transitions,"
            f" {tally.refused} of them refused (more than a day behind)"
        )

    def _past(self, tally: Tally) -> str:
        past, whole = self.effort.past, self.effort.every_day
        rules = rules_of(all_names() if whole else list(SKIPPED), past, step=6 * _HOUR)
        lost, backwards = [], 0
        for rule, jump in _jumps(rules):
            if _goes_back_over_midnight(rule, jump):
                backwards += 1
                continue
            _compare_days_around(rule, jump, tally)
            skipped = lost_days(rule.tz, [jump.at])
            lost += skipped
            if skipped:
                compare_minutes(rule.tz, jump.at, 50 * _HOUR, tally)
                self._compare_hours(0, rule, jump, 30 * _HOUR, self.effort.timetables, tally)
        zones = "all zones" if whole else "zones that skipped a day"
        return (
            f"{past.start}-{past.stop - 1}, {zones}: {tally.days} days around transitions,"
            f" of which {len(lost)} skip a day; not judged: {backwards} at which a date comes back"
        )


_MIDST = midnight(rules_of(["UTC"], YEARS)[0].tz, date(2027, 7, 2)).at


def _jumps(rules: list[Rule]) -> list[tuple[Rule, Jump]]:
    return [(rule, jump) for rule in rules for jump in rule.jumps]


def _compare_days_around(rule: Rule, jump: Jump, tally: Tally) -> None:
    compare_days(rule.tz, jump.before.date() - ONE_DAY, jump.after.date() + ONE_DAY, tally)


def _goes_back_over_midnight(rule: Rule, jump: Jump) -> bool:
    """Whether a clock shows a later date before the jump than after it."""
    return date_at(jump.at - timedelta(microseconds=1), rule.tz) > date_at(jump.at, rule.tz)


def _figures(tally: Tally) -> str:
    return f"{tally.minutes} times open or not, {tally.changes} next changes"


def _hours(reach: timedelta) -> str:
    return f"{reach // _HOUR} h"
