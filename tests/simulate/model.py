"""What the rules say of a brand, in plain Python from the words of the design, at any instant.

tests/model.py keeps everything that was ever said and adds it up anew for each answer; over weeks
of spend that would take hours, so this one keeps sums by day. Neither knows the product's code.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.dayparting.table import Timetable

DAILY, MONTHLY = "daily_budget", "monthly_budget"
REASONS = (DAILY, MONTHLY)
NOTHING = Decimal(0)
Limit = Decimal | None


class ModelAdjustment(NamedTuple):
    """An amount more or less of a daily or monthly limit, in the period that starts on a day."""

    reason: str
    period: date
    amount: Decimal
    expires_at: datetime | None


@dataclass
class ModelNode:
    """A budget: limits by the day from which they apply, its mode, what was added to it."""

    limits: dict[date, Mapping[str, Limit]] = field(default_factory=dict)
    mode: str = ""
    stop_at: int = 100
    adjustments: list[ModelAdjustment] = field(default_factory=list)

    def limit(self, reason: str, day: date) -> Limit:
        begun = [since for since in self.limits if since <= day]
        return self.limits[max(begun)][reason] if begun else None

    def is_spent(self, reason: str, day: date, at: datetime, spent: Decimal) -> bool:
        """Whether nothing is left of a day's limit, with all that is added to it."""
        limit = self.limit(reason, day)
        if limit is None:
            return False
        for adjustment in self.adjustments:
            is_over = adjustment.expires_at is not None and adjustment.expires_at <= at
            if adjustment[:2] == (reason, period_of(reason, day)) and not is_over:
                limit += adjustment.amount
        limit = max(NOTHING, limit)
        return limit == 0 or spent * 100 >= limit * self.stop_at

    def coming(self, today: date) -> list[date]:
        """The days on which limits will begin."""
        return sorted(day for day in self.limits if day > today)


@dataclass
class ModelSchedule:
    """Windows and exceptions by the ids that the product gave them."""

    windows: dict[UUID, tuple[int, time, time]] = field(default_factory=dict)
    exceptions: dict[UUID, tuple[date, list[tuple[time, time]]]] = field(default_factory=dict)

    @property
    def timetable(self) -> Timetable:
        return Timetable(list(self.windows.values()), dict(self.exceptions.values()))


class ModelHold(NamedTuple):
    """A spent limit, by the level of its budget; in the mode in which it was found."""

    reason: str
    level: str
    period: date
    mode: str


@dataclass
class ModelCampaign:
    """A campaign; `group` and `shared` are names, or None."""

    own: ModelNode = field(default_factory=ModelNode)
    schedule: ModelSchedule = field(default_factory=ModelSchedule)
    group: str | None = None
    shared: ModelSchedule | None = None
    is_live: bool = True
    is_paused: bool = False
    start: date | None = None
    end: date | None = None
    # By day: what counts in the day (and its month), and in the month only.
    spent: dict[date, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    monthly_only: dict[date, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    # What the last decision found, and what waits since a period was over.
    stood: set[ModelHold] = field(default_factory=set)
    waits: set[tuple[str, str]] = field(default_factory=set)

    def has_spent(self, reason: str, day: date) -> Decimal:
        """What it has spent in the day, or in the day's month."""
        if reason == DAILY:
            return self.spent.get(day, NOTHING)
        sums = (*self.spent.items(), *self.monthly_only.items())
        month = (day.year, day.month)
        return sum((a for d, a in sums if (d.year, d.month) == month), NOTHING)


@dataclass
class ModelBrand:
    """A brand; its zone may be about to change: from `since` on the new one applies."""

    zone: str
    root: ModelNode = field(default_factory=ModelNode)
    groups: dict[str, ModelNode] = field(default_factory=dict)
    campaigns: dict[str, ModelCampaign] = field(default_factory=dict)
    zone_before: str = ""
    since: datetime | None = None

    def local(self, at: datetime) -> datetime:
        is_before = self.since is not None and at < self.since
        return at.astimezone(ZoneInfo(self.zone_before if is_before else self.zone))

    def today(self, at: datetime) -> date:
        return self.local(at).date()

    def node(self, level: str, name: str) -> ModelNode:
        """The budget above a campaign at a level: leaf, group or root."""
        campaign = self.campaigns[name]
        if level == "group":
            assert campaign.group is not None
            return self.groups[campaign.group]
        return campaign.own if level == "leaf" else self.root

    def _levels(self, name: str) -> Iterator[tuple[str, ModelNode, str, list[ModelCampaign]]]:
        """Each budget above a campaign from the top, with the mode in force and who spends it."""
        campaign, everyone = self.campaigns[name], list(self.campaigns.values())
        mode = self.root.mode or "pause_resume"
        yield "root", self.root, mode, everyone
        if campaign.group is not None:
            group = self.groups[campaign.group]
            mode = group.mode or mode
            yield "group", group, mode, [c for c in everyone if c.group == campaign.group]
        yield "leaf", campaign.own, campaign.own.mode or mode, [campaign]

    def spent_limits(self, name: str, at: datetime) -> set[ModelHold]:
        """Each spent limit above a live campaign, whether it holds or only tells."""
        if not self.campaigns[name].is_live:
            return set()
        today, found = self.today(at), set()
        for level, node, mode, spenders in self._levels(name):
            for reason in REASONS:
                # Most budgets have no limit, and a sum is for nothing then.
                if node.limit(reason, today) is None:
                    continue
                spent = sum((c.has_spent(reason, today) for c in spenders), NOTHING)
                if node.is_spent(reason, today, at, spent):
                    found.add(ModelHold(reason, level, period_of(reason, today), mode))
        return found

    def is_open(self, name: str, at: datetime) -> bool:
        campaign = self.campaigns[name]
        return (campaign.shared or campaign.schedule).timetable.is_open(self.local(at))

    def is_in_flight(self, name: str, at: datetime) -> bool:
        campaign, today = self.campaigns[name], self.today(at)
        is_early = campaign.start is not None and today < campaign.start
        return not is_early and not (campaign.end is not None and today > campaign.end)

    def before_decision(self, now: datetime) -> None:
        """Whose period is over and whose mode is to pause, waits for a person from now on.

        To be called where the brand is decided on, before what is decided about is changed.
        """
        today = self.today(now)
        for campaign in self.campaigns.values():
            over = {h for h in campaign.stood if h.period < period_of(h.reason, today)}
            campaign.stood -= over
            if campaign.is_live:
                campaign.waits |= {(h.reason, h.level) for h in over if h.mode == "pause"}

    def after_decision(self, now: datetime) -> None:
        """Remember what was found; this period's hold is another one than that which waits."""
        for name, campaign in self.campaigns.items():
            campaign.stood = self.spent_limits(name, now)

    def holds(self, name: str, now: datetime) -> set[tuple[str, str, str]]:
        """Every open hold and alert: its reason, its level, and whose it is."""
        campaign = self.campaigns[name]
        found = {(reason, level, "waits") for reason, level in campaign.waits}
        if campaign.is_paused:
            found.add(("manual", "", "pause"))
        if not campaign.is_live:
            return found
        for hold in self.spent_limits(name, now):
            kind = "alert" if hold.mode == "alert_only" else ""
            found.add((hold.reason, hold.level, kind))
        if not self.is_open(name, now):
            found.add(("daypart", "", ""))
        if not self.is_in_flight(name, now):
            found.add(("flight", "", ""))
        return found

    def status(self, name: str, now: datetime) -> str:
        if not self.campaigns[name].is_live:
            return "INACTIVE"
        is_held = any(kind != "alert" for _, _, kind in self.holds(name, now))
        return "PAUSED" if is_held else "ACTIVE"

    def rule_says(self, reason: str, level: str, name: str, at: datetime) -> bool:
        """Whether a rule's reason stands at an instant, if nothing but time passes until then."""
        if reason == "daypart":
            return not self.is_open(name, at)
        if reason == "flight":
            return not self.is_in_flight(name, at)
        return any((h.reason, h.level) == (reason, level) for h in self.spent_limits(name, at))


def period_of(reason: str, day: date) -> date:
    """The first day of the period of a daily or monthly limit."""
    return day if reason == DAILY else day.replace(day=1)


def next_period(reason: str, day: date) -> date:
    if reason == DAILY:
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
