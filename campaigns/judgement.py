"""What is stored of campaigns against what the rules want at an instant. It only reads.

facts    = campaign_facts(..., now)      a fixed number of statements
decision = decide(facts, now)            pure
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from budgets.models import Brand, BudgetMode
from kernel.local_time import first_of_month

from .delivery import BrandMoment, Decision, WantedHold, decide
from .facts import JudgedCampaign, OpenHold, campaign_facts
from .models import WAITS, Reason, Status

_RULE_ORDER = {reason.value: place for place, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class Difference:
    """What is stored of a campaign against what the decision wants."""

    campaign: JudgedCampaign
    # What the rules want; manual holds are not theirs.
    holds: tuple[WantedHold, ...]
    status: str
    reasons: tuple[str, ...]
    place: tuple[WantedHold, ...] = ()
    release: tuple[OpenHold, ...] = ()
    refresh: tuple[tuple[OpenHold, WantedHold], ...] = ()
    # Holds whose period is over, and which a person ends.
    wait: tuple[OpenHold, ...] = ()

    @property
    def moves(self) -> bool:
        """Whether the status changes."""
        return self.status != self.campaign.status

    @property
    def is_empty(self) -> bool:
        return not (self.moves or self.place or self.release or self.refresh or self.wait)

    @property
    def changed_budget_ids(self) -> set[UUID | None]:
        """The budgets of which a limit changed sides, or a hold its numbers."""
        changed = {hold.budget_id for hold in self.place}
        changed |= {hold.budget_id for hold, _ in self.refresh}
        return changed | {hold.budget_id for hold in (*self.release, *self.wait)}


@dataclass(slots=True)
class Outcome:
    """What a pass did, or would do: campaigns judged, and the differences found in them."""

    checked: int = 0
    errors: int = 0
    # Brands that were not begun, because the time was over.
    postponed: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        self.checked += other.checked
        self.errors += other.errors
        self.differences.extend(other.differences)

    @property
    def moves(self) -> list[Difference]:
        """The differences that change a campaign's status."""
        return [difference for difference in self.differences if difference.moves]

    @property
    def counters(self) -> dict[str, int]:
        """The counters that commands print; a pause counts under its first reason."""
        paused = [d.reasons[0] for d in self.moves if d.status == Status.PAUSED and d.reasons]
        return {
            "checked": self.checked,
            "paused_daily": paused.count(Reason.DAILY_BUDGET),
            "paused_monthly": paused.count(Reason.MONTHLY_BUDGET),
            "paused_daypart": paused.count(Reason.DAYPART),
            "paused_flight": paused.count(Reason.FLIGHT),
            "reactivated": sum(d.status == Status.ACTIVE for d in self.moves),
            "errors": self.errors,
        }


def decision_instant(brand: Brand, *, now: datetime) -> datetime:
    """Return the instant to decide at: an instant can grow old while waiting for the lock."""
    return max(now, brand.decided_at) if brand.decided_at else now


def moments_of(brands: Iterable[Brand], *, now: datetime) -> dict[UUID, BrandMoment]:
    """Return what `now` means in each brand's zone, never earlier than its last decision."""
    return {
        brand.id: BrandMoment.at(decision_instant(brand, now=now), brand.calendar)
        for brand in brands
    }


@dataclass(frozen=True, slots=True)
class Judgement:
    """A pass over brands: each campaign's difference (may be empty), and when to look again."""

    differences: list[Difference]
    next_check_at: Mapping[UUID, datetime | None]


def judge(
    brands: Collection[Brand],
    moments: Mapping[UUID, BrandMoment],
    *,
    campaign_ids: Sequence[UUID] | None = None,
) -> Judgement:
    """Decide on the brands' campaigns (or only `campaign_ids`) and compare with what is stored."""
    next_check_at: dict[UUID, datetime | None] = {brand.id: None for brand in brands}
    differences = []
    for campaign in campaign_facts(brands, moments, campaign_ids=campaign_ids):
        if campaign.facts is None:
            decision = Decision((), None)
        else:
            decision = decide(campaign.facts, moment=moments[campaign.brand_id])
        differences.append(_compare(campaign, decision, moments[campaign.brand_id]))
        check = decision.next_check_at
        known = next_check_at[campaign.brand_id]
        if check is not None and (known is None or check < known):
            next_check_at[campaign.brand_id] = check
    return Judgement(differences, next_check_at)


def _compare(campaign: JudgedCampaign, decision: Decision, moment: BrandMoment) -> Difference:
    if not (decision.holds or decision.alerts or campaign.holds):
        # Nothing holds it and nothing did: most campaigns, most of the time.
        status = Status.ACTIVE.value if campaign.is_live else Status.INACTIVE.value
        return Difference(campaign, (), status, ())
    rules = {(h.reason, h.budget_id): h for h in campaign.holds if h.is_rule}
    place, refresh, ended = [], [], []
    for wanted in (*decision.holds, *decision.alerts):
        stored = rules.pop((wanted.reason.value, wanted.budget_id), None)
        if stored is None:
            place.append(wanted)
        elif stored.period_start != wanted.period_start or stored.is_alert != wanted.is_alert:
            # The same limit, spent again in a new period: another hold, and no change of status.
            ended.append(stored)
            place.append(wanted)
        elif _numbers(stored) != _numbers(wanted):
            refresh.append((stored, wanted))
    ended.extend(rules.values())
    wait = _waiting(campaign, ended, moment)
    others = [hold for hold in campaign.holds if not hold.is_rule]
    standing = {hold.reason.value for hold in decision.holds}
    standing |= {hold.reason for hold in (*others, *wait)}
    if not campaign.is_live:
        status = Status.INACTIVE.value
    else:
        status = Status.PAUSED.value if standing else Status.ACTIVE.value
    return Difference(
        campaign,
        decision.holds,
        status,
        tuple(sorted(standing, key=_RULE_ORDER.__getitem__)),
        tuple(place),
        tuple([hold for hold in ended if hold not in wait]),
        tuple(refresh),
        wait,
    )


def _numbers(hold: OpenHold | WantedHold) -> tuple[object, ...]:
    """What is kept true of a hold while it stands."""
    return (hold.until, hold.limit, hold.adjusted_by, hold.stop_at, hold.mode)


def _waiting(
    campaign: JudgedCampaign, ended: Iterable[OpenHold], moment: BrandMoment
) -> tuple[OpenHold, ...]:
    """Return the ended holds that wait for a person: their period is over, and their budget's mode
    resumes nothing. Where one waits for the same limit already, that one will do."""
    if not campaign.is_live:
        return ()
    waiting = {(hold.reason, hold.budget_id) for hold in campaign.holds if hold.origin == WAITS}
    periods = {
        Reason.DAILY_BUDGET.value: moment.today,
        Reason.MONTHLY_BUDGET.value: first_of_month(moment.today),
    }
    return tuple(
        hold
        for hold in ended
        if hold.mode == BudgetMode.PAUSE
        and hold.period_start is not None
        and hold.period_start < periods[hold.reason]
        and (hold.reason, hold.budget_id) not in waiting
    )
