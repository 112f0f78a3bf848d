"""Hours: each campaign has one weekly schedule, from the beginning; its windows change together."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin import TabularInline, display, register
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.roles import Right
from campaigns.services import schedules as services
from dayparting.models import Schedule, Window
from dayparting.windows import WindowLine, is_open, weekly_hours
from kernel import clock

from ..choosing import archived_filter, brand_filter
from ..sites import agency_site
from ..words import chip, label_of, weekly
from .rights import AgencyAdmin, actor_of, may

if TYPE_CHECKING:
    _TabularInline = TabularInline[Window, Schedule]
    _ModelForm = forms.ModelForm[Window]
else:
    _TabularInline = TabularInline
    _ModelForm = forms.ModelForm

_FIELDS = ("day_of_week", "start_time", "end_time", "is_active")


class WindowForm(_ModelForm):
    class Meta:
        model = Window
        fields = _FIELDS
        widgets = {
            name: forms.TimeInput(attrs={"type": "time", "step": 60}, format="%H:%M:%S")
            for name in ("start_time", "end_time")
        }


class Windows(_TabularInline):
    model = Window
    form = WindowForm
    fields = _FIELDS
    extra = 1
    verbose_name_plural = (
        "Windows, in the brand's local time; past midnight where the end is earlier"
    )

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


@register(Schedule, site=agency_site)
class ScheduleAdmin(AgencyAdmin):
    brand_path = "campaign__brand"
    edit_right = Right.EDIT_SCHEDULES
    can_add = False
    inlines = [Windows]
    search_fields = ["campaign__name", "campaign__brand__name"]
    search_help_text = "Campaign or brand"
    list_display = ["campaign_name", "brand", "hours", "state"]
    list_filter = [
        brand_filter("campaign__brand"),
        archived_filter(Q(campaign__archived_at__isnull=False)),
    ]
    ordering = ["campaign__name", "id"]
    readonly_fields = ["campaign_name", "brand", "zone", "hours", "state"]
    fields = [*readonly_fields]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        rows = super().get_queryset(request).exclude(campaign=None)
        return rows.select_related("campaign__brand").prefetch_related("windows")

    def has_change_permission(self, request: HttpRequest, obj: Schedule | None = None) -> bool:
        is_kept = obj is not None and obj.campaign.archived_at is not None
        return super().has_change_permission(request, obj) and not is_kept

    def title_of(self, row: Schedule) -> str:
        return label_of(row.campaign)

    @display(description="campaign", ordering="campaign__name")
    def campaign_name(self, schedule: Schedule) -> str:
        return schedule.campaign.name

    @display(description="brand", ordering="campaign__brand__name")
    def brand(self, schedule: Schedule) -> str:
        return schedule.campaign.brand.name

    @display(description="time zone")
    def zone(self, schedule: Schedule) -> str:
        return schedule.campaign.brand.time_zone

    @display(description="hours")
    def hours(self, schedule: Schedule) -> str:
        return weekly(schedule.windows.all())

    @display(description="now")
    def state(self, schedule: Schedule) -> str:
        lines = _lines(schedule.windows.all())
        calendar = schedule.campaign.brand.calendar
        if is_open(weekly_hours(lines), calendar, now=clock.read()):
            return chip("Open", "run")
        return chip("Closed", "wait")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A schedule has nothing of its own to store: its windows are."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Store all changes of windows by one service, so that they are decided on once."""
        formset.save(commit=False)
        removed = [window.pk for window in formset.deleted_objects]
        changed = {window.pk: _values(window, fields) for window, fields in formset.changed_objects}
        if not (removed or changed or formset.new_objects):
            return
        services.change_windows(
            campaign_id=form.instance.campaign.pk,
            add=[services.NewWindow(**_values(window, _FIELDS)) for window in formset.new_objects],
            update=changed,
            remove=removed,
            now=clock.read(),
            by=actor_of(request),
        )


def _values(window: Window, fields: Iterable[str]) -> Any:
    return {name: getattr(window, name) for name in fields}


def _lines(windows: Iterable[Window]) -> tuple[WindowLine, ...]:
    """Return the active windows as the rule takes them."""
    return tuple(
        sorted(
            WindowLine(window.day_of_week, window.start_time, window.end_time)
            for window in windows
            if window.is_active
        )
    )
