"""Schedules with a name, which campaigns share: their hours, and who uses them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.roles import Right
from campaigns.services import schedules, shared_schedules
from dayparting.models import Schedule
from kernel import clock
from kernel.errors import Conflict, NotAllowed

from .. import hours, seen
from ..access import PortalRequest, page
from ..forms.schedules import CopyDayForm, NewWindowForm, SharedScheduleForm
from ..paging import cut
from ..params import page_in
from .schedules import copied

SCHEDULES_A_PAGE = 100
USERS_A_PAGE = 50


@page()
def index(request: PortalRequest) -> HttpResponse:
    """Every shared schedule, with how many campaigns use it."""
    rows = hours.shared_schedules(request).prefetch_related("windows")
    found, place = cut(rows, number=page_in(request), size=SCHEDULES_A_PAGE)
    return render(request, "portal/schedules.html", {"schedules": found, "page": place})


@page()
def show(request: PortalRequest, schedule_id: UUID) -> HttpResponse:
    """Its week, windows and exceptions, the campaigns that use it, and the forms that change it."""
    return _show(request, _find(request, schedule_id))


def _show(
    request: PortalRequest,
    schedule: Schedule,
    *,
    add: NewWindowForm | None = None,
    copy: CopyDayForm | None = None,
) -> HttpResponse:
    users = seen.campaigns(request).filter(shared_schedule=schedule, archived_at=None)
    found, place = cut(
        users.select_related("brand").order_by("brand__name", "name", "id"),
        number=page_in(request),
        size=USERS_A_PAGE,
    )
    now = clock.read()
    today = hours.earliest_today(now)
    context = {
        "shared": schedule,
        "hours": hours.hours_shown(schedule.id, today=today, local_now=None),
        "users": [(campaign, campaign.brand.calendar.zone_at(now)) for campaign in found],
        "page": place,
        "add": add or NewWindowForm(),
        "copy": copy or CopyDayForm(),
    }
    return render(request, "portal/shared_schedule.html", context)


def _find(request: PortalRequest, schedule_id: UUID) -> Schedule:
    return get_object_or_404(hours.shared_schedules(request), id=schedule_id)


@page(Right.EDIT_SCHEDULES)
def new(request: PortalRequest) -> HttpResponse:
    """Make a shared schedule; its hours come next."""
    form = SharedScheduleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            made = shared_schedules.create_shared_schedule(
                name=form.cleaned_data["name"], by=request.user.actor
            )
            messages.success(request, f"{made.name} is here. Add its first window.")
            return redirect("portal:shared_schedule", made.id)
    return render(request, "portal/shared_schedule_form.html", {"form": form})


@page(Right.EDIT_SCHEDULES)
def edit(request: PortalRequest, schedule_id: UUID) -> HttpResponse:
    """Give it another name."""
    schedule = _find(request, schedule_id)
    form = SharedScheduleForm(request.POST or None, initial={"name": schedule.name})
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            changed = shared_schedules.update_shared_schedule(
                schedule_id=schedule.id,
                changes={"name": form.cleaned_data["name"]},
                now=clock.read(),
                by=request.user.actor,
            )
            messages.success(request, f"{changed.name} is saved.")
            return redirect("portal:shared_schedule", schedule.id)
    context = {"form": form, "shared": schedule}
    return render(request, "portal/shared_schedule_form.html", context)


@page(Right.EDIT_SCHEDULES)
def remove(request: PortalRequest, schedule_id: UUID) -> HttpResponse:
    """Ask, then delete a schedule that no campaign uses."""
    schedule = _find(request, schedule_id)
    refusal = ""
    if request.method == "POST":
        try:
            shared_schedules.remove_shared_schedule(schedule_id=schedule.id, by=request.user.actor)
        except (Conflict, NotAllowed) as conflict:
            refusal = conflict.message
        else:
            messages.success(request, f"{schedule.name} is deleted.")
            return redirect("portal:schedules")
    context = {"shared": schedule, "refusal": refusal}
    return render(request, "portal/shared_schedule_remove.html", context)


@require_POST
@page(Right.EDIT_SCHEDULES)
def add(request: PortalRequest, schedule_id: UUID) -> HttpResponse:
    """Add a window to one or more weekdays at once."""
    schedule = _find(request, schedule_id)
    form = NewWindowForm(request.POST)
    if form.is_valid():
        with form.refusals():
            schedules.change_windows(
                schedule_id=schedule.id,
                add=form.windows(),
                now=clock.read(),
                by=request.user.actor,
            )
            messages.success(request, form.told())
            return redirect("portal:shared_schedule", schedule.id)
    return _show(request, schedule, add=form)


@require_POST
@page(Right.EDIT_SCHEDULES)
def copy(request: PortalRequest, schedule_id: UUID) -> HttpResponse:
    """Copy a weekday's windows to other weekdays, in one go."""
    schedule = _find(request, schedule_id)
    form = CopyDayForm(request.POST)
    if form.is_valid():
        with form.refusals():
            copies, replaced = copied(form, schedule.id)
            schedules.change_windows(
                schedule_id=schedule.id,
                add=copies,
                remove=replaced,
                now=clock.read(),
                by=request.user.actor,
            )
            messages.success(request, form.told())
            return redirect("portal:shared_schedule", schedule.id)
    return _show(request, schedule, copy=form)
