"""Budget groups: limits that some campaigns of a brand share."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.roles import Right
from budgets.models import Brand, Budget, BudgetKind
from budgets.services import current_limits
from campaigns.services import budgets
from campaigns.services.budgets import LimitChanges
from kernel import clock
from kernel.errors import Conflict

from ..access import PortalRequest, page
from ..forms.brands import GroupForm


@page(Right.EDIT_BUDGETS)
def new(request: PortalRequest, brand_id: UUID) -> HttpResponse:
    """Make a group below a brand."""
    brand = get_object_or_404(Brand, id=brand_id, archived_at=None)
    form = GroupForm(request.POST or None)
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
    """Change a group's name and limits."""
    group, brand = _find(group_id)
    now = clock.read()
    limits = current_limits(group, on=brand.calendar.today(now))
    form = GroupForm.for_group(group, limits, brand.currency, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            changed = budgets.update_budget(
                budget_id=group.id,
                changes=cast("LimitChanges", form.cleaned_data),
                now=now,
                by=request.user.actor,
            )
            messages.success(request, f"{changed.name} is saved.")
            return redirect("portal:brand", brand.id)
    context = {"form": form, "brand": brand, "group": group}
    return render(request, "portal/group_form.html", context)


@page(Right.EDIT_BUDGETS)
def remove(request: PortalRequest, group_id: UUID) -> HttpResponse:
    """Ask, then delete a group; its campaigns stay with the brand."""
    group, brand = _find(group_id)
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


def _find(group_id: UUID) -> tuple[Budget, Brand]:
    group = get_object_or_404(
        Budget.objects.select_related("brand"),
        id=group_id,
        kind=BudgetKind.GROUP,
        brand__archived_at=None,
    )
    return group, group.brand
