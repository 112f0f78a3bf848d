"""What the hammer hits: brands with groups and campaigns, and a clock that runs fast."""

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from uuid import UUID

from budgets.models import Brand
from campaigns.services import brands, budgets, campaigns
from kernel.actor import SYSTEM

from .books import Spot

# The month ends two seconds later, and a day four seconds after that.
START = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
SPEED = 6 * 3600
ZONES = ("UTC", "Europe/Riga", "America/New_York", "Pacific/Kiritimati")
# Among as many campaigns the writers of one brand meet at every level.
CAMPAIGNS_IN_ALL = 12
CAMPAIGNS_A_BRAND_MIN = 3
REVERSIBLE_KEPT = 200


class Clock:
    """The time of a run: six hours a second, so that days and a month turn while it writes."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def now(self) -> datetime:
        return START + timedelta(seconds=SPEED * (time.monotonic() - self._started))


@dataclass(frozen=True, slots=True)
class Stage:
    """The campaigns with their brands, and the brands' groups; and what the writers share.

    `reversible` are lines that were accepted lately; `numbers` gives each statement an own instant.
    """

    brand_of: dict[UUID, Brand] = field(default_factory=dict)
    groups: dict[UUID, list[UUID]] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    reversible: deque[tuple[UUID, Spot, Decimal]] = field(
        default_factory=lambda: deque(maxlen=REVERSIBLE_KEPT)
    )
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def today(self, campaign_id: UUID, *, now: datetime) -> date:
        return self.brand_of[campaign_id].calendar.today(now)

    def as_of(self, rng: Random) -> datetime:
        """Return an instant that no other statement has, often older than one given before."""
        number = next(self.numbers)
        late = rng.choice((0, 0, rng.randrange(300)))
        return START + timedelta(microseconds=(number - late) * 100_000 + number % 100_000)


def make_stage(*, brands_count: int) -> Stage:
    """Make the brands, each with two groups and campaigns inside and beside them."""
    stage = Stage()
    per_brand = max(CAMPAIGNS_A_BRAND_MIN, CAMPAIGNS_IN_ALL // brands_count)
    for number in range(brands_count):
        brand = brands.create_brand(
            name=f"Brand {number}",
            time_zone=ZONES[number % len(ZONES)],
            daily_budget=Decimal(90),
            now=START,
            by=SYSTEM,
        )
        groups = [
            budgets.create_group(
                brand_id=brand.id, name=name, daily_budget=Decimal(60), now=START, by=SYSTEM
            ).id
            for name in ("Search", "Social")
        ]
        homes = [None, *groups]
        for place in range(per_brand):
            campaign = campaigns.create_campaign(
                brand_id=brand.id,
                name=f"Campaign {place}",
                group=homes[place % len(homes)],
                daily_budget=Decimal(30),
                monthly_budget=Decimal(100),
                now=START,
                by=SYSTEM,
            )
            stage.brand_of[campaign.id] = brand
        stage.groups[brand.id] = groups
    return stage
