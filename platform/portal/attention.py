"""What a person should look at: what waits for one, limits near or spent, what people hold; and
apart from these what hours and flights hold, each with its way back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from budgets.models import Brand, Budget, BudgetKind, BudgetMode
from budgets.queries import Figures
from budgets.terms import effective_mode
from campaigns.models import WAITS, Campaign, Hold, Reason
from campaigns.queries import surroundings
from campaigns.sentences import hold_sentence

from .gauges import Gauge, Level, gauges

# So many are listed, the first few unfolded; the status filter leads to the rest.
LISTED_MAX = 40
UNFOLDED = 8
_BUDGET_REASONS = {"today": Reason.DAILY_BUDGET, "month": Reason.MONTHLY_BUDGET}
_WORDS = {"today": "daily", "month": "monthly"}


class Item(NamedTuple):
    """One thing to look at. `subject` is a brand, a group or a campaign; `gauge` its limit.

    `held` counts the campaigns that it holds, or that wait; or would be held, if it is an alert.
    """

    level: str
    brand: Brand
    subject: Brand | Budget | Campaign
    kind: str
    sentence: str
    gauge: Gauge | None = None
    held: int = 0
    is_alert: bool = False
    # What to resume, where campaigns wait for a person.
    waits_for: UUID | None = None

    @property
    def is_brand(self) -> bool:
        return isinstance(self.subject, Brand)

    @property
    def is_campaign(self) -> bool:
        return isinstance(self.subject, Campaign)


@dataclass(frozen=True, slots=True)
class Attention:
    """`urgent` asks for a person; `planned` is what hours and flights hold, as was meant."""

    urgent: list[Item]
    planned: list[Item]
    urgent_more: int
    planned_more: int

    @property
    def first(self) -> list[Item]:
        return self.urgent[:UNFOLDED]

    @property
    def folded(self) -> list[Item]:
        return self.urgent[UNFOLDED:]

    @property
    def planned_total(self) -> int:
        return len(self.planned) + self.planned_more


def attention_of(
    brands: Sequence[Brand], figures: Mapping[UUID, Figures], *, now: datetime
) -> Attention:
    """Return what needs attention at these brands. Four statements."""
    by_id = {brand.id: brand for brand in brands}
    standing = Q(released_at=None, campaign__is_live=True, campaign__brand__in=brands)
    holds = Hold.objects.filter(standing).select_related("budget", "campaign")
    alerts_too = Hold.with_alerts.filter(standing).select_related("budget", "campaign")
    pressing = _limits_that_press(by_id, figures)
    waiting, spent = _budget_holds(alerts_too)
    urgent = _waiting_items(waiting, by_id, now=now)
    urgent += _budget_items(pressing, spent, by_id, figures, now=now)
    by_hand, by_plan = _other_holds(holds)
    urgent += [_held(hold, by_id, "manual", now=now) for hold in by_hand]
    planned = [_held(hold, by_id, "planned", now=now) for hold in by_plan]
    counts = _reason_counts(holds)
    by_hand_more = counts.get(Reason.MANUAL, 0) - len(by_hand)
    planned_all = counts.get(Reason.DAYPART, 0) + counts.get(Reason.FLIGHT, 0)
    return Attention(
        urgent[:LISTED_MAX],
        planned,
        max(0, len(urgent) - LISTED_MAX) + max(0, by_hand_more),
        max(0, planned_all - len(planned)),
    )


def _limits_that_press(
    brands: Mapping[UUID, Brand], figures: Mapping[UUID, Figures]
) -> dict[UUID, Budget]:
    """Return the budgets with a limit that is near or spent; not those of what is switched off."""
    # The currency does not matter to how full a bar is.
    levels = {
        budget_id: {bars.today.level, bars.month.level}
        for budget_id, bars in ((key, gauges(f, currency="")) for key, f in figures.items())
    }
    pressed = [key for key, found in levels.items() if found & {Level.NEAR, Level.SPENT}]
    rows = Budget.objects.filter(id__in=pressed, brand__in=list(brands))
    rows = rows.filter(~Q(kind=BudgetKind.LEAF) | Q(campaign__is_live=True))
    rows = rows.select_related("campaign", "parent__parent")
    return {budget.id: budget for budget in rows}


def _budget_holds(holds: QuerySet[Hold]) -> tuple[list[Hold], dict[tuple[UUID, str], Hold]]:
    """Return one open hold for each limit for which campaigns wait, and for each that holds any (or
    would); its `held` counts them all."""
    rows = (
        holds.filter(budget__isnull=False)
        .annotate(
            held=Window(Count("id"), partition_by=[F("budget_id"), F("reason"), F("origin")]),
        )
        .order_by("budget_id", "reason", "origin", "placed_at", "id")
        .distinct("budget_id", "reason", "origin")
    )
    found: list[Hold] = list(rows)
    waiting = [hold for hold in found if hold.origin == WAITS]
    spent = {(h.budget_id, h.reason): h for h in found if h.origin != WAITS and h.budget_id}
    return waiting, spent


def _waiting_items(
    holds: Iterable[Hold], brands: Mapping[UUID, Brand], *, now: datetime
) -> list[Item]:
    """Return what only a person brings back: limits whose period is over, and mode resumes none."""
    items = []
    for hold in holds:
        assert hold.budget is not None, "only a budget's hold waits"
        campaign, brand = hold.campaign, brands[hold.campaign.brand_id]
        campaign.brand = brand
        is_own = hold.budget.kind == BudgetKind.LEAF
        subject = campaign if is_own else _subject(hold.budget, brand)
        sentence = hold_sentence(hold, surroundings(hold, campaign), now=now)
        held: int = getattr(hold, "held", 0)
        items.append(
            Item(
                "waiting",
                brand,
                subject,
                f"{hold.get_reason_display().lower()}, waits for you",
                sentence,
                held=held,
                waits_for=hold.budget_id,
            )
        )
    return sorted(items, key=lambda i: (i.is_campaign, -i.held, i.brand.name, str(i.subject)))


def _budget_items(
    pressing: Mapping[UUID, Budget],
    spent: Mapping[tuple[UUID, str], Hold],
    brands: Mapping[UUID, Brand],
    figures: Mapping[UUID, Figures],
    *,
    now: datetime,
) -> list[Item]:
    """Return the spent limits, then those that are near; brands first, then the fullest."""
    items = []
    for budget in pressing.values():
        brand = brands[budget.brand_id]
        bars = gauges(figures[budget.id], currency=brand.currency)
        for period in ("today", "month"):
            gauge: Gauge = getattr(bars, period)
            if gauge.level not in (Level.NEAR, Level.SPENT):
                continue
            hold = spent.get((budget.id, _BUDGET_REASONS[period]))
            items.append(_limit_item(budget, brand, gauge, hold, period, now=now))
    ranks = {Level.SPENT: 0, Level.NEAR: 1}
    return sorted(
        items,
        key=lambda i: (
            ranks[Level(i.level)],
            isinstance(i.subject, Campaign),
            -((i.gauge and i.gauge.percent) or 0),
            i.brand.name,
            str(i.subject),
            i.kind,
        ),
    )


def _limit_item(
    budget: Budget, brand: Brand, gauge: Gauge, hold: Hold | None, period: str, *, now: datetime
) -> Item:
    kind = f"{_WORDS[period]} budget"
    mode = effective_mode(budget)
    if hold is not None:
        hold.campaign.brand = brand
        sentence = hold_sentence(hold, surroundings(hold, hold.campaign), now=now)
    elif gauge.level == Level.SPENT:
        sentence = "Nothing runs on it now."
    else:
        sentence = _coming(brand, gauge, mode, period, now=now)
    held: int = getattr(hold, "held", 0)
    is_alert = mode == BudgetMode.ALERT_ONLY
    return Item(gauge.level, brand, _subject(budget, brand), kind, sentence, gauge, held, is_alert)


def _coming(brand: Brand, gauge: Gauge, mode: BudgetMode, period: str, *, now: datetime) -> str:
    """Tell what will happen when a limit is reached."""
    where = f"{gauge.stop_at} % of the limit" if gauge.stops_early else "the limit"
    match mode:
        case BudgetMode.ALERT_ONLY:
            return f"It only alerts: nothing pauses at {where}."
        case BudgetMode.PAUSE:
            return f"Pauses at {where} until a person resumes."
        case _:
            return f"Pauses at {where} until {_return(brand, period, now=now)}."


def _return(brand: Brand, period: str, *, now: datetime) -> str:
    """Tell when a limit that is reached now would be new again."""
    calendar = brand.calendar
    at = calendar.next_day(now) if period == "today" else calendar.next_month(now)
    local = calendar.local(at)
    day = "" if period == "today" else f"{local.day} {local:%b} "
    return f"{day}{local:%H:%M} {calendar.zone_at(at)}"


def _subject(budget: Budget, brand: Brand) -> Brand | Budget | Campaign:
    match budget.kind:
        case BudgetKind.ROOT:
            return brand
        case BudgetKind.GROUP:
            return budget
        case _:
            return budget.campaign


def _other_holds(holds: QuerySet[Hold]) -> tuple[list[Hold], list[Hold]]:
    """Return what people hold, newest first, and what hours and flights hold, next back first."""
    place = Window(
        RowNumber(),
        partition_by="reason",
        order_by=[F("until").asc(nulls_last=True), F("placed_at").desc(), "id"],
    )
    rows = holds.filter(budget=None).annotate(place=place).filter(place__lte=LISTED_MAX)
    found: list[Hold] = list(rows.order_by("reason", "place"))
    by_hand = [hold for hold in found if hold.reason == Reason.MANUAL]
    by_plan = [hold for hold in found if hold.reason != Reason.MANUAL]
    return by_hand, by_plan


def _held(hold: Hold, brands: Mapping[UUID, Brand], level: str, *, now: datetime) -> Item:
    campaign = hold.campaign
    campaign.brand = brands[campaign.brand_id]
    sentence = hold_sentence(hold, surroundings(hold, campaign), now=now)
    return Item(level, campaign.brand, campaign, hold.get_reason_display(), sentence)


def _reason_counts(holds: QuerySet[Hold]) -> dict[str, int]:
    rows = holds.order_by().values_list("reason").annotate(count=Count("id"))
    return dict(rows)
