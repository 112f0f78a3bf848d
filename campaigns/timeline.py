"""When a campaign may run by its schedule and its flight, as intervals of instants."""

from datetime import datetime, timedelta
from typing import NamedTuple

from dayparting.queries import ALWAYS_OPEN, hours_of
from dayparting.windows import Hours, Position
from kernel.errors import InvalidValue
from kernel.local_time import Calendar

from .models import Campaign

TIMELINE_DAYS_MAX = 62


class Interval(NamedTuple):
    """`[start, end)`, in UTC."""

    start: datetime
    end: datetime


def timeline(campaign: Campaign, *, start: datetime, end: datetime) -> list[Interval]:
    """Return when a campaign, which comes with its brand, may run between two instants.

    By schedule and flight alone: no budget and no person is asked. Raises InvalidValue for a range
    that runs backwards, or of more than 62 days.
    """
    if end <= start:
        raise InvalidValue("A timeline ends after it begins.", field="to")
    calendar = campaign.brand.calendar
    # 62 days of the brand's calendar are some hours longer where its clock goes back in them.
    shown = calendar.local(end).replace(tzinfo=None) - calendar.local(start).replace(tzinfo=None)
    if min(end - start, shown) > timedelta(days=TIMELINE_DAYS_MAX):
        raise InvalidValue(f"A timeline has at most {TIMELINE_DAYS_MAX} days.", field="to")
    first, last = start, end
    if campaign.start_date is not None:
        first = max(first, calendar.day_start(campaign.start_date))
    if campaign.end_date is not None:
        last = min(last, calendar.day_start(campaign.end_date + timedelta(days=1)))
    schedule_id = campaign.shared_schedule_id or campaign.schedule_id
    hours = hours_of([schedule_id], since=calendar.today(start)).get(schedule_id, ALWAYS_OPEN)
    return open_intervals(hours, calendar, start=first, end=last)


def open_intervals(
    hours: Hours, calendar: Calendar, *, start: datetime, end: datetime
) -> list[Interval]:
    """Return when hours are open in `[start, end)`; empty where it ends before it begins. Pure."""
    found = []
    at = start
    while at < end:
        position = Position.at(at, calendar)
        change = hours.next_change(position)
        until = end if change is None else min(change, end)
        if hours.is_always_open or hours.is_open(position):
            found.append(Interval(at, until))
        at = until
    return found
