"""Schedules: the windows of the week in which campaigns may run."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from django.db.models import Q, QuerySet
from rest_framework import serializers

from accounts.roles import Right
from campaigns.services import schedules as services
from dayparting.models import Window

from ..bodies import Body, Query, Shown
from ..fields import Flag, Id, Instant, TimeOfDay, Whole
from .resource import EditableResource


class WindowBody(Body):
    fixed = frozenset({"campaign"})

    id = Id(read_only=True)
    campaign = Id(help_text="Set once, by POST.")
    day_of_week = Whole(min_value=0, max_value=6, help_text="0 = Monday … 6 = Sunday.")
    start_time = TimeOfDay(help_text="On the brand's wall clock.")
    end_time = TimeOfDay(
        help_text="Exclusive. 00:00:00 is the end of the day; before the start, the next morning."
    )
    is_active = Flag(required=False, help_text="Default true.")
    created_at = Instant(read_only=True)
    updated_at = Instant(read_only=True)


class WindowQuery(Query):
    campaign = Id(required=False)
    brand = Id(required=False)
    day_of_week = serializers.IntegerField(required=False, min_value=0, max_value=6)


class WindowView(EditableResource[Window]):
    """A window of a campaign's week. A campaign without an active window may run at any hour.

    Several windows of a day, overlapping or touching, are one. A window that ends before it starts
    crosses midnight and belongs to the weekday on which it starts.
    """

    what = "window"
    brand_path = "schedule__campaign__brand"
    right_to_write = Right.EDIT_SCHEDULES
    serializer_class = WindowBody
    filters = WindowQuery

    def rows(self) -> QuerySet[Window]:
        # Those of shared schedules are shown, and changed, with them.
        windows = Window.objects.filter(schedule__name="").select_related("schedule__campaign")
        return windows.order_by("schedule", "day_of_week", "start_time", "id")

    def narrow(self, rows: QuerySet[Window], asked: Mapping[str, Any]) -> QuerySet[Window]:
        wanted = Q()
        if "campaign" in asked:
            wanted &= Q(schedule__campaign=asked["campaign"])
        if "brand" in asked:
            wanted &= Q(schedule__campaign__brand=asked["brand"])
        if "day_of_week" in asked:
            wanted &= Q(day_of_week=asked["day_of_week"])
        return rows.filter(wanted)

    def show(self, rows: Sequence[Window]) -> list[Shown]:
        return [
            {
                "id": window.id,
                "campaign": window.schedule.campaign.id,
                "day_of_week": window.day_of_week,
                "start_time": window.start_time,
                "end_time": window.end_time,
                "is_active": window.is_active,
                "created_at": window.created_at,
                "updated_at": window.updated_at,
            }
            for window in rows
        ]

    def add(self, values: dict[str, Any]) -> UUID:
        campaign_id = values.pop("campaign")
        return services.add_window(campaign_id=campaign_id, **values, now=self.now, by=self.by).id

    def change(self, row: Window, changes: dict[str, Any]) -> None:
        services.update_window(
            window_id=row.id,
            changes=cast(services.WindowChanges, changes),
            now=self.now,
            by=self.by,
        )

    def remove(self, row: Window) -> str:
        services.remove_window(window_id=row.id, now=self.now, by=self.by)
        return ""
