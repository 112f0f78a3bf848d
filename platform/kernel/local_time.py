"""Days, months and wall clocks of a brand, in its own IANA time zone.

A zone may be replaced: the new one takes effect at an instant (`since`), the days before it stay
what they were. Every function takes the instant as an argument.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from .errors import InvalidValue

_TICK = timedelta(microseconds=1)
# Longer than any gap between two edges of a week's windows.
OFFSET_HORIZON_DAYS = 9
# The next one will do, unless that day is skipped; only a zone more than a day behind has none.
_MIDNIGHTS_MAX = 3


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return the names of the tz database that a brand may use."""
    odd = ("posix/", "right/", "SystemV/")
    return frozenset(
        name
        for name in available_timezones()
        if not name.startswith(odd) and name not in {"Factory", "localtime", "posixrules"}
    )


@lru_cache(maxsize=8192)
def _day_start(zone: str, day: date) -> datetime:
    """Return the first instant (UTC) whose local date in `zone` is `day` or later."""
    tz = ZoneInfo(zone)
    guess = datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC)
    if (guess - _TICK).astimezone(tz).date() < day <= guess.astimezone(tz).date():
        return guess
    # Midnight, or the whole day, does not exist here: look for the instant that jumps over it.
    return _first_instant(
        guess - timedelta(hours=36),
        guess + timedelta(hours=36),
        lambda at: at.astimezone(tz).date() >= day,
    )


def _first_instant(low: datetime, high: datetime, holds) -> datetime:  # type: ignore[no-untyped-def]
    """Bisect for the first whole second in (low, high] at which `holds` is true."""
    low_s, high_s = int(low.timestamp()), int(high.timestamp())
    while high_s - low_s > 1:
        middle = (low_s + high_s) // 2
        if holds(datetime.fromtimestamp(middle, UTC)):
            high_s = middle
        else:
            low_s = middle
    return datetime.fromtimestamp(high_s, UTC)


@lru_cache(maxsize=8192)
def _offset_changes(zone: str, utc_day: date) -> tuple[datetime, ...]:
    """Return the instants within the horizon after the start of `utc_day` at which the offset
    changes.
    """
    tz = ZoneInfo(zone)
    at = datetime(utc_day.year, utc_day.month, utc_day.day, tzinfo=UTC)
    changes = []
    for _ in range(2 * (OFFSET_HORIZON_DAYS + 1)):
        after = at + timedelta(hours=12)
        offset = at.astimezone(tz).utcoffset()
        if after.astimezone(tz).utcoffset() != offset:
            changes.append(
                _first_instant(
                    at,
                    after,
                    lambda t, offset=offset: t.astimezone(tz).utcoffset() != offset,
                )
            )
        at = after
    return tuple(changes)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A brand's days and clocks: `zone`, and what applied before the instant `since`, if it
    changed.
    """

    zone: str
    zone_before: str = ""
    since: datetime | None = None

    def zone_at(self, now: datetime) -> str:
        """Return the IANA name of the zone in effect at `now`."""
        if self.since is not None and now < self.since:
            return self.zone_before
        return self.zone

    def local(self, now: datetime) -> datetime:
        """Return `now` as the brand's wall clock shows it."""
        assert now.tzinfo is not None, "an instant knows its zone"
        return now.astimezone(ZoneInfo(self.zone_at(now)))

    def today(self, now: datetime) -> date:
        """Return the brand's local date at `now`."""
        return self.local(now).date()

    def day_start(self, day: date) -> datetime:
        """Return the first instant (UTC) whose local date is `day` or later."""
        if self.since is None:
            return _day_start(self.zone, day)
        before = _day_start(self.zone_before, day)
        if before < self.since:
            return before
        return max(self.since, _day_start(self.zone, day))

    def next_day(self, now: datetime) -> datetime:
        """Return the instant at which the local date next changes: the coming local midnight."""
        return self.day_start(self.today(now) + timedelta(days=1))

    def next_month(self, now: datetime) -> datetime:
        """Return the instant at which the next local calendar month begins."""
        return self.day_start(first_of_next_month(self.today(now)))

    def next_offset_change(self, now: datetime) -> datetime | None:
        """Return the next instant within nine days at which the wall clock jumps, else None."""
        day = now.astimezone(UTC).date()
        changes = _offset_changes(self.zone_at(now), day)
        if self.since is not None and now < self.since:
            changes = (*(c for c in changes if c < self.since), self.since)
        return next((change for change in changes if change > now), None)

    def moved_to(self, zone: str, *, now: datetime) -> "Calendar":
        """Return the calendar after a change of zone decided at `now`.

        The new zone takes effect at its first midnight whose date is not before the old zone's
        until then, so that day labels never run backwards. A change that has not taken effect yet
        is replaced. Raises InvalidValue where there is no such midnight: the new zone is more than
        a day behind the old one.
        """
        old = self.zone_at(now)
        if zone == old:
            # Back to what applies now: a pending change is withdrawn.
            return self if self.zone == zone else Calendar(old)
        today = now.astimezone(ZoneInfo(zone)).date()
        for days in range(1, _MIDNIGHTS_MAX + 1):
            since = _day_start(zone, today + timedelta(days=days))
            label = since.astimezone(ZoneInfo(zone)).date()
            if since > now and label >= (since - _TICK).astimezone(ZoneInfo(old)).date():
                return Calendar(zone, zone_before=old, since=since)
        raise InvalidValue(
            f"{zone} is more than a day behind {old}, and dates can't run backwards:"
            " change to a zone between them first.",
            field="time_zone",
        )


def first_of_month(day: date) -> date:
    """Return the first day of the month of `day`."""
    return day.replace(day=1)


def first_of_next_month(day: date) -> date:
    """Return the first day of the month after that of `day`."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
