"""What people change: limits, modes, hours, flights, groups, zones; and that they pause, resume."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from budgets.models import Period
from campaigns.services import brands, budgets, campaigns, exceptions, schedules, shared_schedules
from campaigns.services.campaigns import Command
from campaigns.services.exceptions import DayHours
from tests.simulate.model import DAILY, MONTHLY, ModelAdjustment, ModelSchedule, period_of
from tests.simulate.world import (
    BUYER,
    GROUP,
    ZONES,
    SimulatedBrand,
    World,
    about,
    own_schedule_id,
    remember_windows,
)
from tests.zones.periods import midnight_after


class Edits:
    """The people of one agency, who change one thing at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dice = world.dice
        self.adjustments: list[tuple[SimulatedBrand, str, UUID, ModelAdjustment]] = []
        self.kinds: dict[Callable[[datetime], None], int] = {
            self.limit: 6,
            self.adjust: 10,
            self.withdraw: 2,
            self.mode: 2,
            self.windows: 4,
            self.exception: 4,
            self.shared_windows: 2,
            self.use_shared: 3,
            self.flight: 3,
            self.command: 8,
            self.group: 2,
            self.zone: 1,
        }

    def one(self, now: datetime) -> None:
        """Change something, and let the model follow."""
        (kind,) = self.dice.choices(list(self.kinds), list(self.kinds.values()))
        kind(now)
        self.world.settle(now)

    def _some_node(self) -> tuple[SimulatedBrand, str]:
        brand = self.dice.choice(self.world.brands)
        return brand, self.dice.choice(["root", GROUP, *brand.campaigns])

    def limit(self, now: datetime) -> None:
        """New limits, at once or from a coming day on."""
        brand, name = self._some_node()
        node, today = brand.node(name), brand.model.today(now)
        if node.coming(today):
            # What has been announced begins first.
            return
        limits = self.world.some_limits(name)
        if self.dice.random() < 0.05:
            limits[DAILY] = Decimal(0)
        day = today + timedelta(days=self.dice.choice([0, 0, 0, 1, 3]))
        changes: Any = {**limits, "from_day": day}
        self._update(brand, name, changes, now)
        if any(node.limit(reason, day) != limit for reason, limit in limits.items()):
            node.limits[day] = limits

    def _update(self, brand: SimulatedBrand, name: str, changes: Any, now: datetime) -> None:
        """Through the service of what has the budget."""
        if name == "root" and "mode" not in changes:
            brands.update_brand(brand_id=brand.id, changes=changes, now=now, by=BUYER)
        elif name in brand.campaigns and "mode" not in changes:
            campaigns.update_campaign(
                campaign_id=brand.campaigns[name], changes=changes, now=now, by=BUYER
            )
        else:
            budgets.update_budget(budget_id=brand.nodes[name], changes=changes, now=now, by=BUYER)

    def adjust(self, now: datetime) -> None:
        """More or less for the running day or month, perhaps only for some hours of it."""
        brand, name = self._some_node()
        node, today = brand.node(name), brand.model.today(now)
        reason, period = self.dice.choice([(DAILY, Period.DAY), (MONTHLY, Period.MONTH)])
        if node.limit(reason, today) is None:
            return
        amount = Decimal(self.dice.choice([-90, -40, 10, 40])) * about(name) / 100
        minutes = self.dice.choice([None, 45, 150, 600])
        expires_at = None if minutes is None else now + timedelta(minutes=minutes)
        given = budgets.adjust_budget(
            budget_id=brand.nodes[name],
            amount=amount,
            period=period,
            note="A busy day",
            expires_at=expires_at,
            now=now,
            by=BUYER,
        )
        adjustment = ModelAdjustment(reason, period_of(reason, today), amount, expires_at)
        node.adjustments.append(adjustment)
        self.adjustments.append((brand, name, given.id, adjustment))

    def withdraw(self, now: datetime) -> None:
        """Take back what was given last, if it has not ended."""
        if not self.adjustments:
            return
        brand, name, given_id, adjustment = self.adjustments.pop()
        is_over = adjustment.expires_at is not None and adjustment.expires_at <= now
        today = brand.model.today(now)
        if is_over or adjustment.period != period_of(adjustment.reason, today):
            return
        budgets.withdraw_adjustment(
            budget_id=brand.nodes[name], adjustment_id=given_id, now=now, by=BUYER
        )
        brand.node(name).adjustments.remove(adjustment)

    def mode(self, now: datetime) -> None:
        """What a spent limit does, and from which percentage on."""
        brand, name = self._some_node()
        node = brand.node(name)
        node.mode = self.dice.choice(["", "", "pause_resume", "pause", "alert_only"])
        node.stop_at = self.dice.choice([100, 100, 90, 75])
        self._update(brand, name, {"mode": node.mode, "stop_at": node.stop_at}, now)

    def windows(self, now: datetime) -> None:
        """Other windows for one campaign, or none: always."""
        brand, name = self.dice.choice(self.world.campaigns())
        schedule = brand.model.campaigns[name].schedule
        gone = self.dice.sample(sorted(schedule.windows, key=str), len(schedule.windows) // 2)
        new = self.world.some_windows()[: self.dice.randrange(4)]
        if self.dice.random() < 0.3:
            gone, new = list(schedule.windows), []
        campaign_id = brand.campaigns[name]
        schedules.change_windows(campaign_id=campaign_id, add=new, remove=gone, now=now, by=BUYER)
        remember_windows(schedule, own_schedule_id(campaign_id))

    def exception(self, now: datetime) -> None:
        """A date of one schedule that is not like its weekday; or it is like it again."""
        brand, name = self.dice.choice(self.world.campaigns())
        where: dict[str, Any] = {"campaign_id": brand.campaigns[name]}
        schedule = brand.model.campaigns[name].schedule
        if self.dice.random() < 0.3:
            shared = self.dice.choice(self.world.shared)
            where, schedule = {"schedule_id": shared.id}, shared.model
        if schedule.exceptions and self.dice.random() < 0.4:
            self._remove_exception(schedule, now)
            return
        day = brand.model.today(now) + timedelta(days=self.dice.randrange(5))
        if any(day == taken for taken, _ in schedule.exceptions.values()):
            return
        hours = [self.world.some_hours()] if self.dice.random() < 0.5 else []
        made = exceptions.add_exception(
            **where, day=day, hours=[DayHours(*span) for span in hours], now=now, by=BUYER
        )
        schedule.exceptions[made.id] = (day, hours)

    def _remove_exception(self, schedule: ModelSchedule, now: datetime) -> None:
        gone = self.dice.choice(sorted(schedule.exceptions, key=str))
        exceptions.remove_exception(exception_id=gone, now=now, by=BUYER)
        del schedule.exceptions[gone]

    def shared_windows(self, now: datetime) -> None:
        """Other windows for all that share a schedule."""
        shared = self.dice.choice(self.world.shared)
        shared_schedules.update_shared_schedule(
            schedule_id=shared.id,
            changes={"windows": self.world.some_windows()},
            now=now,
            by=BUYER,
        )
        remember_windows(shared.model, shared.id)

    def use_shared(self, now: datetime) -> None:
        """A campaign begins to share a schedule, or has its own again."""
        brand, name = self.dice.choice(self.world.campaigns())
        shared = self.dice.choice([None, *self.world.shared])
        self._change(brand, name, {"shared_schedule": shared.id if shared else None}, now)
        brand.model.campaigns[name].shared = shared.model if shared else None

    def flight(self, now: datetime) -> None:
        """A first and a last day, or none."""
        brand, name = self.dice.choice(self.world.campaigns())
        model, today = brand.model.campaigns[name], brand.model.today(now)
        model.start = model.end = None
        if self.dice.random() < 0.6:
            model.start = today + timedelta(days=self.dice.randrange(-5, 3))
            model.end = model.start + timedelta(days=self.dice.randrange(12))
        self._change(brand, name, {"start_date": model.start, "end_date": model.end}, now)

    def command(self, now: datetime) -> None:
        """A person pauses, resumes or switches off; most resume what they find paused."""
        brand, name = self.dice.choice(self.world.campaigns())
        model = brand.model.campaigns[name]
        is_stopped = model.is_paused or model.waits or not model.is_live
        weights = [8, 1, 0] if is_stopped else [1, 5, 1]
        commands: list[Command] = ["ACTIVE", "PAUSED", "INACTIVE"]
        (status,) = self.dice.choices(commands, weights)
        campaigns.command(campaign_ids=[brand.campaigns[name]], status=status, now=now, by=BUYER)
        model.is_live = status != "INACTIVE"
        model.is_paused = {"PAUSED": True, "ACTIVE": False}.get(status, model.is_paused)
        if status == "ACTIVE":
            # A period that is over by now is resumed too, whether or not a sweep has seen it.
            brand.model.before_decision(now)
            model.waits.clear()

    def group(self, now: datetime) -> None:
        """A campaign enters or leaves the group, with all that it has spent."""
        brand, name = self.dice.choice(self.world.campaigns())
        group = self.dice.choice([None, GROUP])
        self._change(brand, name, {"group": brand.nodes[GROUP] if group else None}, now)
        brand.model.campaigns[name].group = group

    def zone(self, now: datetime) -> None:
        """A brand moves: from a midnight of the new zone on."""
        brand = self.dice.choice(self.world.brands)
        model, new = brand.model, self.dice.choice(ZONES)
        old: Any = model.local(now).tzinfo
        since = None if new == old.key else midnight_after(old, ZoneInfo(new), now)
        if new == model.zone or (since is None and new != old.key):
            return
        brands.update_brand(brand_id=brand.id, changes={"time_zone": new}, now=now, by=BUYER)
        model.zone, model.since = new, since
        model.zone_before = old.key if since else ""

    def _change(self, brand: SimulatedBrand, name: str, changes: Any, now: datetime) -> None:
        campaigns.update_campaign(
            campaign_id=brand.campaigns[name], changes=changes, now=now, by=BUYER
        )
