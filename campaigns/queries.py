"""What the faces ask of campaigns: holds in words, with a fixed number of statements."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.access import Access
from budgets.models import Brand, Budget, BudgetKind
from dayparting.models import Schedule

from .models import Campaign, Hold, Reason
from .sentences import Surroundings, hold_sentence

_ORDER = {reason.value: place for place, reason in enumerate(Reason)}
_LEVELS = {BudgetKind.LEAF: 0, BudgetKind.GROUP: 1, BudgetKind.ROOT: 2}


class ToldHold(NamedTuple):
    """A hold with its sentence and the name of the budget that placed it ("" for other reasons)."""

    hold: Hold
    budget_name: str
    sentence: str


def holds_of(
    campaigns: Collection[Campaign],
    *,
    now: datetime,
    only_open: bool = True,
    with_alerts: bool = False,
) -> dict[UUID, list[ToldHold]]:
    """Return the campaigns' holds, told in words; campaigns without any are absent.

    Open ones in the order in which people are told (first the oldest; at one instant by reason, and
    from the campaign's own budget up to its brand's); with `only_open` false, closed ones follow,
    newest first. Alerts, which hold nothing, come `with_alerts` only. The campaigns come with their
    brands selected. One statement.
    """
    by_id = {campaign.id: campaign for campaign in campaigns}
    rows = Hold.with_alerts if with_alerts else Hold.objects
    holds = rows.filter(campaign_id__in=by_id).select_related("budget")
    if only_open:
        holds = holds.filter(released_at=None)
    told: dict[UUID, list[ToldHold]] = {}
    for hold in sorted(holds, key=_place):
        campaign = by_id[hold.campaign_id]
        around = surroundings(hold, campaign)
        sentence = hold_sentence(hold, around, now=now)
        told.setdefault(campaign.id, []).append(ToldHold(hold, around.budget_name, sentence))
    return told


def _place(hold: Hold) -> tuple[bool, float, int, int]:
    is_closed = hold.released_at is not None
    level = _LEVELS[BudgetKind(hold.budget.kind)] if hold.budget else 0
    at = hold.placed_at.timestamp()
    return (is_closed, -at if is_closed else at, _ORDER[hold.reason], level)


def surroundings(hold: Hold, campaign: Campaign) -> Surroundings:
    """Return what a hold's sentence is told in."""
    brand = campaign.brand
    name = budget_name(hold.budget, campaign) if hold.budget else ""
    return Surroundings(name, brand.currency, brand.calendar)


def budget_name(budget: Budget, campaign: Campaign) -> str:
    """Return what people call a budget above (or of) this campaign."""
    if budget.kind == BudgetKind.GROUP:
        return budget.name
    return campaign.brand.name if budget.kind == BudgetKind.ROOT else campaign.name


def brand_days(brands: Iterable[Brand], *, now: datetime) -> dict[UUID, date]:
    """Return each brand's local day at `now`, as the money queries want it."""
    return {brand.id: brand.calendar.today(now) for brand in brands}


def schedules_seen(access: Access) -> QuerySet[Schedule]:
    """Return the schedules that are there for a caller: campaigns' own, and shared ones.

    Nothing tells whose a shared one is but who uses it, so who is limited to brands sees those that
    their campaigns use.
    """
    if not access.is_limited:
        return Schedule.objects.all()
    users = Campaign.objects.filter(access.within("brand"))
    own, shared = users.values("schedule"), users.values("shared_schedule")
    return Schedule.objects.filter(Q(id__in=own) | Q(id__in=shared))
