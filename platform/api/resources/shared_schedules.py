"""Schedules that campaigns share, exceptions by date, and what both make of a campaign's time."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Right
from campaigns.models import Campaign
from campaigns.queries import schedules_seen
from campaigns.services import exceptions, shared_schedules
from campaigns.services.schedules import NewWindow
from campaigns.timeline import timeline
from dayparting.models import Schedule, ScheduleException
from kernel.errors import NotFound
from kernel.local_time import Calendar

from ..bodies import Body, Query, Shown
from ..fields import (
    Day,
    DayOrMoment,
    Flag,
    Id,
    Instant,
    OptionalText,
    Text,
    TimeOfDay,
    Whole,
)
from .resource import ApiView, EditableResource

WINDOWS_MAX = 500
HOURS_MAX = 50


class SharedWindowBody(Body):
    """A window of the week."""

    day_of_week = Whole(min_value=0, max_value=6, help_text="0 = Monday … 6 = Sunday.")
    start_time = TimeOfDay(help_text="On each brand's wall clock.")
    end_time = TimeOfDay(
        help_text="Exclusive. 00:00:00 is the end of the day; before the start, the next morning."
    )
    is_active = Flag(required=False, help_text="Default true.")


class SharedScheduleBody(Body):
    id = Id(read_only=True)
    name = Text(max_length=100)
    windows = serializers.ListField(
        child=SharedWindowBody(),
        required=False,
        max_length=WINDOWS_MAX,
        help_text="All of them: what is sent replaces what was. None: always open.",
    )
    campaigns = Whole(read_only=True, help_text="How many campaigns use it.")


class SharedScheduleView(EditableResource[Schedule]):
    """A named schedule that any number of campaigns use, each on its brand's wall clock.

    A campaign uses it by its `shared_schedule`. A change decides again at once for all its users.
    One that is used is not deleted.
    """

    what = "shared schedule"
    right_to_write = Right.EDIT_SCHEDULES
    serializer_class = SharedScheduleBody

    def rows(self) -> QuerySet[Schedule]:
        shared = Schedule.objects.exclude(name="").prefetch_related("windows")
        live = Q(users__archived_at=None)
        used = Count("users", filter=live & self.access.within("users__brand"))
        return shared.annotate(number=used).order_by("name", "id")

    def seen(self) -> QuerySet[Schedule]:
        if not self.access.is_limited:
            return self.rows()
        return self.rows().filter(id__in=schedules_seen(self.access).values("id"))

    def show(self, rows: Sequence[Schedule]) -> list[Shown]:
        return [
            {
                "id": row.id,
                "name": row.name,
                "windows": [
                    {
                        "day_of_week": window.day_of_week,
                        "start_time": window.start_time,
                        "end_time": window.end_time,
                        "is_active": window.is_active,
                    }
                    for window in row.windows.all()
                ],
                "campaigns": row.number,  # type: ignore[attr-defined]
            }
            for row in rows
        ]

    def add(self, values: dict[str, Any]) -> UUID:
        made = shared_schedules.create_shared_schedule(**_with_windows(values), by=self.by)
        return made.id

    def change(self, row: Schedule, changes: dict[str, Any]) -> None:
        shared_schedules.update_shared_schedule(
            schedule_id=row.id,
            changes=cast(shared_schedules.SharedScheduleChanges, _with_windows(changes)),
            now=self.now,
            by=self.by,
        )

    def remove(self, row: Schedule) -> str:
        shared_schedules.remove_shared_schedule(schedule_id=row.id, by=self.by)
        return ""


def _with_windows(values: dict[str, Any]) -> dict[str, Any]:
    if "windows" in values:
        values["windows"] = [NewWindow(**window) for window in values["windows"]]
    return values


class HoursBody(Body):
    """Hours of one date."""

    start_time = TimeOfDay(help_text="On the brand's wall clock.")
    end_time = TimeOfDay(help_text="Exclusive; before the start, the next morning.")


class ExceptionBody(Body):
    fixed = frozenset({"campaign", "shared_schedule"})

    id = Id(read_only=True)
    campaign = Id(required=False, allow_null=True, help_text="Whose own schedule. Set by POST.")
    shared_schedule = Id(required=False, allow_null=True, help_text="Or which shared one.")
    day = Day(help_text="The brand's local day.")
    hours = serializers.ListField(
        child=HoursBody(),
        required=False,
        max_length=HOURS_MAX,
        help_text="The day's own hours, instead of the week's. None: closed.",
    )
    closed = Flag(required=False, help_text="true: closed on that day.")
    note = OptionalText(max_length=200, help_text="Why: a holiday …")
    created_at = Instant(read_only=True)
    updated_at = Instant(read_only=True)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Refuse what does not say whether the day is closed, or says both."""
        closed = values.pop("closed", None)
        says_hours = "hours" in values
        if closed is None and not says_hours:
            if self.instance is None or not self.partial:
                raise ValidationError({"closed": ["Closed on that day, or which hours?"]})
            return values
        if closed is not None and says_hours and closed == bool(values["hours"]):
            raise ValidationError({"closed": ["A day is closed, or has hours of its own."]})
        if closed is False and not says_hours:
            raise ValidationError({"hours": ["Which hours does the day have?"]})
        values.setdefault("hours", [])
        return values


class ExceptionQuery(Query):
    campaign = Id(required=False)
    shared_schedule = Id(required=False)


class ExceptionView(EditableResource[ScheduleException]):
    """A date on which a schedule's week does not count: closed, or with hours of its own.

    On that date only its hours count: not the windows of its weekday, nor what the night before
    would have left in its morning. Hours past midnight reach into the next morning, unless that
    date is an exception too. A schedule has at most one exception a date.
    """

    what = "schedule exception"
    right_to_write = Right.EDIT_SCHEDULES
    serializer_class = ExceptionBody
    filters = ExceptionQuery

    def rows(self) -> QuerySet[ScheduleException]:
        rows = ScheduleException.objects.select_related("schedule__campaign")
        return rows.order_by("day", "id")

    def seen(self) -> QuerySet[ScheduleException]:
        if not self.access.is_limited:
            return self.rows()
        users = Campaign.objects.filter(self.access.within("brand"))
        is_own = Q(schedule__in=users.values("schedule"))
        return self.rows().filter(is_own | Q(schedule__in=users.values("shared_schedule")))

    def narrow(
        self, rows: QuerySet[ScheduleException], asked: Mapping[str, Any]
    ) -> QuerySet[ScheduleException]:
        wanted = Q()
        if "campaign" in asked:
            wanted &= Q(schedule__campaign=asked["campaign"])
        if "shared_schedule" in asked:
            wanted &= Q(schedule=asked["shared_schedule"]) & ~Q(schedule__name="")
        return rows.filter(wanted)

    def show(self, rows: Sequence[ScheduleException]) -> list[Shown]:
        return [
            {
                "id": row.id,
                "campaign": None if row.schedule.name else row.schedule.campaign.id,
                "shared_schedule": row.schedule_id if row.schedule.name else None,
                "day": row.day,
                "hours": [
                    {"start_time": start, "end_time": end}
                    for start, end in zip(row.starts, row.ends, strict=True)
                ],
                "closed": not row.starts,
                "note": row.note,
                "created_at": row.created_at,
                "updated_at": row.updated_at,
            }
            for row in rows
        ]

    def add(self, values: dict[str, Any]) -> UUID:
        made = exceptions.add_exception(
            campaign_id=values.pop("campaign", None),
            schedule_id=values.pop("shared_schedule", None),
            **_with_hours(values),
            now=self.now,
            by=self.by,
        )
        return made.id

    def change(self, row: ScheduleException, changes: dict[str, Any]) -> None:
        exceptions.update_exception(
            exception_id=row.id,
            changes=cast(exceptions.ExceptionChanges, _with_hours(changes)),
            now=self.now,
            by=self.by,
        )

    def remove(self, row: ScheduleException) -> str:
        exceptions.remove_exception(exception_id=row.id, now=self.now, by=self.by)
        return ""


def _with_hours(values: dict[str, Any]) -> dict[str, Any]:
    if "hours" in values:
        values["hours"] = [exceptions.DayHours(**each) for each in values["hours"]]
    return values


class IntervalBody(Body):
    """`[start, end)`."""

    start = Instant(read_only=True)
    end = Instant(read_only=True)


class TimelineBody(Body):
    campaign = Id(read_only=True)
    time_zone = Text(read_only=True, help_text="The brand's, in effect at its begin.")
    to = Instant(read_only=True)
    intervals = IntervalBody(many=True, read_only=True)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's, so it can't be declared above.
        return {"from": Instant(read_only=True), **super().get_fields()}


class TimelineQuery(Query):
    to = DayOrMoment(required=False, help_text="Exclusive; a day is included. Default 7 days.")

    def get_fields(self) -> dict[str, Any]:
        begin = DayOrMoment(required=False, help_text="A day or an instant. Default: now.")
        return {"from": begin, **super().get_fields()}


class TimelineView(ApiView):
    """When a campaign may run by its schedule and its flight, for at most 62 days.

    No budget and no person is asked. Intervals are `[start, end)`, in UTC.
    """

    summary = "Show when a campaign may run"
    filters = TimelineQuery
    serializer_class = TimelineBody

    def get(self, request: Request, campaign_id: UUID) -> Response:
        rows = Campaign.objects.select_related("brand")
        campaign = self.access.narrow(rows, "brand").filter(id=campaign_id).first()
        if campaign is None:
            raise NotFound("There is no such campaign.")
        calendar = campaign.brand.calendar
        start = _instant(self.asked.get("from", self.now), calendar, is_end=False)
        end = _instant(self.asked.get("to", start + timedelta(days=7)), calendar, is_end=True)
        intervals = timeline(campaign, start=start, end=end)
        told = {
            "campaign": campaign.id,
            "time_zone": calendar.zone_at(start),
            "from": start,
            "to": end,
            "intervals": [each._asdict() for each in intervals],
        }
        return Response(TimelineBody().to_representation(told))


def _instant(said: date | datetime, calendar: Calendar, *, is_end: bool) -> datetime:
    if isinstance(said, datetime):
        return said
    return calendar.day_start(said + timedelta(days=1) if is_end else said)
