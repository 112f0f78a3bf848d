"""Exceptions by date, beside a separate table of minutes."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from dayparting.exceptions import dated_hours
from dayparting.windows import Position, WindowLine, day_span, is_open
from kernel.errors import InvalidValue
from kernel.local_time import Calendar, zone_names
from tests.dayparting.table import Timetable

ZONES = st.sampled_from(sorted(zone_names()))
# Around changes of the clock in many zones, the end of a month, and an ordinary week.
FIRST_DAYS = [date(2026, 3, 27), date(2026, 10, 23), date(2026, 4, 2), date(2026, 11, 1)]
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
SPANS = st.tuples(TIMES, TIMES).filter(lambda span: span[0] != span[1])
LINES = st.lists(st.builds(lambda day, span: (day, *span), st.integers(0, 6), SPANS), max_size=6)
EXCEPTIONS = st.dictionaries(st.integers(0, 6), st.lists(SPANS, max_size=2), max_size=4)


def agrees(timetable, calendar, start, shown):
    """Compare with quarters of an hour: `shown` tells what the wall clock shows at an instant."""
    hours = dated_hours(
        tuple(sorted(WindowLine(*line) for line in timetable.lines)),
        {day: [day_span(*span) for span in spans] for day, spans in timetable.exceptions.items()},
    )
    quarters = [start + timedelta(minutes=15 * n) for n in range(4 * 24 * 9)]
    table = [timetable.is_open(shown(at)) for at in quarters]
    for place in range(0, 4 * 24 * 3, 29):
        at = quarters[place]
        assert is_open(hours, calendar, now=at) is table[place]
        flips = (quarters[n] for n in range(place, len(table)) if table[n] != table[place])
        expected = next(flips, None)
        found = hours.next_change(Position.at(at, calendar))
        if expected is None:
            assert found is None or found > quarters[-1]
        else:
            assert found == expected


@settings(max_examples=120, deadline=None)
@given(
    lines=LINES,
    offsets=EXCEPTIONS,
    zone=ZONES,
    first=st.sampled_from(FIRST_DAYS),
    hour=st.integers(0, 60),
)
def test_state_and_next_change_equal_the_table(lines, offsets, zone, first, hour):
    timetable = Timetable(lines, {first + timedelta(days=n): own for n, own in offsets.items()})
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) + timedelta(hours=hour - 30)
    agrees(timetable, Calendar(zone), start, lambda at: at.astimezone(ZoneInfo(zone)))


@settings(max_examples=120, deadline=None)
@given(
    lines=LINES,
    offsets=EXCEPTIONS,
    old=ZONES,
    new=ZONES,
    first=st.sampled_from(FIRST_DAYS),
    hour=st.integers(0, 60),
)
def test_they_do_over_a_change_of_zone(lines, offsets, old, new, first, hour):
    timetable = Timetable(lines, {first + timedelta(days=n): own for n, own in offsets.items()})
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) + timedelta(hours=hour - 30)
    try:
        calendar = Calendar(old).moved_to(new, now=start)
    except InvalidValue:
        reject()

    def shown(at):
        is_moved = calendar.since is not None and at >= calendar.since
        return at.astimezone(ZoneInfo(new if is_moved else old))

    agrees(timetable, calendar, start, shown)


@pytest.mark.parametrize(
    ("local", "is_right"),
    [
        ("2026-12-24T23:00", True),
        # The night before would have reached into the holiday.
        ("2026-12-25T01:00", False),
        ("2026-12-25T23:00", False),
        # And what the holiday's own night would have left.
        ("2026-12-26T01:00", False),
        ("2026-12-26T23:00", True),
    ],
)
def test_a_holiday_is_closed_from_midnight_to_midnight(local, is_right):
    nights = tuple(WindowLine(day, time(22), time(2)) for day in range(7))
    hours = dated_hours(nights, {date(2026, 12, 25): []})
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Riga"))
    assert is_open(hours, Calendar("Europe/Riga"), now=at.astimezone(UTC)) is is_right


def test_an_always_open_schedule_closes_on_its_holiday_a_year_ahead():
    hours = dated_hours((), {date(2027, 3, 2): []})
    calendar = Calendar("Europe/Riga")
    now = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    closes = hours.next_change(Position.at(now, calendar))
    assert closes == datetime(2027, 3, 1, 22, 0, tzinfo=UTC)
    assert hours.next_change(Position.at(closes, calendar)) == closes + timedelta(days=1)


def test_a_past_exception_concerns_nobody():
    hours = dated_hours((), {date(2026, 2, 1): []})
    now = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert hours.next_change(Position.at(now, Calendar("UTC"))) is None
