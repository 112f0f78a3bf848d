"""Fill an agency in bulk: brands, budgets, campaigns, hours and weeks of spend.

Rows go in by sets, since a service call for each of 10,000 campaigns would take minutes. Two things
keep to their one path all the same: money enters through the ledger, which keeps the totals, and
everything is decided by one `enforce_delivery` in the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple

from django.db import connection, transaction

from budgets import ledger
from budgets.ledger import NewEntry
from budgets.models import Brand, Budget, BudgetKind, LimitVersion, SpendType
from budgets.services import lock_brands
from campaigns.enforcement import enforce_delivery
from campaigns.models import Campaign, Status
from dayparting.models import Schedule, Weekday, Window
from kernel.actor import Actor
from kernel.money import quantize
from tenants.contexts import current_agency, owner_context, tenant_context

# Rows that are held in memory at once stay in proportion to this.
CAMPAIGNS_AT_ONCE = 500
PLATFORMS = ("google", "meta", "microsoft", "tiktok")
GROUP_NAME = "Always on"


class Market(NamedTuple):
    """Where a brand is: its currency, its zone, and what 1 USD of budget is there, about."""

    currency: str
    time_zone: str
    scale: int = 1


MARKETS = (
    Market("USD", "America/New_York"),
    Market("EUR", "Europe/Riga"),
    Market("GBP", "Europe/London"),
    Market("JPY", "Asia/Tokyo", 150),
    Market("AUD", "Australia/Sydney"),
    Market("USD", "America/Los_Angeles"),
    Market("INR", "Asia/Kolkata", 80),
    Market("BRL", "America/Sao_Paulo", 5),
)
# One window a weekday; the last crosses midnight.
HOURS = (
    (time(6), time(0)),
    (time(8), time(20)),
    (time(18), time(2)),
)
HOURS_WEIGHTS = (6, 3, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPlan:
    """How much to make. `days`: local days of spend, today included; `seed` draws the numbers."""

    brands: int
    campaigns_per_brand: int
    days: int = 30
    seed: int = 1


@dataclass(slots=True)
class Seeded:
    """How many rows were made, and how many of the planned brands were there already."""

    known_brands: int = 0
    brands: int = 0
    campaigns: int = 0
    windows: int = 0
    entries: int = 0

    def add(self, other: "Seeded") -> None:
        self.known_brands += other.known_brands
        self.brands += other.brands
        self.campaigns += other.campaigns
        self.windows += other.windows
        self.entries += other.entries

    def __str__(self) -> str:
        made = (
            (self.brands, "brand"),
            (self.campaigns, "campaign"),
            (self.windows, "window"),
            (self.entries, "spend"),
        )
        known = f" (besides {_counted(self.known_brands, 'brand')})" if self.known_brands else ""
        return ", ".join(_counted(*counted) for counted in made) + known


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(slots=True)
class _Rows:
    """The rows of some brands, in the order in which they refer to each other."""

    brands: list[Brand] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)
    limits: list[LimitVersion] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)
    entries: list[NewEntry] = field(default_factory=list)


def brand_name(number: int) -> str:
    """Return what the brand with this number, from 1, is called."""
    return f"Seed brand {number:04}"


@transaction.atomic
def seed_agency(*, plan: SeedPlan, now: datetime, by: Actor) -> Seeded:
    """Fill the current agency up to the plan and decide on what is new, all or nothing.

    Brands that an earlier seeding made are left as they are.
    """
    numbers = range(1, plan.brands + 1)
    known = Brand.objects.filter(name__in=map(brand_name, numbers), archived_at=None)
    there = set(known.values_list("name", flat=True))
    new = [number for number in numbers if brand_name(number) not in there]
    seeded = Seeded(known_brands=len(there))
    brand_ids = []
    at_once = max(1, CAMPAIGNS_AT_ONCE // plan.campaigns_per_brand)
    for start in range(0, len(new), at_once):
        rows = _Rows()
        for number in new[start : start + at_once]:
            _BrandSeed(plan, number, rows, now=now, by=by).sow()
        _insert(rows, now=now, by=by)
        _count(seeded, rows)
        brand_ids += [brand.id for brand in rows.brands]
    if brand_ids:
        enforce_delivery(lock_brands(brand_ids, by=by), now=now, by=by)
    return seeded


def refresh_statistics() -> None:
    """Tell PostgreSQL's planner at once what autovacuum would tell it in a minute."""
    models = (Brand, Budget, LimitVersion, Schedule, Window, Campaign)
    tables = [model._meta.db_table for model in models]
    tables += ["budgets_spendentry", "budgets_spendtotal", "campaigns_hold"]
    agency = current_agency()
    with owner_context(), tenant_context(agency), connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")


def _insert(rows: _Rows, *, now: datetime, by: Actor) -> None:
    Brand.objects.bulk_create(rows.brands)
    Budget.objects.bulk_create(rows.budgets)
    LimitVersion.objects.bulk_create(rows.limits)
    Schedule.objects.bulk_create(rows.schedules)
    Window.objects.bulk_create(rows.windows)
    Campaign.objects.bulk_create(rows.campaigns)
    ledger.append(rows.entries, now=now, by=by)


def _count(seeded: Seeded, rows: _Rows) -> None:
    seeded.brands += len(rows.brands)
    seeded.campaigns += len(rows.campaigns)
    seeded.windows += len(rows.windows)
    seeded.entries += len(rows.entries)


class _BrandSeed:
    """Makes the rows of one brand. Its numbers depend on the seed and its own number alone."""

    def __init__(
        self, plan: SeedPlan, number: int, rows: _Rows, *, now: datetime, by: Actor
    ) -> None:
        self.plan = plan
        self.rows = rows
        self.now = now
        self.by = by
        self.market = MARKETS[(number - 1) % len(MARKETS)]
        self.brand = Brand(
            name=brand_name(number),
            currency=self.market.currency,
            time_zone=self.market.time_zone,
        )
        self.today = self.brand.calendar.today(now)
        # Seeded by a text: it draws the same in every process.
        self.random = Random(f"{plan.seed}:{number}")  # noqa: S311

    def sow(self) -> None:
        """Append the brand and all below it to the rows."""
        self.rows.brands.append(self.brand)
        root = self._budget(BudgetKind.ROOT)
        daily = [self._daily_limit() for _ in range(self.plan.campaigns_per_brand)]
        # Every third campaign is in a group; shared limits bind before all own ones are spent.
        grouped = sum(daily[2::3], Decimal(0))
        group = self._budget(BudgetKind.GROUP, parent=root, name=GROUP_NAME) if grouped else root
        for index, limit in enumerate(daily):
            self._campaign(group if index % 3 == 2 else root, index, limit)
        whole = sum(daily, Decimal(0))
        self._limit(root, daily=whole * 9 / 10, monthly=whole * 26)
        if group is not root:
            self._limit(group, daily=None, monthly=grouped * 27)

    def _daily_limit(self) -> Decimal:
        return Decimal(self.random.randrange(50, 500, 10) * self.market.scale)

    def _budget(self, kind: BudgetKind, *, parent: Budget | None = None, name: str = "") -> Budget:
        budget = Budget(brand=self.brand, parent=parent, kind=kind, name=name)
        self.rows.budgets.append(budget)
        return budget

    def _limit(self, budget: Budget, *, daily: Decimal | None, monthly: Decimal | None) -> None:
        self.rows.limits.append(
            LimitVersion(
                budget=budget,
                from_day=self.today - timedelta(days=self.plan.days),
                daily_limit=daily,
                monthly_limit=monthly,
                set_at=self.now,
                set_by_kind=self.by.kind,
                set_by_id=self.by.id,
                set_by_label=self.by.label,
            )
        )

    def _campaign(self, parent: Budget, index: int, limit: Decimal) -> None:
        leaf = self._budget(BudgetKind.LEAF, parent=parent)
        self._limit(leaf, daily=limit, monthly=None)
        schedule = Schedule()
        self.rows.schedules.append(schedule)
        [(start, end)] = self.random.choices(HOURS, HOURS_WEIGHTS)
        self.rows.windows.extend(
            Window(schedule=schedule, day_of_week=day, start_time=start, end_time=end)
            for day in Weekday.values
        )
        platform = self.random.choice(PLATFORMS)
        self.rows.campaigns.append(
            Campaign(
                brand=self.brand,
                budget=leaf,
                schedule=schedule,
                name=f"Campaign {index + 1:04}",
                platform=platform,
                external_id=f"seed-{index + 1}",
                # Nothing yet: the decision in the end writes the first status.
                status=Status.INACTIVE,
            )
        )
        self.rows.entries.extend(self._spends(leaf, platform, limit))

    def _spends(self, leaf: Budget, platform: str, limit: Decimal) -> Iterator[NewEntry]:
        # One in twenty-five sells out each day; the others stay below their own limit.
        low, high = (100, 105) if self.random.random() < 0.04 else (30, 90)
        for back in range(self.plan.days):
            day = self.today - timedelta(days=back)
            share = Decimal(self.random.randint(low, high)) / 100
            yield NewEntry(
                budget_id=leaf.id,
                brand_id=leaf.brand_id,
                day=day,
                amount=quantize(limit * share, self.market.currency),
                spend_type=SpendType.DAILY,
                source=platform,
                key=f"seed:{leaf.id}:{day}",
            )
