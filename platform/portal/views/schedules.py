"""A campaign's hours: its own week, or the shared schedule that it uses; and single windows."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.roles import Right
from campaigns.models import Campaign
from campaigns.services import campaigns, schedules
from campaigns.services.schedules import NewWindow, WindowChanges
from dayparting.models import Schedule, Window
from kernel import clock
from kernel.errors import DomainError

from .. import seen
from ..access import PortalRequest, page
from ..forms.schedules import ChooseScheduleForm, CopyDayForm, NewWindowForm, WindowForm
from ..hours import hours_shown, shared_schedules


@page()
def show(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """The timetable, its windows by day, its exceptions, and the forms that change them."""
    return _week(request, _find(request, campaign_id))


def _week(
    request: PortalRequest,
    campaign: Campaign,
    *,
    add: NewWindowForm | None = None,
    copy: CopyDayForm | None = None,
    choose: ChooseScheduleForm | None = None,
) -> HttpResponse:
    calendar, now = campaign.brand.calendar, clock.read()
    used = campaign.shared_schedule_id or campaign.schedule_id
    local_now = calendar.local(now)
    shared = list(shared_schedules(request))
    chosen = campaign.shared_schedule_id
    context = {
        "campaign": campaign,
        "brand": campaign.brand,
        "hours": hours_shown(used, today=local_now.date(), local_now=local_now),
        "shared": campaign.shared_schedule,
        "local_now": local_now,
        "zone": calendar.zone_at(now),
        "add": add or NewWindowForm(),
        "copy": copy or CopyDayForm(),
        # Without a schedule to share there is nothing to choose.
        "choose": choose or (ChooseScheduleForm.among(shared, chosen) if shared else None),
    }
    return render(request, "portal/schedule.html", context)


@require_POST
@page(Right.EDIT_CAMPAIGNS)
def choose(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """Let a campaign run by its own hours, or by a shared schedule."""
    campaign = _find(request, campaign_id)
    form = ChooseScheduleForm.among(
        shared_schedules(request), campaign.shared_schedule_id, data=request.POST
    )
    if form.is_valid():
        with form.refusals():
            changed = campaigns.update_campaign(
                campaign_id=campaign.id,
                changes={"shared_schedule": form.cleaned_data["shared_schedule"]},
                now=clock.read(),
                by=request.user.actor,
            )
            schedule = changed.shared_schedule
            by = schedule.name if schedule else "its own hours"
            messages.success(request, f"{changed.name} runs by {by} from now on.")
            return redirect("portal:schedule", campaign.id)
    return _week(request, campaign, choose=form)


@require_POST
@page(Right.EDIT_SCHEDULES)
def add(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """Add a window to one or more weekdays at once."""
    campaign = _find(request, campaign_id)
    form = NewWindowForm(request.POST)
    if form.is_valid():
        with form.refusals():
            schedules.change_windows(
                campaign_id=campaign.id,
                add=form.windows(),
                now=clock.read(),
                by=request.user.actor,
            )
            messages.success(request, form.told())
            return redirect("portal:schedule", campaign.id)
    return _week(request, campaign, add=form)


@require_POST
@page(Right.EDIT_SCHEDULES)
def copy(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """Copy a weekday's windows to other weekdays, in one go."""
    campaign = _find(request, campaign_id)
    form = CopyDayForm(request.POST)
    if form.is_valid():
        with form.refusals():
            copies, replaced = copied(form, campaign.schedule_id)
            schedules.change_windows(
                campaign_id=campaign.id,
                add=copies,
                remove=replaced,
                now=clock.read(),
                by=request.user.actor,
            )
            messages.success(request, form.told())
            return redirect("portal:schedule", campaign.id)
    return _week(request, campaign, copy=form)


def copied(form: CopyDayForm, schedule_id: UUID) -> tuple[list[NewWindow], list[UUID]]:
    """Return the windows that a copy of a day adds to a schedule, and the ids it replaces."""
    source, targets = form.cleaned_data["source"], form.other_days()
    windows = list(Window.objects.filter(schedule_id=schedule_id))
    replaced = targets if form.cleaned_data["replace"] else []
    copies = [
        NewWindow(day, window.start_time, window.end_time, window.is_active)
        for day in targets
        for window in windows
        if window.day_of_week == source
    ]
    return copies, [window.id for window in windows if window.day_of_week in replaced]


@page(Right.EDIT_SCHEDULES)
def edit(request: PortalRequest, window_id: UUID) -> HttpResponse:
    """Change one window."""
    window = get_object_or_404(seen.windows(request).select_related("schedule"), id=window_id)
    campaign = campaign_of(window.schedule)
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
            return redirect(page_of(window.schedule, campaign))
    context = {"form": form, "window": window, **where(window.schedule, campaign)}
    return render(request, "portal/window_form.html", context)


@require_POST
@page(Right.EDIT_SCHEDULES)
def remove(request: PortalRequest, window_id: UUID) -> HttpResponse:
    """Remove one window."""
    window = get_object_or_404(seen.windows(request).select_related("schedule"), id=window_id)
    try:
        schedules.remove_window(window_id=window.id, now=clock.read(), by=request.user.actor)
        messages.success(request, f"{window} is removed.")
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect(page_of(window.schedule, campaign_of(window.schedule)))


def _find(request: PortalRequest, campaign_id: UUID) -> Campaign:
    rows = seen.campaigns(request).select_related("brand", "shared_schedule")
    return get_object_or_404(rows, id=campaign_id)


def campaign_of(schedule: Schedule) -> Campaign | None:
    """Return the campaign whose own schedule it is, with its brand; a shared one is nobody's."""
    if schedule.name:
        return None
    return get_object_or_404(Campaign.objects.select_related("brand"), schedule=schedule)


def page_of(schedule: Schedule, campaign: Campaign | None) -> str:
    """Return the page on which a schedule is edited."""
    if campaign is None:
        return reverse("portal:shared_schedule", args=[schedule.id])
    return reverse("portal:schedule", args=[campaign.id])


def where(schedule: Schedule, campaign: Campaign | None) -> dict[str, object]:
    """Return what a form's page says of the schedule that it belongs to."""
    told: dict[str, object] = {"back": page_of(schedule, campaign)}
    if campaign is None:
        return {**told, "shared": schedule}
    zone = campaign.brand.calendar.zone_at(clock.read())
    return {**told, "campaign": campaign, "brand": campaign.brand, "zone": zone}
