"""What a list shows beside its rows' own columns, gathered for the whole page at once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Model
from django.http import HttpRequest

from budgets.models import Brand, Budget, BudgetKind, SpendEntry
from budgets.queries import NO_FIGURES, Figures, figures_by_day, figures_on
from budgets.terms import NO_LIMITS, Limits
from campaigns.models import Campaign, Status
from campaigns.queries import ToldHold, brand_days, budget_name, holds_of
from dayparting.models import Schedule
from dayparting.queries import ALWAYS_OPEN, hours_of
from dayparting.windows import is_open
from kernel import clock

from .bars import Gauge
from .choosing import CheckedChangeList


@dataclass(slots=True)
class Shown:
    """A row's gauges, its own limits, its open holds in words, a brand's campaigns by status, and
    whether a campaign's hours are open.
    """

    today: Gauge | None = None
    month: Gauge | None = None
    limits: Limits = NO_LIMITS
    holds: list[ToldHold] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    is_open: bool = True


_NOTHING = Shown()


def shown(row: Model) -> Shown:
    """Return what was gathered for the row."""
    found: Shown = vars(row).get("shown", _NOTHING)
    return found


def _show(row: Model, what: Shown) -> None:
    vars(row)["shown"] = what


class FiguredChangeList(CheckedChangeList):
    """A page of rows for which the list's admin gathers figures (`gather`) once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        self.model_admin.gather(rows, now=clock.read())  # type: ignore[attr-defined]
        self.result_list = rows  # type: ignore[assignment]


def gather_brands(brands: Collection[Brand], *, now: datetime) -> None:
    """Gather figures of brands' own budgets, and how many campaigns they have in which status."""
    roots = dict(
        Budget.objects.filter(brand__in=brands, kind=BudgetKind.ROOT).values_list("brand_id", "id")
    )
    figures = figures_on(brand_days(brands, now=now), now=now, budget_ids=list(roots.values()))
    counts: dict[UUID, dict[str, int]] = {}
    statuses = Campaign.objects.filter(brand__in=brands, archived_at=None).order_by("status")
    for row in statuses.values("brand_id", "status").annotate(number=Count("id")):
        counts.setdefault(row["brand_id"], {})[Status(row["status"]).label] = row["number"]
    for brand in brands:
        own = figures.get(roots.get(brand.id, brand.id), NO_FIGURES)
        what = _of_figures(own, brand.currency)
        what.counts = counts.get(brand.id, {})
        _show(brand, what)


def gather_schedules(schedules: Collection[Schedule], *, now: datetime) -> None:
    """Gather whether the campaigns may run now whose own schedules these are, by their hours: their
    own or a shared schedule's. They come with campaign and brand.
    """
    used = {row.id: row.campaign.shared_schedule_id or row.id for row in schedules}
    # Nowhere is it an earlier date.
    since = now.date() - timedelta(days=1)
    hours = hours_of(list(set(used.values())), since=since)
    for row in schedules:
        own = hours.get(used[row.id], ALWAYS_OPEN)
        _show(row, Shown(is_open=is_open(own, row.campaign.brand.calendar, now=now)))


def gather_budgets(budgets: Collection[Budget], *, now: datetime) -> None:
    """Gather figures of budgets that come with their brands."""
    days = brand_days({budget.brand for budget in budgets}, now=now)
    figures = figures_on(days, now=now, budget_ids=[budget.id for budget in budgets])
    for budget in budgets:
        _show(budget, _of_figures(figures.get(budget.id, NO_FIGURES), budget.brand.currency))


def _of_figures(figures: Figures, currency: str) -> Shown:
    bounds, spent, stop_at = figures.bounds, figures.spent, figures.terms.stop_at
    return Shown(
        Gauge(spent.today, bounds.daily, currency, stop_at=stop_at),
        Gauge(spent.month, bounds.monthly, currency, stop_at=stop_at),
        figures.limits,
    )


def gather_campaigns(campaigns: Collection[Campaign], *, now: datetime) -> None:
    """Gather figures and holds of campaigns that come with their brand and the budgets above."""
    days = brand_days({campaign.brand for campaign in campaigns}, now=now)
    ids = {budget.id for campaign in campaigns for budget in budgets_above(campaign)}
    figures = figures_on(days, now=now, budget_ids=list(ids))
    holds = holds_of(campaigns, now=now)
    for campaign in campaigns:
        what = _nearest(campaign, figures)
        what.limits = figures.get(campaign.budget_id, NO_FIGURES).limits
        what.holds = holds.get(campaign.id, [])
        _show(campaign, what)


def gather_spends(entries: Collection[SpendEntry], *, now: datetime) -> None:
    """Gather for each entry its campaign's budgets as they stand at the end of the entry's day."""
    pairs = {
        (budget.id, entry.day)
        for entry in entries
        for budget in budgets_above(entry.budget.campaign)
    }
    figures = figures_by_day(pairs, now=now)
    for entry in entries:
        campaign = entry.budget.campaign
        of_day = {
            budget.id: figures.get((budget.id, entry.day), NO_FIGURES)
            for budget in budgets_above(campaign)
        }
        _show(entry, _nearest(campaign, of_day))


def budgets_above(campaign: Campaign) -> list[Budget]:
    """Return the campaign's own budget, its group's if it has one, and its brand's."""
    chain = [campaign.budget]
    while chain[-1].parent is not None:
        chain.append(chain[-1].parent)
    return chain


def _nearest(campaign: Campaign, figures: Mapping[UUID, Figures]) -> Shown:
    """Gauge each period against the nearest budget above the campaign that has a limit for it."""
    above = [(budget, figures.get(budget.id, NO_FIGURES)) for budget in budgets_above(campaign)]
    return Shown(
        _first_limited(campaign, above, lambda f: (f.spent.today, f.bounds.daily)),
        _first_limited(campaign, above, lambda f: (f.spent.month, f.bounds.monthly)),
    )


def _first_limited(
    campaign: Campaign,
    above: Sequence[tuple[Budget, Figures]],
    period: Callable[[Figures], tuple[Decimal, Decimal | None]],
) -> Gauge:
    currency = campaign.brand.currency
    for budget, figures in above:
        spent, limit = period(figures)
        if limit is not None:
            is_own = budget.id == campaign.budget_id
            whose = "" if is_own else budget_name(budget, campaign)
            return Gauge(spent, limit, currency, whose, figures.terms.stop_at)
    return Gauge(*period(above[0][1]), currency)
