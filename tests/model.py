"""The rules once more, in plain Python, written from the words of the design and not from the code.

It keeps everything that ever happened in lists and computes each answer from scratch, slowly. The
one thing that it remembers from decision to decision is what must be remembered: which holds stood
when a period ended, because in mode `pause` they wait for a person.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.model_ledger import ModelLedger

Limit = Decimal | None
DAILY, MONTHLY = "daily_budget", "monthly_budget"
REASONS = (DAILY, MONTHLY)


class ModelAdjustment(NamedTuple):
    """An amount more or less of a daily or monthly limit in the period that starts on a day."""

    reason: str
    period: date
    amount: Decimal
    expires_at: datetime | None

    def counts(self, reason: str, period: date, now: datetime) -> bool:
        is_expired = self.expires_at is not None and self.expires_at <= now
        return (self.reason, self.period) == (reason, period) and not is_expired

    def is_running(self, today: date, now: datetime) -> bool:
        """Whether it could still be taken back."""
        return self.counts(self.reason, period_of(self.reason, today), now)


@dataclass
class ModelNode:
    """A budget: each limit by the day from which it applies, its mode, what was added."""

    limits: dict[str, dict[date, Limit]] = field(
        default_factory=lambda: {reason: {} for reason in REASONS}
    )
    mode: str = ""
    stop_at: int = 100
    # What was given and not withdrawn.
    adjustments: list[ModelAdjustment] = field(default_factory=list)

    def limit(self, reason: str, day: date) -> Limit:
        """The limit that somebody set for this day: none before the first begins."""
        begun = [since for since in self.limits[reason] if since <= day]
        return self.limits[reason][max(begun)] if begun else None

    def coming(self, today: date) -> list[date]:
        """The days on which a limit will begin."""
        return sorted({day for days in self.limits.values() for day in days if day > today})

    def withdraw(self, day: date) -> None:
        for days in self.limits.values():
            days.pop(day, None)

    def adjust(
        self, reason: str, today: date, amount: Decimal, expires_at: datetime | None
    ) -> ModelAdjustment:
        """Give it an amount more or less for the running period."""
        adjustment = ModelAdjustment(reason, period_of(reason, today), amount, expires_at)
        self.adjustments.append(adjustment)
        return adjustment

    def binding(self, reason: str, day: date, now: datetime) -> Limit:
        """The limit of a day with all that is added to it, never below nothing."""
        limit = self.limit(reason, day)
        if limit is None:
            return None
        period = period_of(reason, day)
        added = [a.amount for a in self.adjustments if a.counts(reason, period, now)]
        return max(Decimal(0), limit + sum(added))

    def is_spent(self, reason: str, day: date, now: datetime, spent: Decimal) -> bool:
        limit = self.binding(reason, day, now)
        return limit is not None and (limit == 0 or spent * 100 >= limit * self.stop_at)


@dataclass
class ModelCampaign:
    """A campaign; `group` is a key of its brand's groups or None."""

    own: ModelNode = field(default_factory=ModelNode)
    group: str | None = None
    is_live: bool = True
    is_archived: bool = False
    is_paused: bool = False
    start: date | None = None
    end: date | None = None
    windows: list[tuple[int, time, time]] = field(default_factory=list)
    # The budget holds of the last decision; and of what waits for a person, the period.
    stood: set["ModelHold"] = field(default_factory=set)
    waits: dict[tuple[str, str], date] = field(default_factory=dict)


class ModelHold(NamedTuple):
    """A reason that a budget gives at a level: on which limit, and until when by time alone."""

    reason: str
    level: str
    mode: str
    period: date
    limit: Limit
    stop_at: int
    until: datetime | None


class Level(NamedTuple):
    """A budget above a campaign, its mode, and the campaigns that spend from it."""

    name: str
    node: ModelNode
    mode: str
    spenders: list[str]


@dataclass
class ModelBrand:
    """A brand with its budgets and campaigns, by their names; its key names it in the ledger."""

    key: str
    zone: str
    ledger: ModelLedger
    root: ModelNode = field(default_factory=ModelNode)
    groups: dict[str, ModelNode] = field(default_factory=dict)
    campaigns: dict[str, ModelCampaign] = field(default_factory=dict)

    def local(self, now: datetime) -> datetime:
        return now.astimezone(ZoneInfo(self.zone))

    def today(self, now: datetime) -> date:
        return self.local(now).date()

    def start_of(self, day: date) -> datetime:
        """The first instant of a local day."""
        return datetime.combine(day, time(0), ZoneInfo(self.zone)).astimezone(UTC)

    def node(self, name: str) -> ModelNode:
        """The root's, a group's or a campaign's budget, by its name."""
        if name == "root":
            return self.root
        return self.groups[name] if name in self.groups else self.campaigns[name].own

    def spent(self, names: Iterable[str], reason: str, today: date) -> Decimal:
        """What these campaigns have spent together in the day, or in the month so far."""
        total = Decimal(0)
        for place, amount in self.ledger.figures():
            if place.brand == self.key and place.campaign in names:
                total += amount if place.counts(reason, today) else 0
        return total

    def levels(self, name: str) -> Iterator[Level]:
        """The budgets above a campaign; one without a mode has that of the one above it."""
        campaign, everyone = self.campaigns[name], list(self.campaigns)
        mode = self.root.mode or "pause_resume"
        yield Level("root", self.root, mode, everyone)
        if campaign.group is not None:
            group = self.groups[campaign.group]
            mode = group.mode or mode
            siblings = [n for n, c in self.campaigns.items() if c.group == campaign.group]
            yield Level("group", group, mode, siblings)
        yield Level("leaf", campaign.own, campaign.own.mode or mode, [name])

    def spent_limits(self, name: str, now: datetime) -> set[ModelHold]:
        """Each spent limit above a live campaign, whether it holds or only tells."""
        if not self.campaigns[name].is_live:
            return set()
        today, found = self.today(now), set()
        for level in self.levels(name):
            for reason in REASONS:
                node, spent = level.node, self.spent(level.spenders, reason, today)
                if node.is_spent(reason, today, now, spent):
                    limit, period = node.binding(reason, today, now), period_of(reason, today)
                    until = self._until(level, reason, now, spent)
                    found.add(
                        ModelHold(
                            reason, level.name, level.mode, period, limit, node.stop_at, until
                        )
                    )
        return found

    def _until(self, level: Level, reason: str, now: datetime, spent: Decimal) -> datetime | None:
        """When time alone ends it: an adjustment ends, a limit begins, the period is over."""
        today, node = self.today(now), level.node
        period = period_of(reason, today)
        edges = [self.start_of(day) for day in (next_period(reason, today), *node.coming(today))]
        edges += [a.expires_at for a in node.adjustments if a.expires_at is not None]
        for edge in sorted(edge for edge in edges if now < edge):
            day = self.today(edge)
            is_over = period_of(reason, day) != period
            if not node.is_spent(reason, day, edge, Decimal(0) if is_over else spent):
                # When the period is over, this mode waits for a person, not for a time.
                return None if is_over and level.mode == "pause" else edge
        return None

    def holds(self, name: str, now: datetime) -> set[ModelHold]:
        """The spent limits that hold: those of budgets that only alert do not."""
        return {h for h in self.spent_limits(name, now) if h.mode != "alert_only"}

    def decide(self, now: datetime) -> None:
        """Let each hold of mode `pause` wait whose period is over, and remember what stands now."""
        for name, campaign in self.campaigns.items():
            for hold in campaign.stood:
                is_over = hold.period != period_of(hold.reason, self.today(now))
                if is_over and hold.mode == "pause":
                    campaign.waits.setdefault((hold.reason, hold.level), hold.period)
            campaign.stood = self.holds(name, now)

    def other_reasons(self, name: str, now: datetime) -> set[str]:
        """Every reason but the budgets' why the campaign may not run."""
        campaign, local = self.campaigns[name], self.local(now)
        found = {"manual"} if campaign.is_paused else set()
        if not campaign.is_live:
            return found
        if campaign.windows and not any(_covers(window, local) for window in campaign.windows):
            found.add("daypart")
        before = campaign.start is not None and local.date() < campaign.start
        after = campaign.end is not None and local.date() > campaign.end
        return found | {"flight"} if before or after else found

    def status(self, name: str, now: datetime) -> str:
        campaign = self.campaigns[name]
        if not campaign.is_live:
            return "INACTIVE"
        is_held = self.holds(name, now) or campaign.waits or self.other_reasons(name, now)
        return "PAUSED" if is_held else "ACTIVE"


def period_of(reason: str, day: date) -> date:
    """The first day of the period of a daily or monthly limit."""
    return day if reason == DAILY else day.replace(day=1)


def next_period(reason: str, day: date) -> date:
    if reason == DAILY:
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _covers(window: tuple[int, time, time], local: datetime) -> bool:
    """Whether a wall clock is inside a window of a weekday, which may reach into the next day."""
    weekday, start, end = window
    clock = local.time()
    if start < end or end == time(0):
        return local.weekday() == weekday and clock >= start and (clock < end or end == time(0))
    is_evening = local.weekday() == weekday and clock >= start
    is_morning = (local - timedelta(days=1)).weekday() == weekday and clock < end
    return is_evening or is_morning
