"""Agencies in which the same happened, at the same instants; but not all of them were swept."""

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Min

from budgets.models import Brand, BudgetMode, Period, SpendTotal
from campaigns import sweep
from campaigns.audit import audit
from campaigns.models import Campaign, Hold
from campaigns.services import budgets, campaigns, schedules
from campaigns.services.spend import NewSpend, record_spend
from tenants.contexts import tenant_context
from tenants.models import Agency
from tests.conftest import ANN, make_brand, make_campaign
from tests.crash.world import noon_zone

HOUR = timedelta(hours=1)
HALF_AN_HOUR = timedelta(minutes=30)


def live_through(agencies: Sequence[Agency], calm: Agency, name: str, *, now: datetime) -> None:
    """Let two brands live from yesterday until `now` in each agency; only the calm one is swept, in
    time. In the others nothing has been decided by time since an hour and a half."""
    for agency in agencies:
        with tenant_context(agency):
            _live_through(name, _sweep_in_time if agency == calm else lambda _: None, now)


def _live_through(name: str, sweep_until: Callable[[datetime], None], now: datetime) -> None:
    zone, yesterday = noon_zone(now), now - 24 * HOUR
    brand = make_brand(name, time_zone=zone, now=yesterday)
    for spent in ("comes back", "is paused, too", "waits", "monthly"):
        limits = {"monthly": "50"} if spent == "monthly" else {"daily": "50"}
        campaign = make_campaign(brand, spent, now=yesterday, **limits)
        if spent == "waits":
            budgets.update_budget(
                budget_id=campaign.budget_id,
                changes={"mode": BudgetMode.PAUSE},
                now=yesterday,
                by=ANN,
            )
        _spend(campaign, 50, yesterday, zone)
        if spent == "is paused, too":
            campaigns.command(campaign_ids=[campaign.id], status="PAUSED", now=yesterday, by=ANN)
    local = now.astimezone(ZoneInfo(zone))
    _add_window(make_campaign(brand, "opened", now=yesterday), -HALF_AN_HOUR, 4 * HOUR, local)
    _add_window(make_campaign(brand, "closed", now=yesterday), -4 * HOUR, -HALF_AN_HOUR, local)
    make_campaign(brand, "began", start_date=local.date(), now=yesterday)
    make_campaign(brand, "ended", end_date=local.date() - 24 * HOUR, now=yesterday)
    _expire(name, zone, sweep_until, now)
    sweep_until(now)


def _add_window(campaign: Campaign, start: timedelta, end: timedelta, local: datetime) -> None:
    def clock(at: datetime) -> time:
        return at.time().replace(second=0, microsecond=0)

    yesterday = local - 24 * HOUR
    for day in (yesterday.weekday(), local.weekday()):
        schedules.add_window(
            campaign_id=campaign.id,
            day_of_week=day,
            start_time=clock(local + start),
            end_time=clock(local + end),
            now=yesterday,
            by=ANN,
        )


def _expire(name: str, zone: str, sweep_until: Callable[[datetime], None], now: datetime) -> None:
    """An adjustment that ended while nobody looked leaves more spent than may be."""
    then = now - 1.5 * HOUR
    sweep_until(then)
    brand = make_brand(f"{name} adjusted", time_zone=zone, now=then)
    campaign = make_campaign(brand, "adjusted", daily="50", now=then)
    budgets.adjust_budget(
        budget_id=campaign.budget_id,
        amount=Decimal(30),
        period=Period.DAY,
        note="Launch",
        expires_at=then + HOUR,
        now=then,
        by=ANN,
    )
    _spend(campaign, 60, then, zone)


def _spend(campaign: Campaign, amount: int, at: datetime, zone: str) -> None:
    day = at.astimezone(ZoneInfo(zone)).date()
    record_spend(spend=NewSpend(campaign.id, Decimal(amount), day), now=at, by=ANN)


def _sweep_in_time(until: datetime) -> None:
    """Decide whenever time alone asked for it."""
    while (at := Brand.objects.aggregate(at=Min("next_check_at"))["at"]) and at <= until:
        sweep.enforce(sweep.due_brands(now=at), now=at)


State = tuple[frozenset[tuple[object, ...]], ...]


def state_of(agency: Agency) -> State:
    """Holds, statuses and totals, by names and not by ids; and that the invariants hold."""
    with tenant_context(agency):
        assert audit().violations == []
        holds = Hold.with_alerts.filter(released_at=None).values_list(
            "campaign__brand__name",
            "campaign__name",
            "reason",
            "budget__kind",
            "origin",
            "mode",
            "period_start",
            "until",
            "limit",
        )
        statuses = Campaign.objects.values_list("brand__name", "name", "status")
        totals = SpendTotal.objects.values_list(
            "budget__brand__name", "budget__kind", "budget__campaign__name", "day", "daily_amount"
        )
        return frozenset(holds), frozenset(statuses), frozenset(totals)
