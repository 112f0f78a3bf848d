"""A campaign's week: its windows, in its brand's local time."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.roles import Right
from campaigns.models import Campaign
from campaigns.services import schedules
from campaigns.services.schedules import NewWindow, WindowChanges
from dayparting.models import Weekday, Window
from kernel import clock
from kernel.errors import DomainError

from .. import seen
from ..access import PortalRequest, page
from ..charts import week_timetable
from ..forms.schedules import CopyDayForm, NewWindowForm, WindowForm


@page()
def show(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """The timetable, its windows by day, and the forms to add and to copy."""
    return _week(request, _find(request, campaign_id))


def _week(
    request: PortalRequest,
    campaign: Campaign,
    *,
    add: NewWindowForm | None = None,
    copy: CopyDayForm | None = None,
) -> HttpResponse:
    calendar, now = campaign.brand.calendar, clock.read()
    windows = list(Window.objects.filter(schedule_id=campaign.schedule_id))
    by_day = [(day, [w for w in windows if w.day_of_week == day.value]) for day in Weekday]
    context = {
        "campaign": campaign,
        "brand": campaign.brand,
        "week": week_timetable(windows, local_now=calendar.local(now)),
        "by_day": by_day,
        "windows": windows,
        "has_windows": any(window.is_active for window in windows),
        "local_now": calendar.local(now),
        "zone": calendar.zone_at(now),
        "add": add or NewWindowForm(),
        "copy": copy or CopyDayForm(),
    }
    return render(request, "portal/schedule.html", context)


@require_POST
@page(Right.EDIT_SCHEDULES)
def add(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """Add a window to one or more weekdays at once."""
    campaign = _find(request, campaign_id)
    form = NewWindowForm(request.POST)
    if form.is_valid():
        start, end = form.cleaned_data["start_time"], form.cleaned_data["end_time"]
        days = form.cleaned_data["days"]
        with form.refusals():
            schedules.change_windows(
                campaign_id=campaign.id,
                add=[NewWindow(day, start, end) for day in days],
                now=clock.read(),
                by=request.user.actor,
            )
            messages.success(request, f"{start:%H:%M}–{end:%H:%M} added on {_names(days)}.")
            return redirect("portal:schedule", campaign.id)
    return _week(request, campaign, add=form)


@require_POST
@page(Right.EDIT_SCHEDULES)
def copy(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """Copy a weekday's windows to other weekdays, in one go."""
    campaign = _find(request, campaign_id)
    form = CopyDayForm(request.POST)
    if form.is_valid():
        source = form.cleaned_data["source"]
        targets = [day for day in form.cleaned_data["targets"] if day != source]
        windows = list(Window.objects.filter(schedule_id=campaign.schedule_id))
        replaced = targets if form.cleaned_data["replace"] else []
        with form.refusals():
            schedules.change_windows(
                campaign_id=campaign.id,
                add=_copies(windows, source, targets),
                remove=[w.id for w in windows if w.day_of_week in replaced],
                now=clock.read(),
                by=request.user.actor,
            )
            messages.success(request, f"{Weekday(source).label} copied to {_names(targets)}.")
            return redirect("portal:schedule", campaign.id)
    return _week(request, campaign, copy=form)


def _copies(windows: list[Window], source: int, targets: list[int]) -> list[NewWindow]:
    return [
        NewWindow(day, window.start_time, window.end_time, window.is_active)
        for day in targets
        for window in windows
        if window.day_of_week == source
    ]


def _names(days: list[int]) -> str:
    return ", ".join(Weekday(day).label for day in sorted(days)) or "no other day"


@page(Right.EDIT_SCHEDULES)
def edit(request: PortalRequest, window_id: UUID) -> HttpResponse:
    """Change one window."""
    window = get_object_or_404(seen.windows(request), id=window_id)
    campaign = _campaign_of(request, window)
    initial = {
        name: getattr(window, name)
        for name in ("day_of_week", "start_time", "end_time", "is_active")
    }
    form = WindowForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            changed = schedules.update_window(
                window_id=window.id,
                changes=cast("WindowChanges", form.cleaned_data),
                now=clock.read(),
                by=request.user.actor,
            )
            messages.success(request, f"{changed} is saved.")
            return redirect("portal:schedule", campaign.id)
    context = {"form": form, "window": window, "campaign": campaign, "brand": campaign.brand}
    return render(request, "portal/window_form.html", context)


@require_POST
@page(Right.EDIT_SCHEDULES)
def remove(request: PortalRequest, window_id: UUID) -> HttpResponse:
    """Remove one window."""
    window = get_object_or_404(seen.windows(request), id=window_id)
    campaign = _campaign_of(request, window)
    try:
        schedules.remove_window(window_id=window.id, now=clock.read(), by=request.user.actor)
        messages.success(request, f"{window} is removed.")
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("portal:schedule", campaign.id)


def _find(request: PortalRequest, campaign_id: UUID) -> Campaign:
    return get_object_or_404(seen.campaigns(request).select_related("brand"), id=campaign_id)


def _campaign_of(request: PortalRequest, window: Window) -> Campaign:
    return get_object_or_404(
        seen.campaigns(request).select_related("brand"), schedule_id=window.schedule_id
    )
