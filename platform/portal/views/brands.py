"""A brand: its figures, its campaigns and groups, its settings."""

from datetime import datetime
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.roles import Right
from budgets.models import Brand, Budget, BudgetKind
from budgets.queries import NO_FIGURES, figures_on
from budgets.services import current_limits, root_of
from campaigns.models import Campaign
from campaigns.services import brands
from campaigns.services.brands import BrandChanges
from kernel import clock
from kernel.local_time import zone_names

from .. import seen
from ..access import PortalRequest, page
from ..budget_cards import budget_card, budget_lines
from ..charts import month_chart, pick_month
from ..forms.brands import BrandForm, EditBrandForm
from ..gauges import gauges, month_pace
from ..overview import campaign_lines
from ..paging import cut
from ..params import month_in, page_in, text_in
from ..series import month_series
from ..states import State, in_state
from ..templatetags.portal import clock_of
from . import live

CAMPAIGNS_A_PAGE = 50
BRANDS_A_PAGE = 100


@page()
def show(request: PortalRequest, brand_id: UUID) -> HttpResponse:
    """The brand's day and month, its month as a chart, its groups and campaigns."""
    brand = get_object_or_404(seen.brands(request), id=brand_id)
    now = clock.read()
    calendar = brand.calendar
    today = calendar.today(now)
    figures = figures_on({brand.id: today}, now=now)
    pace = month_pace(calendar, now=now)
    root, groups = _tree(brand)
    own = figures.get(root.id, NO_FIGURES)
    month, before, after = pick_month(month_in(request), today=today)
    series = month_series(root.id, month)
    state = text_in(request, "status")
    asked = State(state) if state in list(State) else None
    campaigns, place = cut(_campaigns(brand, asked), number=page_in(request), size=CAMPAIGNS_A_PAGE)
    context = {
        "folds": live.folds(request),
        "brand": brand,
        "gauges": gauges(own, currency=brand.currency, pace=pace),
        "card": budget_card(root, own, now=now),
        "local_now": calendar.local(now),
        "zone": calendar.zone_at(now),
        "zone_pending": calendar.since is not None and now < calendar.since,
        "groups": budget_lines(groups, figures, now=now),
        "lines": campaign_lines(campaigns, figures, now=now),
        "page": place,
        "states": list(State),
        "state": asked,
        "month": month,
        "month_before": before,
        "month_after": after,
        "series": series,
        "chart": month_chart(series, currency=brand.currency, today=today),
    }
    return live.answer(request, "portal/brand.html", "portal/parts/brand.html", context)


def _tree(brand: Brand) -> tuple[Budget, list[Budget]]:
    """Return the brand's own budget, and its groups by name; `campaigns` counts each one's."""
    rows = (
        Budget.objects.filter(brand=brand, kind__in=[BudgetKind.ROOT, BudgetKind.GROUP])
        .annotate(campaigns=Count("children", filter=Q(children__campaign__archived_at=None)))
        .order_by("name", "id")
    )
    budgets: list[Budget] = list(rows)
    root = next(budget for budget in budgets if budget.kind == BudgetKind.ROOT)
    for budget in budgets:
        budget.brand = brand
        budget.parent = None if budget == root else root
    return root, [budget for budget in budgets if budget != root]


def _campaigns(brand: Brand, state: State | None) -> QuerySet[Campaign]:
    """Return the brand's campaigns in a state; without one, those that are not archived."""
    rows = Campaign.objects.filter(brand=brand).select_related("brand", "budget__parent")
    if state is None:
        return rows.filter(archived_at=None).order_by("name", "id")
    return in_state(rows, state).order_by("name", "id")


@page(Right.EDIT_BRANDS)
def new(request: PortalRequest) -> HttpResponse:
    """Make a brand."""
    form = BrandForm(request.POST or None, initial={"currency": "USD", "time_zone": "UTC"})
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            brand = brands.create_brand(
                **form.cleaned_data, now=clock.read(), by=request.user.actor
            )
            messages.success(request, f"{brand.name} is here. Add its first campaign.")
            return redirect("portal:brand", brand.id)
    context = {"form": form, "zones": sorted(zone_names())}
    return render(request, "portal/brand_form.html", context)


@page(Right.EDIT_BRANDS)
def edit(request: PortalRequest, brand_id: UUID) -> HttpResponse:
    """Change a brand's name, currency, zone and budgets."""
    brand = get_object_or_404(seen.brands(request), id=brand_id, archived_at=None)
    now = clock.read()
    root = root_of(brand)
    limits = current_limits(root, on=brand.calendar.today(now))
    coming_zone = _coming_zone(brand, now=now)
    form = EditBrandForm.for_brand(
        brand, root, limits, request.POST or None, coming_zone=coming_zone
    )
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            changed = brands.update_brand(
                brand_id=brand.id,
                changes=cast("BrandChanges", form.changes()),
                now=now,
                by=request.user.actor,
            )
            zone = _coming_zone(changed, now=now)
            messages.success(request, f"{changed.name} is saved. {zone}".strip())
            return redirect("portal:brand", brand.id)
    context = {"form": form, "brand": brand, "zones": sorted(zone_names())}
    return render(request, "portal/brand_form.html", context)


def _coming_zone(brand: Brand, *, now: datetime) -> str:
    """Say when a brand's new zone takes effect; nothing where it has."""
    calendar = brand.calendar
    if calendar.since is None or calendar.since <= now:
        return ""
    at = clock_of(calendar.since, brand)
    return f"{calendar.zone} applies from {at} on; until then {calendar.zone_before} does."


@page(Right.EDIT_BRANDS)
def remove(request: PortalRequest, brand_id: UUID) -> HttpResponse:
    """Ask, then delete a brand without spend, or archive it."""
    brand = get_object_or_404(seen.brands(request), id=brand_id, archived_at=None)
    if request.method == "POST":
        left = brands.remove_brand(brand_id=brand.id, now=clock.read(), by=request.user.actor)
        how = "deleted" if left is None else "archived, with its campaigns"
        messages.success(request, f"{brand.name} is {how}.")
        return redirect("portal:dashboard")
    return render(request, "portal/brand_remove.html", {"brand": brand})


@page()
def index(request: PortalRequest) -> HttpResponse:
    """Every brand by name, the archived ones last."""
    rows = (
        seen.brands(request)
        .annotate(campaign_count=Count("campaigns", filter=Q(campaigns__archived_at=None)))
        .order_by(F("archived_at").asc(nulls_first=True), "name", "id")
    )
    found, place = cut(rows, number=page_in(request), size=BRANDS_A_PAGE)
    return render(request, "portal/brands.html", {"brands": found, "page": place})
