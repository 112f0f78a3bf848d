"""The monthly report: what was spent, against which limit, and on how many days a campaign was
held.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from budgets.models import Brand, Budget, BudgetKind
from budgets.queries import NO_FIGURES, Figures, figures_on
from kernel.local_time import first_of_month, first_of_next_month

from .models import Campaign, Hold


class ReportLine(NamedTuple):
    """One brand (campaign None) or campaign in one month; amounts in the brand's currency.

    `over` is spent minus limit: positive over, negative under, None without a monthly limit.
    """

    brand: Brand
    campaign: Campaign | None
    spent: Decimal
    limit: Decimal | None
    over: Decimal | None
    days_held: int


def monthly_report(brands: Collection[Brand], month: date, *, now: datetime) -> list[ReportLine]:
    """Return the lines of `month` (any day in it): each brand, then its campaigns by name.

    The limit is the one that applies on the month's last day, or today in the month that is
    running.
    """
    days = {brand.id: _reporting_day(brand, month, now=now) for brand in brands}
    figures = figures_on(days)
    roots = _roots(brands)
    campaigns = _campaigns(brands)
    held = _days_held(brands, campaigns, month, now=now)
    lines = []
    for brand in brands:
        if brand.id not in roots:
            continue  # It was deleted since it was read.
        own = [campaign for campaign in campaigns if campaign.brand_id == brand.id]
        brand_days: set[date] = set().union(*(held.get(c.id, set()) for c in own))
        spent, limit = _month(figures.get(roots[brand.id], NO_FIGURES))
        lines.append(_line(brand, None, spent, limit, len(brand_days)))
        for campaign in own:
            spent, limit = _month(figures.get(campaign.budget_id, NO_FIGURES))
            if spent or campaign.archived_at is None:
                days_held = len(held.get(campaign.id, ()))
                lines.append(_line(brand, campaign, spent, limit, days_held))
    return lines


def _month(figures: Figures) -> tuple[Decimal, Decimal | None]:
    return figures.spent.month, figures.limits.monthly


def _line(
    brand: Brand, campaign: Campaign | None, spent: Decimal, limit: Decimal | None, days_held: int
) -> ReportLine:
    over = None if limit is None else spent - limit
    return ReportLine(brand, campaign, spent, limit, over, days_held)


def _reporting_day(brand: Brand, month: date, *, now: datetime) -> date:
    """The day up to which the month is told: its last, or the brand's today while it runs."""
    last = first_of_next_month(month) - timedelta(days=1)
    today = brand.calendar.today(now)
    return min(last, today) if first_of_month(today) == first_of_month(month) else last


def _roots(brands: Collection[Brand]) -> dict[UUID, UUID]:
    rows = Budget.objects.filter(brand__in=brands, kind=BudgetKind.ROOT)
    return dict(rows.values_list("brand_id", "id"))


def _campaigns(brands: Collection[Brand]) -> list[Campaign]:
    rows = Campaign.objects.filter(brand__in=brands).order_by("name", "id")
    return list(rows.select_related("brand"))


def _days_held(
    brands: Collection[Brand], campaigns: Collection[Campaign], month: date, *, now: datetime
) -> dict[UUID, set[date]]:
    """Return the local days of the month on which each campaign was held at some instant."""
    calendars = {brand.id: brand.calendar for brand in brands}
    brand_of = {campaign.id: campaign.brand_id for campaign in campaigns}
    start, end = first_of_month(month), first_of_next_month(month)
    # Wide enough for every zone; the exact days are cut below, in the brand's own.
    earliest = datetime(start.year, start.month, 1, tzinfo=now.tzinfo) - timedelta(days=1)
    latest = datetime(end.year, end.month, 1, tzinfo=now.tzinfo) + timedelta(days=1)
    holds = Hold.objects.filter(campaign__brand__in=brands, placed_at__lt=latest).exclude(
        released_at__lt=earliest
    )
    held: dict[UUID, set[date]] = {}
    for campaign_id, placed_at, released_at in holds.values_list(
        "campaign_id", "placed_at", "released_at"
    ):
        if campaign_id not in brand_of:
            continue  # It was made since the campaigns were read.
        calendar = calendars[brand_of[campaign_id]]
        day = max(start, calendar.today(placed_at))
        until = min(released_at or now, now)
        last = min(end - timedelta(days=1), calendar.today(until))
        # Half-open: a hold that ends at midnight does not touch the day that begins.
        if released_at is not None and calendar.day_start(last) >= until and last > day:
            last -= timedelta(days=1)
        while day <= last:
            held.setdefault(campaign_id, set()).add(day)
            day += timedelta(days=1)
    return held
