"""The ledger: read it, add to it, and reverse what was wrong. Nothing in it ever changes."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.roles import Right
from budgets.ledger import KeyConflict
from budgets.models import EntryKind, SpendEntry, SpendType
from campaigns.models import Campaign
from campaigns.services.spend import NewSpend, record_spend, reverse_spend
from kernel import clock
from kernel.errors import Conflict
from kernel.money import show as show_amount

from .. import seen
from ..access import PortalRequest, page
from ..forms.spend import SOURCE, CorrectionForm, SpendForm
from ..paging import cut
from ..params import day_in, id_in, page_in, text_in

ENTRIES_A_PAGE = 50
CAMPAIGNS_OFFERED = 50


class Filter(NamedTuple):
    """Which lines to show; None: all of them. Days are local ones, both inclusive."""

    brand_id: UUID | None
    campaign_id: UUID | None
    first: date | None
    last: date | None

    @property
    def is_narrow(self) -> bool:
        return any(self)


@page()
def index(request: PortalRequest) -> HttpResponse:
    """The ledger, the newest day first."""
    asked = Filter(
        id_in(request, "brand"),
        id_in(request, "campaign"),
        day_in(request, "start_date"),
        day_in(request, "end_date"),
    )
    campaign = _asked_campaign(request, asked)
    rows = _entries(request, asked, campaign)
    found, place = cut(
        rows.select_related("budget__brand", "budget__campaign", "reversal"),
        number=page_in(request),
        size=ENTRIES_A_PAGE,
    )
    context = {
        "asked": asked,
        "entries": found,
        "page": place,
        "sums": _sums(rows) if asked.is_narrow else [],
        "brands": seen.brands(request).order_by("name", "id"),
        "campaign": campaign,
        "campaigns": _campaigns_of(request, asked.brand_id),
    }
    return render(request, "portal/spend.html", context)


def _asked_campaign(request: PortalRequest, asked: Filter) -> Campaign | None:
    if asked.campaign_id is None:
        return None
    return seen.campaigns(request).filter(id=asked.campaign_id).select_related("brand").first()


def _campaigns_of(request: PortalRequest, brand_id: UUID | None) -> QuerySet[Campaign]:
    """Return the campaigns to choose from: a brand's, none before one is chosen."""
    rows = seen.campaigns(request).order_by("name", "id")
    return rows.none() if brand_id is None else rows.filter(brand_id=brand_id)


def _entries(
    request: PortalRequest, asked: Filter, campaign: Campaign | None
) -> QuerySet[SpendEntry]:
    rows = seen.entries(request).order_by("-day", "-id")
    if asked.campaign_id is not None:
        rows = rows.filter(budget_id=campaign.budget_id) if campaign else rows.none()
    if asked.brand_id is not None:
        rows = rows.filter(budget__brand_id=asked.brand_id)
    if asked.first is not None:
        rows = rows.filter(day__gte=asked.first)
    if asked.last is not None:
        rows = rows.filter(day__lte=asked.last)
    return rows


def _sums(rows: QuerySet[SpendEntry]) -> list[str]:
    """Return the sum of the lines in each currency: amounts of two are never added."""
    by_currency = (
        rows.order_by("budget__brand__currency")
        .values_list("budget__brand__currency")
        .annotate(sum=Sum("amount"))
    )
    return [f"{show_amount(amount, currency)} {currency}" for currency, amount in by_currency]


@page(Right.RECORD_SPEND)
def choose(request: PortalRequest) -> HttpResponse:
    """Find the campaign whose spend is to be recorded."""
    text = text_in(request, "q")
    rows = seen.campaigns(request).select_related("brand").order_by("brand__name", "name", "id")
    found = rows.filter(name__icontains=text) | rows.filter(brand__name__icontains=text)
    context = {"text": text, "campaigns": found[:CAMPAIGNS_OFFERED], "max": CAMPAIGNS_OFFERED}
    return render(request, "portal/spend_choose.html", context)


@page(Right.RECORD_SPEND)
def record(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """Record one spend of a campaign."""
    campaign = _find(request, campaign_id)
    form = SpendForm(request.POST or None, initial=_initial(campaign))
    return _take(request, campaign, form, is_correction=False)


@page(Right.CORRECT_SPEND)
def correct(request: PortalRequest, campaign_id: UUID) -> HttpResponse:
    """Record a correction, up or down, with the reason for it."""
    campaign = _find(request, campaign_id)
    form = CorrectionForm(request.POST or None, initial=_initial(campaign))
    form.offer_sources(_sources(campaign))
    return _take(request, campaign, form, is_correction=True)


def _take(
    request: PortalRequest, campaign: Campaign, form: SpendForm, *, is_correction: bool
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with form.refusals():
            try:
                recorded = record_spend(
                    spend=NewSpend(
                        campaign.id,
                        data["amount"],
                        data["spend_date"],
                        spend_type=SpendType(data["spend_type"]),
                        description=data["description"],
                        external_id=form.external_id,
                        source=data.get("source", SOURCE),
                        is_correction=is_correction,
                    ),
                    now=clock.read(),
                    by=request.user.actor,
                )
            except KeyConflict:
                form = _renewed(form)
                raise Conflict(
                    "This form was recorded before, with other values. Send it again to record"
                    " these too."
                ) from None
            _tell(request, campaign, recorded.entries[0], is_new=recorded.is_new[0])
            return redirect("portal:campaign", campaign.id)
    context = {
        "form": form,
        "campaign": campaign,
        "brand": campaign.brand,
        "is_correction": is_correction,
    }
    return render(request, "portal/spend_form.html", context)


def _renewed(form: SpendForm) -> SpendForm:
    """Give a form that is shown again a key of its own."""
    values = {name: form.data.get(name) for name in form.data}
    form.data = {**values, "key": str(form.new_key())}
    return form


def _tell(request: PortalRequest, campaign: Campaign, entry: SpendEntry, *, is_new: bool) -> None:
    currency = campaign.brand.currency
    amount = f"{show_amount(entry.amount, currency)} {currency}"
    if is_new:
        messages.success(request, f"{amount} recorded on {entry.day}.")
    else:
        messages.info(request, f"{amount} on {entry.day} was recorded already: it counts once.")


def _initial(campaign: Campaign) -> dict[str, object]:
    today = campaign.brand.calendar.today(clock.read())
    return {"spend_date": today, "spend_type": SpendType.DAILY, "key": SpendForm.new_key()}


def _sources(campaign: Campaign) -> list[str]:
    """Return who has reported spend of this campaign, the latest first; people last."""
    rows = SpendEntry.objects.filter(budget_id=campaign.budget_id).order_by("-day", "-id")
    known = dict.fromkeys(rows.values_list("source", flat=True)[:1000])
    return [source for source in known if source != SOURCE] + [SOURCE]


@page(Right.CORRECT_SPEND)
def reverse(request: PortalRequest, entry_id: UUID) -> HttpResponse:
    """Ask, then reverse an entry by another that names it."""
    rows = seen.entries(request).select_related("budget__brand", "budget__campaign", "reversal")
    entry = get_object_or_404(rows, id=entry_id)
    campaign = entry.budget.campaign
    refusal = ""
    if entry.kind == EntryKind.REVERSAL:
        refusal = "This entry is a reversal: record the spend again instead."
    if request.method == "POST" and not refusal:
        _, is_new = reverse_spend(entry_id=entry.id, now=clock.read(), by=request.user.actor)
        told = "is reversed" if is_new else "was reversed already"
        messages.success(request, f"The entry of {entry.day} {told}.")
        return redirect("portal:campaign", campaign.id)
    context = {
        "entry": entry,
        "campaign": campaign,
        "brand": entry.budget.brand,
        "refusal": refusal,
    }
    return render(request, "portal/spend_reverse.html", context)


def _find(request: PortalRequest, campaign_id: UUID) -> Campaign:
    return get_object_or_404(seen.campaigns(request).select_related("brand"), id=campaign_id)
