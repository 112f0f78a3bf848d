"""Days and months are the brand's, in every zone, over every jump of its clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from kernel.errors import InvalidValue
from kernel.local_time import Calendar, zone_names

ODD_ZONES = [
    "America/Sao_Paulo",  # Midnight did not exist on the day DST began (until 2018).
    "Asia/Beirut",  # Midnight does not exist on the day DST begins.
    "Africa/Cairo",
    "America/Havana",
    "Pacific/Apia",  # Skipped 30 December 2011 whole.
    "Pacific/Chatham",  # +12:45
    "Pacific/Kiritimati",  # +14
    "Australia/Lord_Howe",  # Jumps by half an hour.
    "Africa/Casablanca",
    "America/Scoresbysund",
    "America/New_York",
    "Asia/Kathmandu",
    "Etc/GMT+12",
    "UTC",
]


@pytest.mark.parametrize("zone", ODD_ZONES)
@pytest.mark.parametrize("year", [2011, 2018, 2024, 2026])
def test_each_day_starts_at_the_first_instant_that_carries_its_date(zone, year):
    calendar, tz = Calendar(zone), ZoneInfo(zone)
    day = date(year, 1, 1)
    while day.year == year:
        start = calendar.day_start(day)
        before = start - timedelta(microseconds=1)
        assert before.astimezone(tz).date() < day <= start.astimezone(tz).date(), (zone, day)
        day += timedelta(days=1)


@pytest.mark.parametrize("zone", ODD_ZONES)
def test_the_next_day_is_the_first_instant_with_another_date(zone):
    calendar = Calendar(zone)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    while now.month < 5:
        turn = calendar.next_day(now)
        assert calendar.today(turn - timedelta(microseconds=1)) == calendar.today(now)
        assert calendar.today(turn) > calendar.today(now)
        now += timedelta(hours=7)


def test_a_month_ends_at_the_brands_own_midnight():
    calendar = Calendar("America/New_York")
    last_evening = datetime(2026, 2, 28, 23, 30, tzinfo=ZoneInfo("America/New_York"))
    assert calendar.next_month(last_evening) == datetime(2026, 3, 1, 5, 0, tzinfo=UTC)


ZONES = st.sampled_from(sorted(zone_names()))
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))


def move(old, new, now):
    try:
        return Calendar(old).moved_to(new, now=now)
    except InvalidValue:
        # More than a day behind; tests/zones knows which these are.
        reject()


@settings(max_examples=300, deadline=None)
@given(old=ZONES, new=ZONES, now=INSTANTS)
def test_a_change_of_zone_never_makes_a_day_run_backwards(old, new, now):
    moved = move(old, new, now)
    assert moved.today(now) == Calendar(old).today(now)
    if moved.since is None:
        assert old == new
        return
    assert now < moved.since <= now + timedelta(days=3)
    since = moved.since
    assert moved.today(since) >= moved.today(since - timedelta(microseconds=1))
    assert moved.today(since) == since.astimezone(ZoneInfo(new)).date()
    # The new zone's own midnight: the instant before it is another date there.
    before = (since - timedelta(microseconds=1)).astimezone(ZoneInfo(new)).date()
    assert before < since.astimezone(ZoneInfo(new)).date()


@settings(max_examples=200, deadline=None)
@given(old=ZONES, new=ZONES, now=INSTANTS, ahead=st.integers(0, 200))
def test_the_days_of_a_changed_zone_start_where_the_date_says(old, new, now, ahead):
    moved = move(old, new, now)
    at = now + timedelta(hours=ahead)
    turn = moved.next_day(at)
    assert moved.today(turn - timedelta(microseconds=1)) == moved.today(at) < moved.today(turn)


def test_a_pending_change_is_withdrawn_by_going_back():
    now = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    pending = Calendar("UTC").moved_to("Asia/Tokyo", now=now)
    assert pending.moved_to("UTC", now=now) == Calendar("UTC")


@pytest.mark.parametrize(
    ("new", "midnight"),
    [
        # A whole day behind: the third of March is there twice, and no day comes back.
        ("Pacific/Honolulu", datetime(2026, 3, 3, 10, 0, tzinfo=UTC)),
        ("Etc/GMT+12", None),
        ("Pacific/Niue", None),
    ],
)
def test_a_zone_a_day_behind_can_be_chosen_and_one_further_back_cannot(new, midnight):
    kiritimati, now = Calendar("Pacific/Kiritimati"), datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert kiritimati.today(now) == date(2026, 3, 3)
    if midnight is None:
        with pytest.raises(InvalidValue, match="more than a day behind") as refused:
            kiritimati.moved_to(new, now=now)
        assert refused.value.field == "time_zone"
        return
    moved = kiritimati.moved_to(new, now=now)
    assert moved.since == midnight
    assert moved.today(midnight - timedelta(microseconds=1)) == date(2026, 3, 3)
    assert moved.today(midnight) == date(2026, 3, 3)
    assert moved.next_day(now) == midnight + timedelta(days=1)
