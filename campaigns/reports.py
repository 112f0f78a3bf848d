"""The monthly report: what was spent, against which limit, and on how many days a campaign was
held.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from budgets.models import Brand, Budget, BudgetKind, Period
from budgets.queries import NO_FIGURES, Figures, daily_adjustments, figures_on
from kernel.local_time import Calendar, first_of_month, first_of_next_month
from kernel.money import plain

from .models import Campaign, Hold

REPORT_COLUMNS = (
    "brand",
    "brand_name",
    "campaign",
    "campaign_name",
    "currency",
    "spent",
    "limit",
    "adjustments",
    "daily_adjustments",
    "over",
    "under",
    "days_held",
)
_TICK = timedelta(microseconds=1)


class ReportLine(NamedTuple):
    """One brand (campaign None) or campaign in one month; amounts in the brand's currency.

    `limit` is what binds: the monthly budget and its adjustments, which `adjustments` sums up.
    `daily_adjustments` is what its days were given beyond their daily budgets, or less.
    `over` is spent minus limit: positive over, negative under, None without a monthly limit.
    """

    brand: Brand
    campaign: Campaign | None
    spent: Decimal
    limit: Decimal | None
    adjustments: Decimal
    daily_adjustments: Decimal
    over: Decimal | None
    days_held: int

    def as_row(self) -> dict[str, Any]:
        """Return the line as a row of a table, the same in the API and in every file.

        Amounts are written for machines; what is over is not under, and None is no limit.
        """
        currency = self.brand.currency
        over = None if self.over is None else max(self.over, Decimal(0))
        under = None if self.over is None else max(-self.over, Decimal(0))
        return {
            "brand": self.brand.id,
            "brand_name": self.brand.name,
            "campaign": self.campaign.id if self.campaign else None,
            "campaign_name": self.campaign.name if self.campaign else "",
            "currency": currency,
            "spent": plain(self.spent, currency),
            "limit": None if self.limit is None else plain(self.limit, currency),
            "adjustments": plain(self.adjustments, currency),
            "daily_adjustments": plain(self.daily_adjustments, currency),
            "over": None if over is None else plain(over, currency),
            "under": None if under is None else plain(under, currency),
            "days_held": self.days_held,
        }


def monthly_report(brands: Collection[Brand], month: date, *, now: datetime) -> list[ReportLine]:
    """Return the lines of `month` (any day in it): each brand, then its campaigns by name.

    The limit is the one that applies on the month's last day, or today in the month that is
    running. What is archived is told for the months in which it spent.
    """
    days = {brand.id: _reporting_day(brand, month, now=now) for brand in brands}
    figures = figures_on(days, now=now)
    roots = _roots(brands)
    campaigns = _campaigns(brands)
    held = _days_held(brands, campaigns, month, now=now)
    of_days = daily_adjustments(brands, month)
    lines = []
    for brand in brands:
        if brand.id not in roots:
            continue  # It was deleted since it was read.
        own = [campaign for campaign in campaigns if campaign.brand_id == brand.id]
        brand_days: set[date] = set().union(*(held.get(c.id, set()) for c in own))
        below = []
        for campaign in own:
            own_figures = figures.get(campaign.budget_id, NO_FIGURES)
            if own_figures.spent.month or campaign.archived_at is None:
                days_held = len(held.get(campaign.id, ()))
                below.append(
                    _line(brand, campaign, own_figures, of_days[campaign.budget_id], days_held)
                )
        whole = figures.get(roots[brand.id], NO_FIGURES)
        # One campaign's credit may hide what another one spent: the brand is told with them.
        if whole.spent.month or below or brand.archived_at is None:
            lines += [_line(brand, None, whole, of_days[roots[brand.id]], len(brand_days)), *below]
    return lines


def _line(
    brand: Brand, campaign: Campaign | None, figures: Figures, of_days: Decimal, days_held: int
) -> ReportLine:
    spent, limit = figures.spent.month, figures.bounds.monthly
    over = None if limit is None else spent - limit
    adjustments = figures.terms.adjusted_by(Period.MONTH)
    return ReportLine(brand, campaign, spent, limit, adjustments, of_days, over, days_held)


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
    # What time ended at `until`, a sweep releases a little later: the day that began in between is
    # not the hold's. Where its reason still stands then, `until` moves on, or another hold follows.
    for campaign_id, placed_at, released_at, until in holds.values_list(
        "campaign_id", "placed_at", "released_at", "until"
    ):
        if campaign_id not in brand_of:
            continue  # It was made since the campaigns were read.
        first, last = _days_touched(
            placed_at, _earlier(released_at, until), calendars[brand_of[campaign_id]], now=now
        )
        day, last = max(start, first), min(end - timedelta(days=1), last)
        while day <= last:
            held.setdefault(campaign_id, set()).add(day)
            day += timedelta(days=1)
    return held


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _days_touched(
    placed_at: datetime, ended_at: datetime | None, calendar: Calendar, *, now: datetime
) -> tuple[date, date]:
    """Return the first and the last local day of a hold; one that stands lasts until today.

    Half-open: a hold that ends at midnight does not touch the day that begins. It always touches
    the day on which it was placed.
    """
    first = calendar.today(placed_at)
    if ended_at is None or ended_at > now:
        return first, calendar.today(now)
    return first, max(first, calendar.today(ended_at - _TICK))
