"""The rules once more, in plain Python, written from the words of the design and not from the code.

It keeps everything that ever happened in lists and computes each answer from scratch, slowly.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

Limit = Decimal | None


@dataclass
class ModelNode:
    """A budget: its limits, each from a day on, in the order in which they were set."""

    limits: list[tuple[date, Limit, Limit]] = field(default_factory=list)

    def set(self, day: date, daily: Limit, monthly: Limit) -> None:
        self.limits = [entry for entry in self.limits if entry[0] != day]
        self.limits.append((day, daily, monthly))

    def on(self, day: date) -> tuple[Limit, Limit]:
        past = [entry for entry in self.limits if entry[0] <= day]
        if past:
            return max(past, key=lambda entry: entry[0])[1:]
        if self.limits:
            return min(self.limits, key=lambda entry: entry[0])[1:]
        return (None, None)


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
    # (day, amount, counts in its day)
    spends: list[tuple[date, Decimal, bool]] = field(default_factory=list)
    # What a restating source said of a day, each with its instant, in the order of arrival; and the
    # corrections of it, each with how many statements had arrived before it.
    said: dict[date, list[tuple[datetime, Decimal]]] = field(default_factory=dict)
    corrected: dict[date, list[tuple[int, Decimal]]] = field(default_factory=dict)

    def restated(self, day: date) -> Decimal:
        """The last word on a day by its instant, and what people corrected since it was heard."""
        statements = self.said.get(day, [])
        last, heard = Decimal(0), 0
        newest = None
        for place, (as_of, amount) in enumerate(statements, start=1):
            if newest is None or as_of > newest:
                newest, last, heard = as_of, amount, place
        since = [a for count, a in self.corrected.get(day, []) if count >= heard]
        return last + sum(since, Decimal(0))

    def lines(self) -> list[tuple[date, Decimal, bool]]:
        """All that it spent: what was appended, and the last word on each restated day."""
        days = set(self.said) | set(self.corrected)
        return [*self.spends, *((day, self.restated(day), True) for day in sorted(days))]


@dataclass
class ModelBrand:
    zone: str
    root: ModelNode = field(default_factory=ModelNode)
    groups: dict[str, ModelNode] = field(default_factory=dict)
    campaigns: dict[str, ModelCampaign] = field(default_factory=dict)

    def today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.zone)).date()

    def spent(self, names: list[str], now: datetime) -> tuple[Decimal, Decimal]:
        """What these campaigns have spent together: today, and this month."""
        today, day_sum, month_sum = self.today(now), Decimal(0), Decimal(0)
        for name in names:
            for day, amount, is_daily in self.campaigns[name].lines():
                if (day.year, day.month) == (today.year, today.month):
                    month_sum += amount
                if day == today and is_daily:
                    day_sum += amount
        return day_sum, month_sum

    def reasons(self, name: str, now: datetime) -> set[tuple[str, str]]:
        """Every reason why the campaign may not run, each with the level of its budget."""
        campaign = self.campaigns[name]
        if not campaign.is_live:
            return {("manual", "")} if campaign.is_paused else set()
        found = self._budget_reasons(name, now)
        local = now.astimezone(ZoneInfo(self.zone))
        if campaign.windows and not any(_covers(window, local) for window in campaign.windows):
            found.add(("daypart", ""))
        before = campaign.start is not None and local.date() < campaign.start
        after = campaign.end is not None and local.date() > campaign.end
        if before or after:
            found.add(("flight", ""))
        if campaign.is_paused:
            found.add(("manual", ""))
        return found

    def _budget_reasons(self, name: str, now: datetime) -> set[tuple[str, str]]:
        campaign = self.campaigns[name]
        levels = [("leaf", campaign.own, [name]), ("root", self.root, list(self.campaigns))]
        if campaign.group is not None:
            siblings = [n for n, c in self.campaigns.items() if c.group == campaign.group]
            levels.append(("group", self.groups[campaign.group], siblings))
        found = set()
        for level, node, names in levels:
            limits, spent = node.on(self.today(now)), self.spent(names, now)
            for reason, limit, amount in zip(
                ("daily_budget", "monthly_budget"), limits, spent, strict=True
            ):
                if limit is not None and (limit == 0 or amount >= limit):
                    found.add((reason, level))
        return found

    def status(self, name: str, now: datetime) -> str:
        if not self.campaigns[name].is_live:
            return "INACTIVE"
        return "PAUSED" if self.reasons(name, now) else "ACTIVE"


def _covers(window: tuple[int, time, time], local: datetime) -> bool:
    """Whether a wall clock is inside a window of a weekday, which may reach into the next day."""
    weekday, start, end = window
    clock = local.time()
    if start < end or end == time(0):
        return local.weekday() == weekday and clock >= start and (clock < end or end == time(0))
    is_evening = local.weekday() == weekday and clock >= start
    is_morning = (local - timedelta(days=1)).weekday() == weekday and clock < end
    return is_evening or is_morning
