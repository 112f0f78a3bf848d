"""Open or closed is asked of the instant; beside it stands a separate table of minutes.

Over each jump of every zone's clock they are compared in tests/zones.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dayparting.windows import Position, WindowLine, is_open, weekly_hours
from kernel.local_time import Calendar, zone_names
from tests.dayparting.table import Timetable

RIGA = ZoneInfo("Europe/Riga")
MONDAY, FRIDAY, SATURDAY, SUNDAY = 0, 4, 5, 6


def line(day, start, end):
    return WindowLine(day, time.fromisoformat(start), time.fromisoformat(end))


def opened(lines, local):
    calendar = Calendar(str(local.tzinfo))
    return is_open(weekly_hours(tuple(lines)), calendar, now=local.astimezone(UTC))


def next_change(hours, calendar, *, now):
    return hours.next_change(Position.at(now, calendar))


def at(day, clock, zone=RIGA):
    """An instant in the week of Monday, 2 March 2026."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 3, 2 + day, hour, minute, tzinfo=zone)


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("08:59", False), ("09:00", True), ("17:59", True), ("18:00", False)],
)
def test_a_window_is_half_open(clock, expected):
    assert opened([line(MONDAY, "09:00", "18:00")], at(MONDAY, clock)) is expected


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (FRIDAY, "21:59", False),
        (FRIDAY, "22:00", True),
        (SATURDAY, "01:59", True),
        (SATURDAY, "02:00", False),
        (SATURDAY, "22:00", False),
    ],
)
def test_an_overnight_window_belongs_to_the_day_on_which_it_starts(day, clock, expected):
    assert opened([line(FRIDAY, "22:00", "02:00")], at(day, clock)) is expected


def test_a_sunday_night_reaches_into_monday():
    lines = [line(SUNDAY, "22:00", "02:00")]
    assert opened(lines, at(MONDAY, "01:00"))
    assert not opened(lines, at(MONDAY, "02:00"))


def test_midnight_as_an_end_is_the_end_of_that_day():
    lines = [line(MONDAY, "18:00", "00:00")]
    assert opened(lines, at(MONDAY, "23:59"))
    assert not opened(lines, at(1, "00:00"))


def test_no_window_is_always_open_and_a_day_without_one_is_closed():
    assert opened([], at(MONDAY, "03:00"))
    assert not opened([line(MONDAY, "09:00", "18:00")], at(1, "12:00"))


def test_touching_windows_are_one():
    hours = weekly_hours((line(MONDAY, "09:00", "12:00"), line(MONDAY, "12:00", "18:00")))
    now = at(MONDAY, "10:00").astimezone(UTC)
    assert next_change(hours, Calendar("Europe/Riga"), now=now) == at(MONDAY, "18:00")


def test_windows_that_cover_the_week_never_change():
    lines = [line(day, "00:00", "12:00") for day in range(7)]
    lines += [line(day, "12:00", "00:00") for day in range(7)]
    hours = weekly_hours(tuple(lines))
    assert hours.is_always_open
    assert next_change(hours, Calendar("UTC"), now=at(MONDAY, "10:00")) is None


def test_a_window_in_the_hour_that_does_not_exist_opens_a_week_later():
    # In Riga the clock jumps from 03:00 to 04:00 on Sunday, 29 March 2026.
    hours = weekly_hours((line(SUNDAY, "03:00", "04:00"),))
    saturday = datetime(2026, 3, 28, 12, 0, tzinfo=RIGA)
    change = next_change(hours, Calendar("Europe/Riga"), now=saturday.astimezone(UTC))
    assert change == datetime(2026, 4, 5, 3, 0, tzinfo=RIGA)


def test_the_hour_that_comes_twice_is_inside_both_times():
    # In Riga 03:00 to 04:00 comes twice on Sunday, 25 October 2026.
    hours, calendar = weekly_hours((line(SUNDAY, "03:00", "03:30"),)), Calendar("Europe/Riga")
    first = datetime(2026, 10, 25, 3, 10, tzinfo=RIGA).astimezone(UTC)
    again = datetime(2026, 10, 25, 3, 10, tzinfo=RIGA, fold=1).astimezone(UTC)
    assert again - first == timedelta(hours=1)
    assert is_open(hours, calendar, now=first)
    assert is_open(hours, calendar, now=again)
    between = next_change(hours, calendar, now=first)
    assert between == first + timedelta(minutes=20)
    assert next_change(hours, calendar, now=between) == again - timedelta(minutes=10)


MINUTES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59]))
LINES = st.builds(WindowLine, st.integers(0, 6), MINUTES, MINUTES).filter(
    lambda window: window.start != window.end
)


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(LINES, max_size=6),
    zone=st.sampled_from(sorted(zone_names())),
    start=st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 1)),
)
def test_it_agrees_with_a_table_of_minutes(lines, zone, start):
    now = start.replace(second=0, microsecond=0, tzinfo=UTC)
    calendar, tz, timetable = Calendar(zone), ZoneInfo(zone), Timetable(lines)
    hours = weekly_hours(tuple(sorted(lines)))
    state = is_open(hours, calendar, now=now)
    change = next_change(hours, calendar, now=now)
    for minute in range(9 * 24 * 60):
        instant = now + timedelta(minutes=minute)
        table = timetable.is_open(instant.astimezone(tz))
        if table != state:
            assert instant == change
            return
        if minute % 97 == 0:
            assert is_open(hours, calendar, now=instant) is table
    assert change is None or change >= now + timedelta(days=9)
