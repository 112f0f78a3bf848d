"""What a page shows of a schedule: its week and its exceptions. Two statements for any schedule."""

from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from dayparting.models import Schedule, ScheduleException, Weekday, Window
from dayparting.sentences import exception_hours

from . import seen
from .access import PortalRequest
from .charts import WeekRow, week_timetable

PAST_SHOWN = 30
# West of all zones it is still the day that ended twelve hours ago in UTC.
_LAST_ZONE = timedelta(hours=12)


class ToldException(NamedTuple):
    """A day's exception, and its hours in words."""

    row: ScheduleException
    told: str


class Hours(NamedTuple):
    """A schedule as a page shows it. `past`: the latest first, and not all of many."""

    schedule_id: UUID
    windows: list[Window]
    by_day: list[tuple[Weekday, list[Window]]]
    week: list[WeekRow]
    has_windows: bool
    upcoming: list[ToldException]
    past: list[ToldException]


def hours_shown(schedule_id: UUID, *, today: date, local_now: datetime | None) -> Hours:
    """Return a schedule's hours; `local_now` marks the week of the brand whose clock it is."""
    windows = list(Window.objects.filter(schedule_id=schedule_id))
    rows = ScheduleException.objects.filter(schedule_id=schedule_id)
    kept = list(rows.filter(day__gte=today).order_by("day"))
    past = rows.filter(day__lt=today).order_by("-day")[:PAST_SHOWN]
    return Hours(
        schedule_id,
        windows,
        by_day=[(day, [w for w in windows if w.day_of_week == day.value]) for day in Weekday],
        week=week_timetable(windows, local_now=local_now),
        has_windows=any(window.is_active for window in windows),
        upcoming=[ToldException(row, exception_hours(row)) for row in kept],
        past=[ToldException(row, exception_hours(row)) for row in past],
    )


def earliest_today(now: datetime) -> date:
    """Return the date at `now` where it is earliest: a shared schedule has no zone of its own."""
    return (now - _LAST_ZONE).date()


def shared_schedules(request: PortalRequest) -> QuerySet[Schedule]:
    """Return the shared schedules that the person sees by name, with how many of the campaigns
    that they see use each (`campaigns`)."""
    live = Q(users__archived_at=None)
    used = Count("users", filter=live & request.user.access.within("users__brand"))
    rows = seen.schedules(request).exclude(name="")
    return rows.annotate(campaigns=used).order_by("name", "id")
