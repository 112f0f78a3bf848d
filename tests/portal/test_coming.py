"""The coming days of a campaign as strips: what is open, skipped, twice there, and why."""

from datetime import UTC, date, datetime, time

import pytest

from campaigns.services import exceptions, schedules
from campaigns.services.brands import update_brand
from campaigns.services.exceptions import DayHours
from campaigns.services.schedules import NewWindow
from campaigns.timeline import open_intervals
from dayparting.windows import WindowLine, weekly_hours
from kernel.local_time import Calendar
from portal.coming import coming_days, day_strip
from tests.conftest import ANN, NOON, make_brand, make_campaign

NEW_YORK = Calendar("America/New_York")
SUNDAY = 6


def strip(day: date, calendar: Calendar, *lines: WindowLine):
    """A date's strip by weekly windows alone."""
    start, end = datetime(2011, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    start, end = max(start, at(day, -3)), min(end, at(day, 4))
    intervals = open_intervals(weekly_hours(lines), calendar, start=start, end=end)
    return day_strip(day, intervals, calendar)


def at(day: date, days: int) -> datetime:
    return datetime.fromordinal(day.toordinal() + days).replace(tzinfo=UTC)


def told(stretches) -> list[str]:
    return [each.told for each in stretches]


def test_an_ordinary_day_has_its_windows():
    lines = [WindowLine(0, time(9), time(18)), WindowLine(0, time(22), time(2))]
    monday = strip(date(2026, 3, 2), NEW_YORK, *lines)
    tuesday = strip(date(2026, 3, 3), NEW_YORK, *lines)
    assert (monday.told, tuesday.told) == ("09:00–18:00, 22:00–24:00", "00:00–02:00")
    assert (monday.skipped, monday.twice, monday.notes) == ([], [], [])


def test_the_hour_that_does_not_exist_is_shown_as_such():
    day = strip(date(2026, 3, 8), NEW_YORK, WindowLine(SUNDAY, time(1), time(4)))
    assert told(day.skipped) == ["02:00–03:00"]
    assert told(day.open) == ["01:00–02:00", "03:00–04:00"]
    assert day.notes == ["02:00–03:00 does not exist, since the clock goes forward"]


@pytest.mark.parametrize(
    "window", [(time(0, 30), time(1, 20)), (time(1, 40), time(3)), (time(1, 10), time(1, 30))]
)
def test_the_hour_that_comes_twice_looks_the_same_both_times(window):
    day = strip(date(2026, 11, 1), NEW_YORK, WindowLine(SUNDAY, *window))
    assert told(day.open) == [f"{window[0]:%H:%M}–{window[1]:%H:%M}"]
    assert told(day.twice) == ["01:00–02:00"]
    assert day.notes == ["01:00–02:00 comes twice, since the clock goes back"]


def test_a_date_that_does_not_exist_says_so():
    day = strip(date(2011, 12, 30), Calendar("Pacific/Apia"))
    assert (told(day.skipped), day.open) == (["00:00–24:00"], [])


def test_always_open_is_all_day_also_where_an_hour_is_missing():
    assert strip(date(2026, 3, 8), NEW_YORK).told == "all day"


def test_a_new_zone_of_the_brand_is_told_on_its_days(acme):
    brand = make_brand()
    update_brand(brand_id=brand.id, changes={"time_zone": "Asia/Tokyo"}, now=NOON, by=ANN)
    days = coming_days(make_campaign(brand), now=NOON)
    monday, tuesday = days[:2]
    # Tokyo's Tuesday begins at 15:00 UTC of Monday.
    assert monday.notes == ["15:00–24:00 does not exist, since the zone changes to Asia/Tokyo"]
    assert tuesday.notes == ["in Asia/Tokyo from here on"]


def test_exceptions_and_flights_are_told_with_their_days(acme):
    campaign = make_campaign(make_brand(), start_date=date(2026, 3, 3), end_date=date(2026, 3, 6))
    week = [NewWindow(weekday, time(9), time(18)) for weekday in range(7)]
    schedules.change_windows(campaign_id=campaign.id, add=week, now=NOON, by=ANN)
    for day, hours, note in [
        (date(2026, 3, 4), [], "Holiday"),
        (date(2026, 3, 5), [DayHours(time(10), time(14))], ""),
    ]:
        exceptions.add_exception(
            campaign_id=campaign.id, day=day, hours=hours, note=note, now=NOON, by=ANN
        )
    days = coming_days(campaign, now=NOON)
    assert [(day.told, day.notes) for day in days] == [
        ("closed", ["before its first day"]),
        ("09:00–18:00", []),
        ("closed", ["exception: Holiday"]),
        ("10:00–14:00", ["exception"]),
        ("09:00–18:00", []),
        ("closed", ["after its last day"]),
        ("closed", ["after its last day"]),
    ]
    assert [day.is_exception for day in days] == [False, False, True, True, False, False, False]
    assert (days[0].now, days[1].now) == (12 * 3600, None)


def test_the_campaigns_page_tells_them_as_text(viewer, campaign):
    exceptions.add_exception(
        campaign_id=campaign.id, day=NOON.date(), note="Holiday", now=NOON, by=ANN
    )
    page = viewer.get(f"/campaigns/{campaign.id}/").content.decode()
    assert "exception: Holiday" in page
    assert "clock, UTC" in page
