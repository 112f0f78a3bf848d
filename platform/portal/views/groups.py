"""Budget groups: limits that some campaigns of a brand share."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.roles import Right
from budgets.models import Brand, Budget, BudgetKind
from budgets.queries import NO_FIGURES, figures_on
from budgets.services import current_limits, root_of
from campaigns.models import Campaign
from campaigns.queries import brand_days
from campaigns.services import budgets
from campaigns.services.budgets import LimitChanges
from kernel import clock
from kernel.errors import Conflict

from .. import seen
from ..access import PortalRequest, page
from ..budget_cards import budget_card
from ..charts import month_chart, pick_month
from ..forms.budgets import GroupForm, NewGroupForm
from ..gauges import gauges, month_pace
from ..overview import campaign_lines
from ..paging import cut
from ..params import month_in, page_in
from ..series import month_series
from . import live

CAMPAIGNS_A_PAGE = 50


@page()
def show(request: PortalRequest, group_id: UUID) -> HttpResponse:
    """The group's day and month, what bears on its budget, and its campaigns."""
    rows = seen.budgets(request).select_related("brand", "parent__brand")
    group = get_object_or_404(rows, id=group_id, kind=BudgetKind.GROUP)
    brand, now = group.brand, clock.read()
    found, place = cut(_campaigns(group), number=page_in(request), size=CAMPAIGNS_A_PAGE)
    shown = [group.id, *(campaign.budget_id for campaign in found)]
    figures = figures_on(brand_days([brand], now=now), now=now, budget_ids=shown)
    own = figures.get(group.id, NO_FIGURES)
    today = brand.calendar.today(now)
    month, before, after = pick_month(month_in(request), today=today)
    series = month_series(group.id, month)
    pace = month_pace(brand.calendar, now=now)
    context = {
        "folds": live.folds(request),
        "group": group,
        "brand": brand,
        "gauges": gauges(own, currency=brand.currency, pace=pace),
        "card": budget_card(group, own, now=now),
        "lines": campaign_lines(found, figures, now=now),
        "page": place,
        "month": month,
        "month_before": before,
        "month_after": after,
        "series": series,
        "chart": month_chart(series, currency=brand.currency, today=today),
    }
    return live.answer(request, "portal/group.html", "portal/parts/group.html", context)


def _campaigns(group: Budget) -> QuerySet[Campaign]:
    rows = Campaign.objects.filter(budget__parent=group, archived_at=None)
    return rows.select_related("brand", "budget__parent").order_by("name", "id")


@page(Right.EDIT_BUDGETS)
def new(request: PortalRequest, brand_id: UUID) -> HttpResponse:
    """Make a group below a brand."""
    brand = get_object_or_404(seen.brands(request), id=brand_id, archived_at=None)
    form = NewGroupForm(request.POST or None)
    form.offer_modes(root_of(brand))
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            group = budgets.create_group(
                brand_id=brand.id,
                **form.cleaned_data,
                now=clock.read(),
                by=request.user.actor,
            )
            messages.success(request, f"{group.name} is here. Put campaigns into it.")
            return redirect("portal:brand", brand.id)
    return render(request, "portal/group_form.html", {"form": form, "brand": brand})


@page(Right.EDIT_BUDGETS)
def edit(request: PortalRequest, group_id: UUID) -> HttpResponse:
    """Change a group's name, its limits, and what happens when they are spent."""
    group, brand = _find(request, group_id)
    now = clock.read()
    limits = current_limits(group, on=brand.calendar.today(now))
    form = GroupForm.for_group(group, limits, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            changed = budgets.update_budget(
                budget_id=group.id,
                changes=cast("LimitChanges", form.changes()),
                now=now,
                by=request.user.actor,
            )
            messages.success(request, f"{changed.name} is saved.")
            return redirect("portal:group", group.id)
    context = {"form": form, "brand": brand, "group": group}
    return render(request, "portal/group_form.html", context)


@page(Right.EDIT_BUDGETS)
def remove(request: PortalRequest, group_id: UUID) -> HttpResponse:
    """Ask, then delete a group; its campaigns stay with the brand."""
    group, brand = _find(request, group_id)
    refusal = ""
    if request.method == "POST":
        try:
            budgets.remove_group(budget_id=group.id, now=clock.read(), by=request.user.actor)
            messages.success(request, f"{group.name} is deleted. Its campaigns stay.")
            return redirect("portal:brand", brand.id)
        except Conflict as conflict:
            refusal = conflict.message
    context = {"brand": brand, "group": group, "refusal": refusal}
    return render(request, "portal/group_remove.html", context)


def _find(request: PortalRequest, group_id: UUID) -> tuple[Budget, Brand]:
    group = get_object_or_404(
        seen.budgets(request).select_related("brand", "parent"),
        id=group_id,
        kind=BudgetKind.GROUP,
        brand__archived_at=None,
    )
    return group, group.brand
