"""The scheduler's rows, and whether it beats."""

from typing import Any

from django.contrib.admin import display, register
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)

from kernel import clock
from tenants.models import Heartbeat

from ..journal import JournaledAdmin
from ..sites import platform_site
from ..words import chip, utc
from .rows import PlatformAdmin


@register(PeriodicTask, site=platform_site)
class PeriodicTaskAdmin(JournaledAdmin, beat.PeriodicTaskAdmin):
    # The package's page brings an inline script, which the content security policy forbids.
    change_form_template = None
    fieldsets = [
        (None, {"fields": ["name", "regtask", "task", "enabled", "description"]}),
        (
            "Schedule: one of the first three",
            {
                "fields": [
                    ("interval", "crontab", "clocked"),
                    "start_time",
                    "last_run_at",
                    "one_off",
                ],
                "description": "Times are UTC. Agencies' midnights and hours need no task of their"
                " own: every minute's sweep asks what time it is for each brand.",
            },
        ),
        ("Arguments", {"fields": ["args", "kwargs"], "classes": ["collapse"]}),
        (
            "Execution",
            {
                "fields": ["expires", "expire_seconds", "queue", "priority"],
                "classes": ["collapse"],
            },
        ),
    ]


@register(IntervalSchedule, site=platform_site)
class IntervalScheduleAdmin(JournaledAdmin, beat.IntervalScheduleAdmin):
    pass


@register(CrontabSchedule, site=platform_site)
class CrontabScheduleAdmin(JournaledAdmin, beat.CrontabScheduleAdmin):
    pass


@register(ClockedSchedule, site=platform_site)
class ClockedScheduleAdmin(JournaledAdmin, beat.ClockedScheduleAdmin):
    pass


@register(Heartbeat, site=platform_site)
class HeartbeatAdmin(PlatformAdmin):
    list_display = ["name", "beat", "state"]
    fields = ["name", "beat", "state"]
    readonly_fields = ["name", "beat", "state"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="last beat", ordering="beat_at")
    def beat(self, heartbeat: Heartbeat) -> str:
        return utc(heartbeat.beat_at)

    @display(description="state")
    def state(self, heartbeat: Heartbeat) -> SafeString:
        is_fresh = heartbeat.is_fresh(now=clock.read())
        return chip("Beating", "run") if is_fresh else chip("Silent", "bad")
