"""What the simulator does next. Pure: what the API shows goes in, the spends to post come out.

Every running campaign spends at about the pace of its budget. The fast ones ("pulse") show the
platform at work within a minute: they spend a small daily budget quickly, are held, and some
seconds later a credit takes spend back, which brings them to life again. So a day's spend swings
below the budget for as long as the simulator runs, and never grows far beyond it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from random import Random
from zoneinfo import ZoneInfo

from kernel.money import minor_units, quantize

from .cast import PULSE_PREFIX
from .public_api import Row

SOURCE = "simulator"
DAY_SECONDS = 86_400
# Of its budget, a campaign usually spends so much in a day.
PACE_SHARE = Decimal("0.85")
# Campaigns of no budget at all are paced by this, in the unit of a currency with two decimals.
PACE_WITHOUT_BUDGET = Decimal(40)
# So many moments go by, on average, between two spends of the unhurried campaigns.
CALM_MOMENTS = 3
PULSE_SHARE = (0.08, 0.14)
HELD_SECONDS = 25
SHARE_AFTER_CREDIT = Decimal("0.45")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Spend:
    """A spend to post; with a negative amount it is a credit, and `description` says why."""

    campaign: Row
    brand: Row
    amount: Decimal
    spend_date: str
    description: str = ""

    def body(self, external_id: str) -> Row:
        """Return the body that POST /api/spends/ takes."""
        body: Row = {
            "campaign": self.campaign["id"],
            "amount": f"{self.amount:f}",
            "spend_date": self.spend_date,
            "source": SOURCE,
            "external_id": external_id,
            "description": self.description,
        }
        if self.amount < 0:
            body["correction"] = True
        return body


def next_spends(
    brands: Iterable[Row],
    campaigns: Iterable[Row],
    *,
    now: datetime,
    moment_seconds: float,
    random: Random,
) -> list[Spend]:
    """Return what is spent within `moment_seconds`; brands and campaigns come as the API shows."""
    by_id = {brand["id"]: brand for brand in brands}
    calm: list[Row] = []
    pulse: dict[str, list[Row]] = defaultdict(list)
    for campaign in campaigns:
        if campaign["brand"] not in by_id:
            continue
        if campaign["external_id"].startswith(PULSE_PREFIX):
            pulse[campaign["brand"]].append(campaign)
        else:
            calm.append(campaign)
    spends: list[Spend] = []
    for brand_id, fast in pulse.items():
        spends += _pulse(by_id[brand_id], fast, now=now, random=random)
    spends += _calm(by_id, calm, now=now, moment_seconds=moment_seconds, random=random)
    return [spend for spend in spends if spend.amount]


def _pulse(
    brand: Row, campaigns: Sequence[Row], *, now: datetime, random: Random
) -> Iterator[Spend]:
    running = [campaign for campaign in campaigns if campaign["status"] == "ACTIVE"]
    if running:
        campaign = random.choice(running)
        limit = _limit(brand) or _limit(campaign) or PACE_WITHOUT_BUDGET
        amount = limit * Decimal(random.uniform(*PULSE_SHARE))
        yield _spend(campaign, brand, amount, now=now)
        return
    if any(_waits_for_credit(campaign, now=now) for campaign in campaigns):
        yield from _credits(brand, campaigns, now=now)


def _waits_for_credit(campaign: Row, *, now: datetime) -> bool:
    """Whether a spent daily budget has held the campaign for long enough to be seen."""
    return any(
        hold["reason"] == "daily_budget"
        and (now - datetime.fromisoformat(hold["since"])).total_seconds() >= HELD_SECONDS
        for hold in campaign["holds"]
    )


def _credits(brand: Row, campaigns: Sequence[Row], *, now: datetime) -> Iterator[Spend]:
    """Yield what takes the spend of the day back to below the budgets that are spent."""
    kept_of_brand = _kept(brand)
    for campaign in campaigns:
        kept = min(kept_of_brand, _kept(campaign))
        spent = Decimal(campaign["daily_spend"])
        if kept < 1 and spent > 0:
            yield _spend(
                campaign, brand, -spent * (1 - kept), now=now, why="Credit: invalid clicks"
            )


def _kept(row: Row) -> Decimal:
    """Return which share of today's spend a credit leaves; 1 where the budget is not spent."""
    limit, spent = _limit(row), Decimal(row["daily_spend"])
    return SHARE_AFTER_CREDIT * limit / spent if limit and spent >= limit else Decimal(1)


def _calm(
    brands: dict[str, Row],
    campaigns: Sequence[Row],
    *,
    now: datetime,
    moment_seconds: float,
    random: Random,
) -> Iterator[Spend]:
    running = [campaign for campaign in campaigns if campaign["status"] == "ACTIVE"]
    if not running or random.random() * CALM_MOMENTS >= 1:
        return
    campaign = random.choice(running)
    brand = brands[campaign["brand"]]
    siblings = sum(other["brand"] == brand["id"] for other in campaigns)
    # It spends for all the moments in which others, or nobody, had the turn.
    turns = Decimal(moment_seconds * CALM_MOMENTS * len(running) * random.uniform(0.5, 1.5))
    amount = _daily_pace(campaign, brand, siblings) * turns / DAY_SECONDS
    yield _spend(campaign, brand, amount, now=now)


def _daily_pace(campaign: Row, brand: Row, siblings: int) -> Decimal:
    """Return what a campaign spends in a day: of its own budget, or its part of the brand's."""
    own = _limit(campaign)
    if own is not None:
        return own * PACE_SHARE
    shared = _limit(brand)
    if shared is not None:
        return shared * PACE_SHARE / siblings
    monthly = brand["monthly_budget"]
    if monthly is not None:
        return Decimal(monthly) * PACE_SHARE / siblings / 30
    return PACE_WITHOUT_BUDGET.scaleb(2 - minor_units(brand["currency"]))


def _limit(row: Row) -> Decimal | None:
    return None if row["daily_budget"] is None else Decimal(row["daily_budget"])


def _spend(campaign: Row, brand: Row, amount: Decimal, *, now: datetime, why: str = "") -> Spend:
    currency = brand["currency"]
    if amount < 0:
        # Never more than was spent.
        unit = Decimal(1).scaleb(-minor_units(currency))
        amount = amount.quantize(unit, rounding=ROUND_DOWN)
    today = now.astimezone(ZoneInfo(brand["time_zone_now"])).date()
    return Spend(campaign, brand, quantize(amount, currency), today.isoformat(), why)
