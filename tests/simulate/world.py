"""An agency as the product has it, and beside it what the model thinks of it."""

import random
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from budgets.models import Brand, Budget, BudgetKind
from campaigns.models import Campaign
from campaigns.services import brands, budgets, campaigns, schedules, shared_schedules
from campaigns.services.schedules import NewWindow
from dayparting.models import Window
from kernel.actor import SYSTEM, Actor, ActorKind
from tenants.models import Agency
from tests.simulate.model import (
    DAILY,
    MONTHLY,
    ModelBrand,
    ModelCampaign,
    ModelNode,
    ModelSchedule,
)

BUYER = Actor(ActorKind.PERSON, "bo", "Bo")
GROUP = "Social"
CAMPAIGNS = ("Search", "Video", "Display", "Shopping")
# Whose clocks change in February to April, some at midnight, and some at the ends of the world.
ZONES = (
    "Europe/Riga",
    "America/New_York",
    "Asia/Beirut",
    "America/Santiago",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Tokyo",
    "America/Los_Angeles",
    "Europe/London",
    "Pacific/Niue",
)
_HOURS_OF_A_DAY = [(9, 18), (8, 12), (14, 20), (22, 2), (18, 0), (0, 6)]


@dataclass
class SimulatedBrand:
    """A brand and its model, with the product's ids by the model's names."""

    id: UUID
    model: ModelBrand
    nodes: dict[str, UUID]
    campaigns: dict[str, UUID] = field(default_factory=dict)
    # By campaign: what it would spend in a day, if it ran all of it.
    appetite: dict[str, Decimal] = field(default_factory=dict)
    # The campaigns whose spend is restated; of the others each spend is reported once.
    restated: set[str] = field(default_factory=set)

    def node(self, name: str) -> ModelNode:
        """The model's budget: the root's, the group's, or a campaign's."""
        if name == "root":
            return self.model.root
        return self.model.groups[name] if name == GROUP else self.model.campaigns[name].own


@dataclass
class SimulatedSchedule:
    """A schedule that campaigns share, and its model."""

    id: UUID
    model: ModelSchedule


class World:
    """One agency, in whose context it is called; `dice` alone decides what happens in it."""

    def __init__(self, agency: Agency, dice: random.Random, now: datetime) -> None:
        self.agency = agency
        self.dice = dice
        self.decisions = 0
        self.shared: list[SimulatedSchedule] = []
        self.brands: list[SimulatedBrand] = []
        for number in range(2):
            self._share(f"Hours {number}")
        for number, zone in enumerate(dice.sample(ZONES, 2)):
            self._make_brand(f"Brand {number}", zone, now)

    def campaigns(self) -> list[tuple[SimulatedBrand, str]]:
        return [(brand, name) for brand in self.brands for name in brand.campaigns]

    def _share(self, name: str) -> None:
        windows = self.some_windows()
        made = shared_schedules.create_shared_schedule(name=name, windows=windows, by=SYSTEM)
        model = ModelSchedule()
        remember_windows(model, made.id)
        self.shared.append(SimulatedSchedule(made.id, model))

    def _make_brand(self, name: str, zone: str, now: datetime) -> None:
        limits = self.some_limits("root")
        made = brands.create_brand(
            name=name, time_zone=zone, currency="EUR", **limits, now=now, by=BUYER
        )
        group_limits = self.some_limits(GROUP)
        group = budgets.create_group(
            brand_id=made.id, name=GROUP, **group_limits, now=now, by=BUYER
        )
        root = Budget.objects.get(brand=made, kind=BudgetKind.ROOT)
        model = ModelBrand(zone, groups={GROUP: ModelNode()})
        brand = SimulatedBrand(made.id, model, {"root": root.id, GROUP: group.id})
        today = model.today(now)
        model.root.limits[today], model.groups[GROUP].limits[today] = limits, group_limits
        self.brands.append(brand)
        for campaign in CAMPAIGNS:
            self._make_campaign(brand, campaign, now)

    def _make_campaign(self, brand: SimulatedBrand, name: str, now: datetime) -> None:
        dice, model = self.dice, ModelCampaign()
        limits = self.some_limits(name)
        model.own.limits[brand.model.today(now)] = limits
        model.group = GROUP if dice.random() < 0.5 else None
        made = campaigns.create_campaign(
            brand_id=brand.id,
            name=name,
            group=brand.nodes[GROUP] if model.group else None,
            **limits,
            now=now,
            by=BUYER,
        )
        brand.model.campaigns[name] = model
        brand.campaigns[name], brand.nodes[name] = made.id, made.budget_id
        brand.appetite[name] = Decimal(dice.randrange(50, 400))
        if dice.random() < 0.4:
            brand.restated.add(name)
        self._give_hours(made.id, model, now)

    def _give_hours(self, campaign_id: UUID, model: ModelCampaign, now: datetime) -> None:
        """Windows of its own, a shared schedule, or both; some run always."""
        if self.dice.random() < 0.6:
            windows = self.some_windows()
            schedules.change_windows(campaign_id=campaign_id, add=windows, now=now, by=BUYER)
            remember_windows(model.schedule, own_schedule_id(campaign_id))
        if self.dice.random() < 0.3:
            shared = self.dice.choice(self.shared)
            campaigns.update_campaign(
                campaign_id=campaign_id,
                changes={"shared_schedule": shared.id},
                now=now,
                by=BUYER,
            )
            model.shared = shared.model

    def some_limits(self, name: str) -> dict[str, Any]:
        """A daily and a monthly limit of a budget, in most cases."""
        daily = Decimal(self.dice.randrange(about(name) // 2, about(name) * 2))
        return {
            DAILY: daily if self.dice.random() < 0.7 else None,
            MONTHLY: daily * self.dice.randrange(2, 20) if self.dice.random() < 0.6 else None,
        }

    def some_hours(self) -> tuple[time, time]:
        """Hours of a day, perhaps over midnight, to the quarter of an hour."""
        first, last = self.dice.choice(_HOURS_OF_A_DAY)
        quarter = self.dice.choice([0, 0, 15, 30, 45])
        return time(first, quarter), time(last, quarter)

    def some_windows(self) -> list[NewWindow]:
        """Windows on some weekdays."""
        days = self.dice.sample(range(7), self.dice.randrange(2, 8))
        return [NewWindow(day, *self.some_hours()) for day in days]

    def settle(self, now: datetime) -> None:
        """Let the model decide where the product did at `now`."""
        decided = set(Brand.objects.filter(decided_at=now).values_list("id", flat=True))
        brands_decided = [brand for brand in self.brands if brand.id in decided]
        for brand in brands_decided:
            brand.model.before_decision(now)
            brand.model.after_decision(now)
            self.decisions += len(brand.campaigns)


def about(name: str) -> int:
    """How much may be spent in a day below a budget: the root's, the group's, or a campaign's."""
    return {"root": 500, GROUP: 200}.get(name, 100)


def remember_windows(model: ModelSchedule, schedule_id: UUID) -> None:
    """Take over the ids that the product gave the windows."""
    rows: Any = Window.objects.filter(schedule=schedule_id).order_by("id")
    model.windows = {row.id: (row.day_of_week, row.start_time, row.end_time) for row in rows}


def own_schedule_id(campaign_id: UUID) -> UUID:
    """The schedule that belongs to the campaign alone."""
    return Campaign.objects.values_list("schedule_id", flat=True).get(id=campaign_id)
