"""A campaign: whether it runs and why, its figures, its history, and what people command of it."""

from datetime import datetime
from typing import Any, cast, get_args
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.roles import Right
from budgets.models import Brand, Budget, BudgetKind, SpendEntry
from budgets.queries import NO_FIGURES, figures_on
from budgets.services import current_limits
from campaigns.models import Campaign, Hold, StatusChange
from campaigns.queries import ToldHold, holds_of, surroundings
from campaigns.sentences import hold_sentence
from campaigns.services import campaigns
from campaigns.services.campaigns import CampaignChanges, Command
from kernel import clock
from kernel.errors import Conflict

from .. import seen
from ..access import PortalRequest, page, way_back
from ..budget_cards import budget_card, budget_lines
from ..charts import month_chart, pick_month
from ..coming import coming_days
from ..forms.campaigns import EditCampaignForm, NewCampaignForm
from ..hours import shared_schedules
from ..paging import cut
from ..params import month_in, page_in
from ..series import month_series
from ..states import state_of
from . import live

PLATFORMS = ["google", "meta", "microsoft", "tiktok", "linkedin", "amazon", "pinterest", "x"]
RECENT = 8
HISTORY_A_PAGE = 50


@page()
def show(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """The campaign's state in words, the budgets that bind it, its month, week and history."""
    campaign = _find(request, campaign_id)
    brand, now = campaign.brand, clock.read()
    today = brand.calendar.today(now)
    told = holds_of([campaign], now=now, with_alerts=True).get(campaign.id, [])
    holds = [one for one in told if not one.hold.is_alert]
    chain = _chain(campaign)
    figures = figures_on({brand.id: today}, now=now, budget_ids=[budget.id for budget in chain])
    month, before, after = pick_month(month_in(request), today=today)
    series = month_series(campaign.budget_id, month)
    closed = Hold.objects.filter(campaign=campaign).exclude(released_at=None)
    context = {
        "folds": live.folds(request),
        "campaign": campaign,
        "brand": brand,
        "state": state_of(campaign, [one.hold for one in holds]),
        "holds": holds,
        "alerts": [one for one in told if one.hold.is_alert],
        "waits_for_a_person": any(one.hold.origin for one in holds),
        "budgets": budget_lines(chain, figures, now=now),
        "card": budget_card(campaign.budget, figures.get(campaign.budget_id, NO_FIGURES), now=now),
        "local_now": brand.calendar.local(now),
        "zone": brand.calendar.zone_at(now),
        "month": month,
        "month_before": before,
        "month_after": after,
        "series": series,
        "chart": month_chart(series, currency=brand.currency, today=today),
        "days": coming_days(campaign, now=now),
        "past": _told(closed.select_related("budget")[:RECENT], campaign, now=now),
        "changes": StatusChange.objects.filter(campaign=campaign).order_by("-id")[:RECENT],
        "entries": SpendEntry.objects.filter(budget=campaign.budget_id)[:RECENT],
    }
    return live.answer(request, "portal/campaign.html", "portal/parts/campaign.html", context)


def _chain(campaign: Campaign) -> list[Budget]:
    """Return the campaign's own budget, its group's and its brand's, each with its brand."""
    chain: list[Budget] = [campaign.budget]
    while chain[-1].parent is not None:
        chain.append(chain[-1].parent)
    for budget in chain:
        budget.brand = campaign.brand
    return chain


def _told(holds: Any, campaign: Campaign, *, now: datetime) -> list[ToldHold]:
    """Tell closed holds; `queries.holds_of` would read a campaign's whole history for them."""
    told = []
    for hold in holds:
        around = surroundings(hold, campaign)
        told.append(ToldHold(hold, around.budget_name, hold_sentence(hold, around, now=now)))
    return told


def _find(request: PortalRequest, campaign_id: UUID) -> Campaign:
    related = ("brand", "budget__parent__parent", "shared_schedule")
    rows = seen.campaigns(request).select_related(*related)
    return get_object_or_404(rows, id=campaign_id)


@page()
def history(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """Every hold and every change of status, the newest first."""
    campaign = _find(request, campaign_id)
    number = page_in(request)
    holds, holds_place = cut(
        Hold.with_alerts.filter(campaign=campaign).select_related("budget"),
        number=number,
        size=HISTORY_A_PAGE,
    )
    changes, changes_place = cut(
        StatusChange.objects.filter(campaign=campaign).order_by("-id"),
        number=number,
        size=HISTORY_A_PAGE,
    )
    has_next = holds_place.has_next or changes_place.has_next
    context = {
        "campaign": campaign,
        "brand": campaign.brand,
        "holds": _told(holds, campaign, now=clock.read()),
        "changes": changes,
        "page": holds_place._replace(has_next=has_next),
    }
    return render(request, "portal/history.html", context)


@page(Right.EDIT_CAMPAIGNS)
def new(request: PortalRequest, brand_id: UUID) -> HttpResponse:
    """Make a campaign of a brand."""
    brand = get_object_or_404(seen.brands(request), id=brand_id, archived_at=None)
    form = NewCampaignForm(request.POST or None)
    form.keep_to(request.user)
    form.offer_groups(_groups(brand))
    form.offer_schedules(list(shared_schedules(request)))
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            campaign = campaigns.create_campaign(
                brand_id=brand.id,
                **form.cleaned_data,
                now=clock.read(),
                by=request.user.actor,
            )
            messages.success(request, f"{campaign.name} is here.")
            return redirect("portal:campaign", campaign.id)
    zone = brand.calendar.zone_at(clock.read())
    context = {"form": form, "brand": brand, "zone": zone, "platforms": PLATFORMS}
    return render(request, "portal/campaign_form.html", context)


@page(Right.EDIT_CAMPAIGNS)
def edit(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """Change a campaign's name, group, dates and platform; its budgets, whose role it is."""
    campaign = _find_live(request, campaign_id)
    brand, now = campaign.brand, clock.read()
    limits = current_limits(campaign.budget, on=brand.calendar.today(now))
    form = EditCampaignForm.for_campaign(campaign, limits, request.POST or None)
    form.keep_to(request.user)
    form.offer_groups(_groups(brand))
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            changed = campaigns.update_campaign(
                campaign_id=campaign.id,
                changes=cast("CampaignChanges", form.changes()),
                now=now,
                by=request.user.actor,
            )
            messages.success(request, f"{changed.name} is saved.")
            return redirect("portal:campaign", campaign.id)
    context = {
        "form": form,
        "brand": brand,
        "zone": brand.calendar.zone_at(now),
        "campaign": campaign,
        "platforms": PLATFORMS,
    }
    return render(request, "portal/campaign_form.html", context)


def _groups(brand: Brand) -> list[Budget]:
    return list(Budget.objects.filter(brand=brand, kind=BudgetKind.GROUP).order_by("name"))


def _find_live(request: PortalRequest, campaign_id: UUID) -> Campaign:
    rows = seen.campaigns(request).select_related("brand", "budget__parent__parent")
    return get_object_or_404(rows, id=campaign_id, archived_at=None)


@require_POST
@page(Right.EDIT_CAMPAIGNS)
def command(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """Pause, resume or switch off a campaign, and tell what still holds it."""
    campaign = _find(request, campaign_id)
    status = request.POST.get("status", "")
    if status not in get_args(Command):
        raise BadRequest("No such command.")
    now = clock.read()
    try:
        campaigns.command(
            campaign_ids=[campaign.id],
            status=cast("Command", status),
            now=now,
            by=request.user.actor,
        )
    except Conflict as conflict:
        messages.error(request, conflict.message)
    else:
        messages.success(request, _told_command(campaign, status, now=now))
    return redirect(way_back(request, f"/campaigns/{campaign.id}/"))


def _told_command(campaign: Campaign, status: str, *, now: datetime) -> str:
    if status == "PAUSED":
        return f"{campaign.name} is paused until somebody resumes it."
    if status == "INACTIVE":
        return f"{campaign.name} is switched off."
    holds = holds_of([campaign], now=now).get(campaign.id)
    if not holds:
        return f"{campaign.name} runs."
    return f"{campaign.name} is no longer paused by hand, but still held. {holds[0].sentence}"


@page(Right.EDIT_CAMPAIGNS)
def remove(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """Ask, then delete a campaign without spend, or archive it."""
    campaign = _find_live(request, campaign_id)
    if request.method == "POST":
        left = campaigns.remove_campaign(
            campaign_id=campaign.id, now=clock.read(), by=request.user.actor
        )
        how = "deleted" if left is None else "archived"
        messages.success(request, f"{campaign.name} is {how}.")
        return redirect("portal:brand", campaign.brand_id)
    context = {"campaign": campaign, "brand": campaign.brand}
    return render(request, "portal/campaign_remove.html", context)
