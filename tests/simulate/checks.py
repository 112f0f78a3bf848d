"""What is stored against what the model says; and each hold's end, against the time until then."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from budgets.models import Brand, SpendTotal
from campaigns.audit import audit
from campaigns.models import Campaign, Hold
from tests.simulate.model import next_period
from tests.simulate.world import SimulatedBrand, World
from tests.zones.rules import first_instant

_TICK = timedelta(microseconds=1)
_QUARTER = timedelta(minutes=15)
_ONE_DAY = timedelta(days=1)
# A window that no exception hides opens within it, whatever the clock does.
_SEEN_AHEAD = 9 * _ONE_DAY


class StoredHold(NamedTuple):
    """An open hold of a campaign, as the model would name it."""

    campaign_id: UUID
    reason: str
    level: str
    kind: str
    until: datetime | None
    mode: str


class Checks:
    """The comparisons of one agency, in its context."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._ends_seen: set[tuple[object, ...]] = set()

    def wrong(self, now: datetime, *, is_pending: bool) -> Iterator[str]:
        """Yield a sentence for whatever is not right at `now`.

        `is_pending`: the agency's hint says that a sweep is due, so that a brand on which nobody
        decided at `now` may be behind.
        """
        yield from (f"{v.invariant}: {v.message}" for v in audit().violations)
        stored = Brand.objects.in_bulk()
        statuses = dict(Campaign.objects.values_list("id", "status"))
        holds = _stored_holds()
        for brand in self.world.brands:
            if is_pending and stored[brand.id].decided_at != now:
                continue
            next_check_at = stored[brand.id].next_check_at or now + _SEEN_AHEAD
            for name, campaign_id in brand.campaigns.items():
                own = holds.get(campaign_id, [])
                found = {(hold.reason, hold.level, hold.kind) for hold in own}
                expected = brand.model.holds(name, now)
                if found != expected:
                    yield f"{brand.model.zone} {name}: holds {found}, not {expected}"
                status = brand.model.status(name, now)
                if statuses[campaign_id] != status:
                    yield f"{brand.model.zone} {name}: {statuses[campaign_id]}, not {status}"
                if found == expected:
                    yield from self._wrong_ends(brand, name, own, now)
                # Half-way and just before somebody looks again, time alone has changed nothing.
                for at in (now + (next_check_at - now) / 2, next_check_at - _TICK):
                    if at > now and brand.model.holds(name, at) != expected:
                        yield f"{brand.model.zone} {name}: next look only at {next_check_at}"

    def wrong_totals(self) -> Iterator[str]:
        """Yield a sentence for each campaign's day whose total is not the model's."""
        rows = SpendTotal.objects.filter(budget__campaign__isnull=False).values_list(
            "budget__campaign", "day", "daily_amount", "monthly_only_amount"
        )
        totals = {(campaign, day): (daily, monthly) for campaign, day, daily, monthly in rows}
        for brand, name in self.world.campaigns():
            model = brand.model.campaigns[name]
            for day in set(model.spent) | set(model.monthly_only):
                expected = (model.spent.get(day, 0), model.monthly_only.get(day, 0))
                found = totals.get((brand.campaigns[name], day), (0, 0))
                if found != expected:
                    yield f"{brand.model.zone} {name} {day}: {found}, not {expected}"

    def _wrong_ends(
        self, brand: SimulatedBrand, name: str, holds: list[StoredHold], now: datetime
    ) -> Iterator[str]:
        for hold in holds:
            # Whatever changes one's end decides on it, and shows as another end or another look.
            seen = (hold, brand.model.today(now))
            if hold.kind in ("pause", "waits") or seen in self._ends_seen:
                continue
            self._ends_seen.add(seen)
            if not _ends_right(brand, name, hold, now):
                yield f"{brand.model.zone} {name}: {hold.reason} {hold.level} until {hold.until}"


def _stored_holds() -> dict[UUID, list[StoredHold]]:
    rows = Hold.with_alerts.filter(released_at=None).select_related("budget")
    found: dict[UUID, list[StoredHold]] = {}
    for row in rows:
        kind = "alert" if row.is_alert else row.origin
        level = row.budget.kind if row.budget else ""
        hold = StoredHold(row.campaign_id, row.reason, level, kind, row.until, row.mode)
        found.setdefault(row.campaign_id, []).append(hold)
    return found


def _ends_right(brand: SimulatedBrand, name: str, hold: StoredHold, now: datetime) -> bool:
    """Whether the reason stands from now to its end, and no longer: if nothing but time passes."""
    model, end = brand.model, hold.until
    # What outlasts its period waits for a person; within it, time may end it all the same.
    waits_from = _turn(brand, hold, now) if _waits(hold) else None
    if end is not None:
        stands = [model.rule_says(hold.reason, hold.level, name, at) for at in (end - _TICK, end)]
        if end <= now or stands != [True, False]:
            return False
    lasts = [waits_from, _flight_over(brand, name) if hold.reason == "daypart" else None]
    over = min((at for at in lasts if at is not None), default=None)
    if end is not None and over is not None and end >= over:
        return False
    return all(
        model.rule_says(hold.reason, hold.level, name, at)
        for at in _edges(brand, name, hold, now)
        if (end is None or at < end) and (over is None or at < over)
    )


def _waits(hold: StoredHold) -> bool:
    return hold.mode == "pause" and hold.reason not in ("daypart", "flight")


def _turn(brand: SimulatedBrand, hold: StoredHold, now: datetime) -> datetime:
    """The first instant of the next day or month, by what was spent."""
    return _start(brand, next_period(hold.reason, brand.model.today(now)))


def _flight_over(brand: SimulatedBrand, name: str) -> datetime | None:
    """Where a flight is over, no window opens any more."""
    last = brand.model.campaigns[name].end
    return None if last is None else _start(brand, last + _ONE_DAY)


def _edges(brand: SimulatedBrand, name: str, hold: StoredHold, now: datetime) -> Iterator[datetime]:
    """The instants ahead at which a reason could end by time."""
    model, today = brand.model, brand.model.today(now)
    if hold.reason == "daypart":
        at = now.replace(minute=0, second=0, microsecond=0)
        while at < now + _SEEN_AHEAD:
            at += _QUARTER
            if at > now:
                yield at
        return
    if hold.reason == "flight":
        yield _start(brand, today + _ONE_DAY)
        return
    node = model.node(hold.level, name)
    yield from (a.expires_at for a in node.adjustments if a.expires_at and a.expires_at > now)
    turn = next_period(hold.reason, today)
    for day in (turn, next_period(hold.reason, turn), *node.coming(today)):
        yield _start(brand, day)


def _start(brand: SimulatedBrand, day: date) -> datetime:
    """The first instant of a local day or a later one, also over a change of zone."""
    model = brand.model
    zones = {model.zone, model.zone_before or model.zone}
    starts = [first_instant(ZoneInfo(zone), day) for zone in zones]
    starts += [model.since] if model.since else []
    return min(at for at in starts if model.today(at) >= day)
