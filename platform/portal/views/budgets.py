"""What people do with any budget: set its limits, adjust it, take back, resume what waits."""

from collections.abc import Collection
from datetime import date
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.roles import Right
from budgets.adjusting import is_in_force
from budgets.models import Budget, BudgetAdjustment, BudgetChange
from budgets.queries import NO_FIGURES, figures_on
from budgets.services import current_limits
from campaigns.models import PAUSE, WAITS, Campaign, Hold, Status
from campaigns.queries import brand_days
from campaigns.services import budgets, campaigns
from campaigns.services.budgets import LimitChanges
from kernel import clock
from kernel.errors import Conflict, NotFound

from .. import seen
from ..access import PortalRequest, page, way_back
from ..budget_cards import adjustment_sentence, budget_called, day_text, page_of, told_changes
from ..forms.budgets import AdjustmentForm, LimitsForm
from ..gauges import gauges
from ..paging import cut
from ..params import page_in

HISTORY_A_PAGE = 50


@page(Right.EDIT_BUDGETS)
def adjust(request: PortalRequest, budget_id: UUID) -> HttpResponse:
    """Give a budget more, or less, for its brand's running day or month."""
    budget = _find_kept(request, budget_id)
    brand, now = budget.brand, clock.read()
    form = AdjustmentForm.for_brand(brand, request.POST or None, now=now)
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            given = budgets.adjust_budget(
                budget_id=budget.id, **form.cleaned_data, now=now, by=request.user.actor
            )
            told = adjustment_sentence(given, brand, now=now)
            messages.success(request, f"{budget_called(budget)} is given {told}.")
            return redirect(page_of(budget))
    figures = figures_on(brand_days([brand], now=now), now=now, budget_ids=[budget.id])
    context = {
        **_named(budget),
        "form": form,
        "gauges": gauges(figures.get(budget.id, NO_FIGURES), currency=brand.currency),
    }
    return render(request, "portal/adjustment_form.html", context)


@page(Right.EDIT_BUDGETS)
def limits(request: PortalRequest, budget_id: UUID) -> HttpResponse:
    """Change what a budget may spend, and what happens when that is spent."""
    budget = _find_kept(request, budget_id)
    now = clock.read()
    current = current_limits(budget, on=budget.brand.calendar.today(now))
    form = LimitsForm.for_budget(budget, current, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            budgets.update_budget(
                budget_id=budget.id,
                changes=cast("LimitChanges", form.changes()),
                now=now,
                by=request.user.actor,
            )
            messages.success(request, f"The limits of {budget_called(budget)} are saved.")
            return redirect(page_of(budget))
    return render(request, "portal/limits_form.html", {**_named(budget), "form": form})


@require_POST
@page(Right.EDIT_BUDGETS)
def withdraw(request: PortalRequest, budget_id: UUID, adjustment_id: UUID) -> HttpResponse:
    """Take an adjustment back before its end."""
    budget = _find_kept(request, budget_id)
    try:
        budgets.withdraw_adjustment(
            budget_id=budget.id,
            adjustment_id=adjustment_id,
            now=clock.read(),
            by=request.user.actor,
        )
        messages.success(request, f"{budget_called(budget)}: the adjustment is withdrawn.")
    except Conflict as refusal:
        messages.error(request, refusal.message)
    return redirect(way_back(request, page_of(budget)))


@require_POST
@page(Right.EDIT_BUDGETS)
def take_back(request: PortalRequest, budget_id: UUID) -> HttpResponse:
    """Take back the limits that were to begin on a coming `day`."""
    budget = _find_kept(request, budget_id)
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
    except ValueError:
        raise BadRequest("No such day.") from None
    try:
        budgets.withdraw_limits(
            budget_id=budget.id, from_day=day, now=clock.read(), by=request.user.actor
        )
        told = f"{budget_called(budget)}: what was to begin on {day_text(day)} is taken back."
        messages.success(request, told)
    except (Conflict, NotFound) as refusal:
        messages.error(request, refusal.message)
    return redirect(way_back(request, page_of(budget)))


@require_POST
@page(Right.EDIT_CAMPAIGNS)
def resume(request: PortalRequest, budget_id: UUID) -> HttpResponse:
    """Resume the campaigns that wait for a person since a limit of this budget was spent.

    What somebody paused by hand besides stays paused.
    """
    budget = _find_kept(request, budget_id)
    waiting = Hold.objects.filter(
        budget=budget, origin=WAITS, released_at=None, campaign__is_live=True
    )
    by_hand = Hold.objects.filter(origin=PAUSE, released_at=None).values("campaign")
    ids = set(waiting.exclude(campaign__in=by_hand).values_list("campaign_id", flat=True))
    try:
        campaigns.command(
            campaign_ids=ids, status="ACTIVE", now=clock.read(), by=request.user.actor
        )
        messages.success(request, _told_resumed(ids))
    except Conflict as refusal:
        messages.error(request, refusal.message)
    return redirect(way_back(request, page_of(budget)))


def _told_resumed(ids: Collection[UUID]) -> str:
    if not ids:
        return "Nothing waits here any more."
    told = f"{len(ids)} campaign{'s' if len(ids) > 1 else ''} resumed."
    held = Campaign.objects.filter(id__in=ids, status=Status.PAUSED).count()
    return f"{told} Of them {held} still held, for other reasons." if held else told


@page()
def history(request: PortalRequest, budget_id: UUID) -> HttpResponse:
    """Every change of a budget and every adjustment that it was given, the newest first."""
    budget = _find(request, budget_id)
    brand, number, now = budget.brand, page_in(request), clock.read()
    changes, changes_place = cut(
        BudgetChange.objects.filter(budget=budget).order_by("-id"),
        number=number,
        size=HISTORY_A_PAGE,
    )
    given, given_place = cut(
        BudgetAdjustment.objects.filter(budget=budget).order_by("-given_at", "-id"),
        number=number,
        size=HISTORY_A_PAGE,
    )
    has_next = changes_place.has_next or given_place.has_next
    context = {
        **_named(budget),
        "changes": told_changes(changes, brand),
        "given": [
            (
                row,
                adjustment_sentence(row, brand, now=now),
                is_in_force(row, brand.calendar, now=now),
            )
            for row in given
        ],
        "page": changes_place._replace(has_next=has_next),
    }
    return render(request, "portal/budget_history.html", context)


def _find(request: PortalRequest, budget_id: UUID) -> Budget:
    rows = seen.budgets(request).select_related("brand", "campaign", "parent__parent")
    return get_object_or_404(rows, id=budget_id)


def _find_kept(request: PortalRequest, budget_id: UUID) -> Budget:
    """Find a budget that may still be changed: nothing of it is archived."""
    rows = seen.budgets(request).select_related("brand", "campaign", "parent__parent")
    return get_object_or_404(
        rows, id=budget_id, brand__archived_at=None, campaign__archived_at=None
    )


def _named(budget: Budget) -> dict[str, object]:
    """Return what a budget's own pages call it, and where they lead back to."""
    return {
        "budget": budget,
        "brand": budget.brand,
        "called": budget_called(budget),
        "back": page_of(budget),
    }
