"""Hours: each campaign's own week and exceptions, and the schedules that campaigns share."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict
from uuid import UUID

from django import forms
from django.contrib.admin import TabularInline, display, register
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from accounts.roles import Right
from campaigns.queries import schedules_seen
from campaigns.services import exceptions, shared_schedules
from campaigns.services import schedules as services
from campaigns.services.exceptions import ExceptionChanges, NewException
from dayparting.models import Schedule, ScheduleException, SharedSchedule, Window
from dayparting.sentences import weekly
from kernel import clock
from kernel.actor import Actor

from ..access import access_of
from ..choosing import archived_filter, brand_filter
from ..figures import gather_schedules, shown
from ..refusals import RefusableForm
from ..sites import agency_site
from ..words import chip, label_of
from .days import DayHoursField, day_hours
from .removal import RemovingAdmin
from .rights import AgencyAdmin, FiguredAdmin, actor_of, become, may

if TYPE_CHECKING:
    _TabularInline = TabularInline[Any, Schedule]
    _ModelForm = forms.ModelForm[Window]
else:
    _TabularInline = TabularInline
    _ModelForm = forms.ModelForm

_FIELDS = ("day_of_week", "start_time", "end_time", "is_active")


class Whose(TypedDict, total=False):
    """Whose hours these are, as services are told it: one of the two."""

    campaign_id: UUID
    schedule_id: UUID


class WindowForm(_ModelForm):
    class Meta:
        model = Window
        fields = _FIELDS
        widgets: ClassVar = {
            name: forms.TimeInput(attrs={"type": "time", "step": 60}, format="%H:%M:%S")
            for name in ("start_time", "end_time")
        }


class ExceptionForm(RefusableForm):
    """An exception, its hours as a text; the rules are the service's."""

    hours = DayHoursField()

    class Meta:
        model = ScheduleException
        fields = ("day", "note")

    field_order = ("day", "hours", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["hours"] = day_hours(self.instance)


class HoursInline(_TabularInline):
    """Lines of a schedule, for whoever may edit schedules."""

    extra = 1

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, Right.VIEW)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, Right.EDIT_SCHEDULES)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, Right.EDIT_SCHEDULES)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, Right.EDIT_SCHEDULES)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # The browser's own field for times; the admin's would bring a script of its own.
        if db_field.name in ("start_time", "end_time"):
            return db_field.formfield(**kwargs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class Windows(HoursInline):
    model = Window
    form = WindowForm
    fields = _FIELDS
    verbose_name_plural = (
        "Windows, in the brand's local time; past midnight where the end is earlier"
    )


class Exceptions(HoursInline):
    model = ScheduleException
    form = ExceptionForm
    fields = ("day", "hours", "note")
    ordering = ("-day",)
    verbose_name = "exception"
    verbose_name_plural = "Exceptions by date: on these days the week does not count"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if may(request, Right.EDIT_SCHEDULES) else ("day", "told", "note")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if may(request, Right.EDIT_SCHEDULES) else ("told",)

    @display(description="hours")
    def told(self, row: ScheduleException) -> str:
        return day_hours(row) or "closed"


class HoursAdmin(AgencyAdmin):
    """A schedule whose windows and exceptions are stored by services, each kind at once."""

    edit_right = Right.EDIT_SCHEDULES
    inlines = [Windows, Exceptions]

    def whose(self, schedule: Any) -> Whose:
        """Return how services name the schedule."""
        raise NotImplementedError

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Store all changes of one kind by one service, so that they are decided on once."""
        formset.save(commit=False)
        removed = [row.pk for row in formset.deleted_objects]
        if not (removed or formset.changed_objects or formset.new_objects):
            return
        store = _store_windows if formset.model is Window else _store_exceptions
        store(formset, removed, whose=self.whose(form.instance), by=actor_of(request))


def _store_windows(formset: Any, removed: list[UUID], *, whose: Whose, by: Actor) -> None:
    changed = {window.pk: _values(window, fields) for window, fields in formset.changed_objects}
    services.change_windows(
        **whose,
        add=[services.NewWindow(**_values(window, _FIELDS)) for window in formset.new_objects],
        update=changed,
        remove=removed,
        now=clock.read(),
        by=by,
    )


def _store_exceptions(formset: Any, removed: list[UUID], *, whose: Whose, by: Actor) -> None:
    said: dict[UUID, ExceptionChanges] = {
        form.instance.pk: {
            "day": form.cleaned_data["day"],
            "hours": form.cleaned_data["hours"],
            "note": form.cleaned_data["note"],
        }
        for form in formset.forms
        if form.has_changed()
    }
    exceptions.change_exceptions(
        **whose,
        add=[NewException(**said[row.pk]) for row in formset.new_objects],
        update={row.pk: said[row.pk] for row, _ in formset.changed_objects},
        remove=removed,
        now=clock.read(),
        by=by,
    )


def _values(window: Window, fields: Iterable[str]) -> Any:
    return {name: getattr(window, name) for name in fields}


@register(Schedule, site=agency_site)
class ScheduleAdmin(HoursAdmin, FiguredAdmin):
    """Campaigns' own hours: each has a schedule from the beginning."""

    brand_path = "campaign__brand"
    can_add = False
    search_fields = ["campaign__name", "campaign__brand__name"]
    search_help_text = "Campaign or brand"
    list_display = ["campaign_name", "brand", "hours", "shared", "state"]
    list_filter = [
        brand_filter("campaign__brand"),
        archived_filter(Q(campaign__archived_at__isnull=False)),
    ]
    ordering = ["campaign__name", "id"]
    readonly_fields = ["campaign_name", "brand", "zone", "hours", "shared", "state"]
    fields = [*readonly_fields]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        rows = super().get_queryset(request).exclude(campaign=None)
        related = ("campaign__brand", "campaign__shared_schedule")
        return rows.select_related(*related).prefetch_related("windows")

    def gather(self, rows: Sequence[Schedule], *, now: datetime) -> None:
        gather_schedules(rows, now=now)

    def has_change_permission(self, request: HttpRequest, obj: Schedule | None = None) -> bool:
        is_kept = obj is not None and obj.campaign.archived_at is not None
        return super().has_change_permission(request, obj) and not is_kept

    def title_of(self, row: Schedule) -> str:
        return label_of(row.campaign)

    def whose(self, schedule: Any) -> Whose:
        return {"campaign_id": schedule.campaign.pk}

    @display(description="campaign", ordering="campaign__name")
    def campaign_name(self, schedule: Schedule) -> str:
        return schedule.campaign.name

    @display(description="brand", ordering="campaign__brand__name")
    def brand(self, schedule: Schedule) -> str:
        return schedule.campaign.brand.name

    @display(description="time zone")
    def zone(self, schedule: Schedule) -> str:
        return schedule.campaign.brand.calendar.zone_at(clock.read())

    @display(description="own hours")
    def hours(self, schedule: Schedule) -> str:
        return weekly(schedule.windows.all())

    @display(description="runs by", empty_value="its own hours")
    def shared(self, schedule: Schedule) -> str | None:
        used = schedule.campaign.shared_schedule
        return used.name if used else None

    @display(description="now")
    def state(self, schedule: Schedule) -> str:
        return chip("Open", "run") if shown(schedule).is_open else chip("Closed", "wait")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A schedule has nothing of its own to store: its lines are."""


@register(SharedSchedule, site=agency_site)
class SharedScheduleAdmin(HoursAdmin, RemovingAdmin):
    """Schedules with a name: what is changed here is acted on for every campaign that uses them."""

    # Of no one brand: `get_queryset` asks who uses them.
    brand_path = None
    actions = []
    search_fields = ["name"]
    search_help_text = "Name"
    list_display = ["name", "hours", "used_by"]
    readonly_fields = ["used_by"]
    ordering = ["name", "id"]

    def get_fields(self, request: HttpRequest, obj: Schedule | None = None) -> Any:
        return ["name", "used_by"] if obj else ["name"]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        form = super().get_form(request, obj, change, **kwargs)
        if "name" in form.base_fields:
            # Without a name it would be somebody's own.
            form.base_fields["name"].required = True
        return form

    def get_queryset(self, request: HttpRequest) -> QuerySet[SharedSchedule]:
        access = access_of(request)
        rows = super().get_queryset(request).exclude(name="")
        if access.is_limited:
            rows = rows.filter(id__in=schedules_seen(access).values("id"))
        used = Count("users", filter=Q(users__archived_at=None) & access.within("users__brand"))
        return rows.annotate(campaigns=used).prefetch_related("windows")

    def whose(self, schedule: Any) -> Whose:
        return {"schedule_id": schedule.pk}

    @display(description="hours")
    def hours(self, schedule: Schedule) -> str:
        return weekly(schedule.windows.all())

    @display(description="campaigns", ordering="campaigns")
    def used_by(self, schedule: Any) -> int:
        count: int = schedule.campaigns
        return count

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        name = form.cleaned_data["name"]
        if not change:
            become(obj, shared_schedules.create_shared_schedule(name=name, by=actor_of(request)))
        elif "name" in form.changed_data:
            shared_schedules.update_shared_schedule(
                schedule_id=obj.pk, changes={"name": name}, now=clock.read(), by=actor_of(request)
            )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        lines = [f"{schedule}: with its windows and exceptions" for schedule in objs]
        return lines, {"shared schedules": len(lines)}, set(), []

    def remove(self, row: Schedule, *, now: datetime, by: Actor) -> None:
        shared_schedules.remove_shared_schedule(schedule_id=row.pk, by=by)
