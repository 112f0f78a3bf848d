"""What is spent and said of it: through the day, late, twice, restated, corrected and reversed."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from budgets.models import SpendType
from campaigns.models import Campaign
from campaigns.services.restatements import CompleteRange, ReportedSpend, restate_spends
from campaigns.services.spend import NewSpend, record_spend, record_spends, reverse_spend
from tests.simulate.model import DAILY
from tests.simulate.world import BUYER, SimulatedBrand, World

PLATFORM = "platform"
CENT = Decimal("0.01")
NOTHING = Decimal(0)
# How much of a day is spent in each of its hours: little by night, most in the evening.
CURVE = [1, 1, 1, 1, 1, 2, 3, 4, 5, 5, 5, 6, 6, 5, 5, 5, 5, 6, 7, 8, 8, 6, 4, 2]


class Figure(NamedTuple):
    """What the platform said of a campaign's day, as of when, and what of it counts."""

    as_of: datetime
    said: Decimal
    counted: Decimal


class Entry(NamedTuple):
    """A spend that was appended, and may be reversed."""

    id: UUID
    brand: SimulatedBrand
    name: str
    day: date
    amount: Decimal


class Spending:
    """The spend of one agency."""

    def __init__(self, world: World, now: datetime) -> None:
        self.world = world
        self.dice = world.dice
        self.reported_at = now
        self.figures: dict[tuple[UUID, date], Figure] = {}
        self.entries: list[Entry] = []
        self.last_batch: list[NewSpend] = []
        self.count = 0

    def report(self, now: datetime) -> None:
        """Report what was spent since the last report: by campaign, with the campaign's source."""
        hours = Decimal((now - self.reported_at) / timedelta(hours=1))
        self.reported_at = now
        statuses = dict(Campaign.objects.values_list("id", "status"))
        appended: list[tuple[SimulatedBrand, str, NewSpend]] = []
        said: list[tuple[SimulatedBrand, str, Decimal]] = []
        for brand, name in self.world.campaigns():
            amount = self._spent(brand, name, statuses[brand.campaigns[name]], now, hours)
            if amount and name in brand.restated:
                said.append((brand, name, amount))
            elif amount:
                appended.append((brand, name, self._new(brand, name, amount, now)))
        if appended:
            self._append(appended, now)
        self._say(said, now + timedelta(seconds=1))

    def _spent(
        self, brand: SimulatedBrand, name: str, status: str, now: datetime, hours: Decimal
    ) -> Decimal:
        """What a campaign spent in the last hours. One that is stopped still spends a little: ad
        platforms report late."""
        left = self._left(brand, name, now)
        if left > 0 and self.dice.random() < 0.05:
            # To the cent: spent means that nothing is left.
            return left
        part = CURVE[brand.model.local(now).hour] * hours / sum(CURVE)
        share = Decimal(1) if status == "ACTIVE" else Decimal("0.04")
        chance = Decimal(self.dice.randrange(50, 150)) / 100
        return (brand.appetite[name] * part * share * chance).quantize(CENT)

    @staticmethod
    def _left(brand: SimulatedBrand, name: str, now: datetime) -> Decimal:
        """What is left of a campaign's own daily limit, as far as it stops there."""
        campaign, today = brand.model.campaigns[name], brand.model.today(now)
        limit = campaign.own.limit(DAILY, today) or NOTHING
        return limit * campaign.own.stop_at / 100 - campaign.has_spent(DAILY, today)

    def _new(self, brand: SimulatedBrand, name: str, amount: Decimal, now: datetime) -> NewSpend:
        self.count += 1
        # Some of it comes late, and some is a fee of the month.
        ago = 1 if self.dice.random() < 0.1 else 0
        is_fee = self.dice.random() < 0.03
        return NewSpend(
            brand.campaigns[name],
            amount,
            brand.model.today(now) - timedelta(days=ago),
            SpendType.MONTHLY if is_fee else SpendType.DAILY,
            external_id=f"s{self.count}",
        )

    def _append(self, appended: list[tuple[SimulatedBrand, str, NewSpend]], now: datetime) -> None:
        batch = [spend for _, _, spend in appended]
        # A client that heard no answer sends the batch again, with the next one.
        again = self.last_batch if self.dice.random() < 0.1 else []
        recorded = record_spends(spends=[*again, *batch], now=now, by=BUYER)
        assert recorded.is_new == [False] * len(again) + [True] * len(batch)
        new = recorded.entries[len(again) :]
        for (brand, name, spend), entry in zip(appended, new, strict=True):
            campaign = brand.model.campaigns[name]
            is_daily = spend.spend_type == SpendType.DAILY
            (campaign.spent if is_daily else campaign.monthly_only)[spend.spend_date] += (
                spend.amount
            )
            if is_daily:
                self.entries.append(Entry(entry.id, brand, name, spend.spend_date, spend.amount))
        self.last_batch = batch
        self.world.settle(now)

    def _say(self, said: list[tuple[SimulatedBrand, str, Decimal]], now: datetime) -> None:
        """The platform says what was spent today so far."""
        rows = []
        for brand, name, amount in said:
            day = brand.model.today(now)
            known = self.figures.get((brand.campaigns[name], day))
            rows.append((brand, name, day, (known.said if known else NOTHING) + amount))
        if rows:
            self._restate(rows, as_of=now, now=now)

    def _restate(
        self,
        rows: list[tuple[SimulatedBrand, str, date, Decimal]],
        *,
        as_of: datetime,
        now: datetime,
        complete: CompleteRange | None = None,
    ) -> None:
        reported = [
            ReportedSpend(brand.campaigns[name], amount, day, as_of)
            for brand, name, day, amount in rows
        ]
        restate_spends(
            source=PLATFORM,
            rows=reported,
            complete=complete,
            confirm_decrease=complete is not None,
            now=now,
            by=BUYER,
        )
        for brand, name, day, amount in rows:
            self._hear(brand, name, day, amount, as_of)
        self.world.settle(now)

    def _hear(
        self, brand: SimulatedBrand, name: str, day: date, amount: Decimal, as_of: datetime
    ) -> None:
        """The last word counts, without what people had corrected of the words before."""
        key = (brand.campaigns[name], day)
        known = self.figures.get(
            key, Figure(datetime.min.replace(tzinfo=as_of.tzinfo), NOTHING, NOTHING)
        )
        if as_of > known.as_of:
            brand.model.campaigns[name].spent[day] += amount - known.counted
            self.figures[key] = Figure(as_of, amount, amount)

    def restate_yesterday(self, now: datetime) -> None:
        """The platform thinks again about yesterday, by some percent; or an old word comes late."""
        rows = []
        for brand, name in self.world.campaigns():
            day = brand.model.today(now) - timedelta(days=1)
            known = self.figures.get((brand.campaigns[name], day))
            if known is not None:
                percent = Decimal(self.dice.randrange(80, 121)) / 100
                rows.append((brand, name, day, (known.said * percent).quantize(CENT)))
        is_late = self.dice.random() < 0.3
        if rows:
            self._restate(rows, as_of=now - timedelta(days=3 if is_late else 0), now=now)

    def tell_all(self, now: datetime) -> None:
        """The platform tells all of some days: what it does not list was nothing."""
        days = [brand.model.today(now) for brand in self.world.brands]
        first, last = min(days) - timedelta(days=1), max(days)
        known = [
            (brand, name, day, figure.said)
            for brand, name in self.world.campaigns()
            for (campaign_id, day), figure in sorted(self.figures.items(), key=str)
            if campaign_id == brand.campaigns[name] and first <= day <= last
        ]
        if not known:
            return
        left_out = self.dice.choice(known)
        rows = [row for row in known if row is not left_out]
        # What follows is said of no day that is still to come.
        complete = CompleteRange(first, last, now)
        self._restate(rows, as_of=now, now=now, complete=complete)
        brand, name, day, _ = left_out
        self._hear(brand, name, day, NOTHING, now)
        self.world.settle(now)

    def correct(self, now: datetime) -> None:
        """A person takes something off: of what was appended, or of what the platform said."""
        brand, name = self.dice.choice(self.world.campaigns())
        day = brand.model.today(now) - timedelta(days=self.dice.randrange(2))
        amount = -Decimal(self.dice.randrange(100, 4000)) / 100
        key = (brand.campaigns[name], day)
        source = PLATFORM if key in self.figures else ""
        self.count += 1
        correction = NewSpend(
            brand.campaigns[name],
            amount,
            day,
            description="Invalid clicks",
            external_id=f"c{self.count}",
            is_correction=True,
            corrects_source=source,
        )
        record_spend(spend=correction, now=now, by=BUYER)
        brand.model.campaigns[name].spent[day] += amount
        if source:
            figure = self.figures[key]
            self.figures[key] = figure._replace(counted=figure.counted + amount)
        self.world.settle(now)

    def reverse(self, now: datetime) -> None:
        """A person takes back one of the last spends; some a second time, which changes nothing."""
        if not self.entries:
            return
        entry = self.dice.choice(self.entries[-20:])
        _, is_new = reverse_spend(entry_id=entry.id, now=now, by=BUYER)
        if is_new:
            entry.brand.model.campaigns[entry.name].spent[entry.day] -= entry.amount
        self.world.settle(now)
