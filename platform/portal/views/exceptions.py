"""Exceptions by date, of a campaign's own hours or of a shared schedule."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.roles import Right
from campaigns.models import Campaign
from campaigns.services import exceptions
from campaigns.services.exceptions import ExceptionChanges
from dayparting.models import Schedule, ScheduleException
from kernel import clock
from kernel.errors import DomainError

from .. import seen
from ..access import PortalRequest, page
from ..forms.schedules import ExceptionForm
from .schedules import campaign_of, page_of, where


@page(Right.EDIT_SCHEDULES)
def new_own(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """Add a day to a campaign's own hours on which its week does not count."""
    rows = seen.campaigns(request).select_related("brand", "schedule")
    campaign = get_object_or_404(rows, id=campaign_id)
    return _new(request, campaign.schedule, campaign)


@page(Right.EDIT_SCHEDULES)
def new_shared(request: PortalRequest, schedule_id: UUID) -> HttpResponse:
    """Add such a day to a shared schedule."""
    schedule = get_object_or_404(seen.schedules(request).exclude(name=""), id=schedule_id)
    return _new(request, schedule, None)


def _new(request: PortalRequest, schedule: Schedule, campaign: Campaign | None) -> HttpResponse:
    form = ExceptionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            added = exceptions.add_exception(
                campaign_id=campaign.id if campaign else None,
                schedule_id=None if campaign else schedule.id,
                **form.values(),
                now=clock.read(),
                by=request.user.actor,
            )
            messages.success(request, _told(added))
            return redirect(page_of(schedule, campaign))
    context = {"form": form, **where(schedule, campaign)}
    return render(request, "portal/exception_form.html", context)


@page(Right.EDIT_SCHEDULES)
def edit(request: PortalRequest, exception_id: UUID) -> HttpResponse:
    """Change the day, its hours or its note."""
    exception = _find(request, exception_id)
    campaign = campaign_of(exception.schedule)
    form = ExceptionForm.for_exception(exception, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            changed = exceptions.update_exception(
                exception_id=exception.id,
                changes=cast("ExceptionChanges", form.values()),
                now=clock.read(),
                by=request.user.actor,
            )
            messages.success(request, _told(changed))
            return redirect(page_of(exception.schedule, campaign))
    context = {"form": form, "exception": exception, **where(exception.schedule, campaign)}
    return render(request, "portal/exception_form.html", context)


@require_POST
@page(Right.EDIT_SCHEDULES)
def remove(request: PortalRequest, exception_id: UUID) -> HttpResponse:
    """Remove an exception: its day is like any other of its weekday again."""
    exception = _find(request, exception_id)
    try:
        exceptions.remove_exception(
            exception_id=exception.id, now=clock.read(), by=request.user.actor
        )
        messages.success(
            request, f"{_named(exception)} is like any other {exception.day:%A} again."
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect(page_of(exception.schedule, campaign_of(exception.schedule)))


def _find(request: PortalRequest, exception_id: UUID) -> ScheduleException:
    rows = seen.exceptions(request).select_related("schedule")
    return get_object_or_404(rows, id=exception_id)


def _told(exception: ScheduleException) -> str:
    what = "has hours of its own" if exception.starts else "is closed"
    return f"{_named(exception)} {what}."


def _named(exception: ScheduleException) -> str:
    day = exception.day
    return f"{day:%a} {day.day} {day:%b %Y}"
