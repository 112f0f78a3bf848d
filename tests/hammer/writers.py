"""A writer: it calls the real services and keeps books of what they accepted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from django.db import OperationalError, connection

from budgets.models import SpendType
from campaigns import sweep
from campaigns.services import brands, budgets, campaigns
from campaigns.services.restatements import CompleteRange, ReportedSpend, restate_spends
from campaigns.services.spend import BadRows, NewSpend, record_spends, reverse_spend
from kernel.actor import SYSTEM
from tenants.contexts import tenant_context
from tenants.models import Agency

from .books import Books, Said, Spot, Whole
from .stage import Stage

T = TypeVar("T")
# (daily, monthly) limits by the level of the budget.
LIMITS = {
    "campaign": [(None, None), (10, None), (30, 60), (60, 150), (0, None)],
    "group": [(None, None), (25, None), (60, 150), (None, 300)],
    "brand": [(None, None), (30, 400), (90, 200), (250, None)],
}
# All writers spend, and then all correct, so that every limit is crossed in both directions.
TIDE_HOURS = 3
SOURCES = ("platform-1", "platform-2", "platform-3")
# Keys that several writers use, with other contents: whoever comes second is refused. There are new
# ones with each turn of the tide.
CONTESTED_KEYS, CONTESTED_AT_ONCE = 40, 25
ATTEMPTS_MAX = 10
# Of deadlocks, serialisation failures, and locks that were not to be had in time.
PASSING_STATES = {"40P01", "40001", "55P03"}


@dataclass
class Writer:
    """One of many on a stage; `rng` decides what it does."""

    stage: Stage
    rng: Random
    books: Books = field(default_factory=Books)
    accepted: int = 0
    refused: int = 0
    retries: int = 0

    def run(self, agency: Agency, is_over: Callable[[], bool]) -> None:
        """Run in a thread of its own, with its own connection."""
        acts = [
            *[self.spend] * 9,
            *[self.batch] * 5,
            *[self.contest] * 2,
            *[self.restate] * 3,
            *[self.reverse] * 3,
            *[self.limit] * 4,
            self.move,
            self.sweep,
        ]
        try:
            with tenant_context(agency):
                while not is_over():
                    self.rng.choice(acts)(now=self.stage.clock.now())
        finally:
            connection.close()

    def attempt(self, call: Callable[[], T]) -> T:
        """Call a service as its clients do: what passes by itself is tried again."""
        for last in range(ATTEMPTS_MAX):
            try:
                result = call()
            except OperationalError as error:
                state = getattr(error.__cause__, "sqlstate", None)
                if state not in PASSING_STATES or last == ATTEMPTS_MAX - 1:
                    raise
                self.retries += 1
            else:
                self.accepted += 1
                return result
        raise AssertionError("the last attempt returns or raises")

    def any_campaign(self) -> UUID:
        return self.rng.choice(list(self.stage.brand_of))

    def line(self, *, now: datetime, key: str = "", campaign_id: UUID | None = None) -> NewSpend:
        """Return a spend of lately, or a correction down: with the tide, or against it."""
        campaign_id = campaign_id or self.any_campaign()
        is_ebb = now.hour // TIDE_HOURS % 2 == 1
        is_down = self.rng.random() < (0.8 if is_ebb else 0.2)
        amount = Decimal(self.rng.randrange(1, 3000)).scaleb(-2)
        return NewSpend(
            campaign_id,
            -amount if is_down else amount,
            self.day(campaign_id, now=now),
            self.rng.choice([SpendType.DAILY] * 9 + [SpendType.MONTHLY]),
            description="hammered",
            external_id=key,
            source="hammer",
            is_correction=is_down,
        )

    def day(self, campaign_id: UUID, *, now: datetime) -> date:
        ago = self.rng.choice([0] * 8 + [1, 2])
        return self.stage.today(campaign_id, now=now) - timedelta(days=ago)

    def record(self, spends: list[NewSpend], *, now: datetime) -> None:
        recorded = self.attempt(lambda: record_spends(spends=spends, now=now, by=SYSTEM))
        for spend, entry, is_new in zip(spends, recorded.entries, recorded.is_new, strict=True):
            if is_new:
                self.books.append(_spot(spend), spend.amount)
                self.stage.reversible.append((entry.id, _spot(spend), spend.amount))

    def spend(self, *, now: datetime) -> None:
        """Record one spend, and now and then the same one again."""
        spend = self.line(now=now, key=f"{self.rng.getrandbits(64):x}")
        for _ in range(self.rng.choice([1, 1, 1, 2])):
            self.record([spend], now=now)

    def batch(self, *, now: datetime) -> None:
        """Record several lines at once, over brands in any order."""
        self.record([self.line(now=now) for _ in range(self.rng.randrange(2, 9))], now=now)

    def contest(self, *, now: datetime) -> None:
        """Record lines under keys that others use in other brands, in an order of its own."""
        turn = f"{now:%d}-{now.hour // TIDE_HOURS}"
        keys = self.rng.sample(range(CONTESTED_KEYS), CONTESTED_AT_ONCE)
        mine = self.any_campaign()
        spends = [self.line(now=now, key=f"{turn}-{key}", campaign_id=mine) for key in keys]
        try:
            self.record(spends, now=now)
        except BadRows as refusal:
            if not refusal.are_conflicts:
                raise
            self.refused += 1

    def restate(self, *, now: datetime) -> None:
        """Say what a source reports of a few days, perhaps as all that there is."""
        source, as_of = self.rng.choice(SOURCES), self.stage.as_of(self.rng)
        spots = list({_spot(self.line(now=now)) for _ in range(self.rng.randrange(1, 5))})
        rows = [
            ReportedSpend(
                spot.owner,
                Decimal(self.rng.randrange(0, 2000)).scaleb(-2),
                spot.day,
                as_of,
                SpendType(spot.spend_type),
                is_additional=True,
            )
            for spot in spots
        ]
        complete = None
        if self.rng.random() < 0.2:
            days = [spot.day for spot in spots]
            covered = frozenset(spot.owner for spot in spots) | {self.any_campaign()}
            complete = CompleteRange(min(days), max(days), as_of, covered)
        self.attempt(
            lambda: restate_spends(
                source=source,
                rows=rows,
                complete=complete,
                confirm_decrease=True,
                now=now,
                by=SYSTEM,
            )
        )
        for spot, row in zip(spots, rows, strict=True):
            self.books.say(source, spot, Said(as_of, row.amount))
        if complete is not None:
            whole = Whole(as_of, (min(days), max(days)), covered, frozenset(spots))
            self.books.whole.append((source, whole))

    def reverse(self, *, now: datetime) -> None:
        """Reverse a line that somebody recorded lately, perhaps at the same time as others do."""
        if not self.stage.reversible:
            return
        entry_id, spot, amount = self.rng.choice(list(self.stage.reversible))
        _, is_new = self.attempt(lambda: reverse_spend(entry_id=entry_id, now=now, by=SYSTEM))
        if is_new:
            self.books.append(spot, -amount)

    def limit(self, *, now: datetime) -> None:
        """Raise or lower what a campaign, a group or a brand may spend."""
        campaign_id = self.any_campaign()
        brand = self.stage.brand_of[campaign_id]
        level = self.rng.choice(list(LIMITS))
        daily, monthly = self.rng.choice(LIMITS[level])
        changes: Any = {
            "daily_budget": None if daily is None else Decimal(daily),
            "monthly_budget": None if monthly is None else Decimal(monthly),
        }
        group_id = self.rng.choice(self.stage.groups[brand.id])
        calls: dict[str, Callable[[], object]] = {
            "brand": lambda: brands.update_brand(
                brand_id=brand.id, changes=changes, now=now, by=SYSTEM
            ),
            "group": lambda: budgets.update_budget(
                budget_id=group_id, changes=changes, now=now, by=SYSTEM
            ),
            "campaign": lambda: campaigns.update_campaign(
                campaign_id=campaign_id, changes=changes, now=now, by=SYSTEM
            ),
        }
        self.attempt(calls[level])

    def move(self, *, now: datetime) -> None:
        """Put a campaign into another group, and what it spent with it."""
        campaign_id = self.any_campaign()
        homes = [None, *self.stage.groups[self.stage.brand_of[campaign_id].id]]
        changes: Any = {"group": self.rng.choice(homes)}
        self.attempt(
            lambda: campaigns.update_campaign(
                campaign_id=campaign_id, changes=changes, now=now, by=SYSTEM
            )
        )

    def sweep(self, *, now: datetime) -> None:
        """Do what the tick of each minute does for what is due."""
        self.attempt(lambda: sweep.enforce(sweep.due_brands(now=now), now=now))


def _spot(spend: NewSpend) -> Spot:
    return Spot(spend.campaign_id, spend.spend_date, spend.spend_type)
