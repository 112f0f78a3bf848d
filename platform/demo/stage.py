"""Put a demo agency on stage: its people, brands and campaigns, and the month behind them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.models import User
from accounts.services import add_person
from budgets.models import Brand, SpendEntry, SpendType
from campaigns.models import Campaign, Hold, Reason
from campaigns.services import campaigns as campaign_services
from campaigns.services.brands import create_brand
from campaigns.services.budgets import create_group
from campaigns.services.schedules import add_window
from campaigns.services.spend import NewSpend, record_spends
from dayparting.windows import WeeklyHours, WindowLine, is_open, weekly_hours
from kernel.actor import Actor, ActorKind, acting
from kernel.local_time import Calendar
from kernel.money import quantize

from .cast import AgencyPlan, BrandPlan, CampaignPlan
from .people import keep_log_ins
from .replay import Event, replay

DEMO = Actor(ActorKind.SYSTEM, "", "Demo data")
SOURCE = "demo"
# The ledger forgets nothing, so this line tells for ever that the demo made an agency.
MARK = "set-up-fee"

HISTORY_DAYS = 31
# What is older than that came in one file; since then, the platform is lived with.
LIVED_DAYS = 7
# When the ad platforms report, by the brand's clock.
REPORTS = (time(11, 20), time(16, 45))
PAUSED_AT = time(15, 10)
SOLD_OUT_SHARE = Decimal("1.02")
WEEKEND_SHARE = 0.8
HALF_HOUR = timedelta(minutes=30)

Spends = list[NewSpend]


def is_staged() -> bool:
    """Return whether the current agency was made by the demo."""
    return SpendEntry.objects.filter(source=SOURCE, key=MARK).exists()


def is_empty() -> bool:
    """Return whether nobody has begun to use the current agency."""
    return not User.objects.exists() and not Brand.objects.exists()


@transaction.atomic
def stage(plan: AgencyPlan, *, password: str, now: datetime) -> None:
    """Fill the current, empty agency with what the plan tells, all or nothing."""
    people = [add_person(email=email, role=role, name=name) for role, email, name in plan.log_ins()]
    keep_log_ins(plan, password=password)
    manager = people[1].actor
    opened = now - timedelta(days=LIVED_DAYS)
    events: list[Event] = []
    for brand_plan in plan.brands:
        random = Random(f"{plan.slug} {brand_plan.name}")  # noqa: S311
        company = _Company(brand_plan, random, opened=opened, now=now)
        with acting(lambda: DEMO):
            company.found()
        events += [*company.history(), *company.pauses(by=manager)]
        if brand_plan is plan.brands[0]:
            events.append(company.set_up_fee())
    replay(events, until=now)


class _Company:
    """One brand of the demo: its rows, made as of `opened`, and what happens until `now`."""

    def __init__(self, plan: BrandPlan, random: Random, *, opened: datetime, now: datetime) -> None:
        self.plan = plan
        self.random = random
        self.opened = opened
        self.now = now
        self.calendar = Calendar(plan.time_zone)
        self.today = self.calendar.today(now)
        self.campaigns: list[tuple[CampaignPlan, UUID]] = []

    def found(self) -> None:
        """Make the brand, its groups and its campaigns with their hours."""
        plan, now = self.plan, self.opened
        brand = create_brand(
            name=plan.name,
            currency=plan.currency,
            time_zone=plan.time_zone,
            daily_budget=_amount(plan.daily),
            monthly_budget=_amount(plan.monthly),
            now=now,
            by=DEMO,
        )
        groups = {
            group.name: create_group(
                brand_id=brand.id,
                name=group.name,
                daily_budget=_amount(group.daily),
                monthly_budget=_amount(group.monthly),
                now=now,
                by=DEMO,
            ).id
            for group in plan.groups
        }
        for campaign_plan in plan.campaigns:
            campaign = self._campaign(brand, campaign_plan, groups)
            self.campaigns.append((campaign_plan, campaign.id))
        # What the services do as of `opened` the tables stamp with the clock.
        Brand.objects.filter(id=brand.id).update(created_at=now)
        Campaign.objects.filter(brand=brand).update(created_at=now)

    def _campaign(self, brand: Brand, plan: CampaignPlan, groups: dict[str, UUID]) -> Campaign:
        start, end = self._flight(plan)
        campaign = campaign_services.create_campaign(
            brand_id=brand.id,
            name=plan.name,
            platform=plan.platform,
            external_id=plan.external_id,
            start_date=start,
            end_date=end,
            group=groups[plan.group] if plan.group else None,
            daily_budget=_amount(plan.daily),
            monthly_budget=_amount(plan.monthly),
            now=self.opened,
            by=DEMO,
        )
        for line in _lines(plan):
            add_window(
                campaign_id=campaign.id,
                day_of_week=line.day_of_week,
                start_time=line.start,
                end_time=line.end,
                now=self.opened,
                by=DEMO,
            )
        return campaign

    def pauses(self, *, by: Actor) -> Iterator[Event]:
        """Yield what a person paused by hand."""
        day = self.today - timedelta(days=2)
        at = datetime.combine(day, PAUSED_AT, tzinfo=ZoneInfo(self.plan.time_zone))
        for plan, campaign_id in self.campaigns:
            if plan.is_paused:
                yield Event(at, _pause(campaign_id, by=by))

    def set_up_fee(self) -> Event:
        """Return a charge that counts in the month only; it marks the agency as the demo's."""
        fee = NewSpend(
            campaign_id=self.campaigns[0][1],
            amount=Decimal(250),
            spend_date=self.calendar.today(self.opened) - timedelta(days=1),
            spend_type=SpendType.MONTHLY,
            description="Set-up fee of the ad server",
            external_id=MARK,
            source=SOURCE,
        )
        return Event(self.opened, lambda at: record_spends(spends=[fee], now=at, by=DEMO))

    def history(self) -> Iterator[Event]:
        """Yield the reports of spend: the time before `opened` in one, then as they came in."""
        before: Spends = []
        for back in range(HISTORY_DAYS, 0, -1):
            day = self.today - timedelta(days=back)
            reports = self._reports(day, is_sold_out=back in self.plan.sold_out_days)
            for at, spends in reports:
                if at <= self.opened:
                    before += spends
                else:
                    yield Event(at, _report(spends))
        yield Event(self.opened, _report(before))
        yield Event(self.now, _report(self._spends_today()))

    def _reports(self, day: date, *, is_sold_out: bool) -> Iterator[tuple[datetime, Spends]]:
        """Yield a past day's reports, each with an equal part of what was spent."""
        spent = {plan.external_id: self._usual(plan, day) for plan, _ in self.campaigns}
        if is_sold_out and self.plan.daily is not None:
            factor = self.plan.daily * SOLD_OUT_SHARE / sum(spent.values())
            spent = {key: amount * factor for key, amount in spent.items()}
        zone = ZoneInfo(self.plan.time_zone)
        for number, clock in enumerate(REPORTS, 1):
            spends = [
                self._spend(plan, campaign_id, day, spent[plan.external_id] / len(REPORTS), number)
                for plan, campaign_id in self.campaigns
            ]
            at = datetime.combine(day, clock, tzinfo=zone)
            yield at, [spend for spend in spends if spend.amount]

    def _usual(self, plan: CampaignPlan, day: date) -> Decimal:
        """Draw what a campaign spends on a whole day; nothing off its flight, or without hours."""
        share = self.random.uniform(0.8, 1.15) * (WEEKEND_SHARE if day.weekday() >= 5 else 1)
        start, end = self.calendar.day_start(day), self.calendar.day_start(day + timedelta(days=1))
        first, last = self._flight(plan)
        if (first and day < first) or (last and day > last):
            return Decimal(0)
        return plan.pace * Decimal(share) * int(_open_share(plan, self.calendar, start, end) > 0)

    def _flight(self, plan: CampaignPlan) -> tuple[date | None, date | None]:
        starts, ends = plan.starts_in_days, plan.ends_in_days
        return (
            None if starts is None else self.today + timedelta(days=starts),
            None if ends is None else self.today + timedelta(days=ends),
        )

    def _spends_today(self) -> Spends:
        day, spends = self.today, []
        for plan, campaign_id in self.campaigns:
            if plan.spent_today is not None and plan.daily is not None:
                amount = plan.daily * Decimal(plan.spent_today)
            else:
                gone = _open_share(plan, self.calendar, self.calendar.day_start(day), self.now)
                amount = self._usual(plan, day) * Decimal(gone)
            spends.append(self._spend(plan, campaign_id, day, amount, 1))
        return [spend for spend in spends if spend.amount]

    def _spend(
        self, plan: CampaignPlan, campaign_id: UUID, day: date, amount: Decimal, number: int
    ) -> NewSpend:
        return NewSpend(
            campaign_id=campaign_id,
            amount=quantize(amount, self.plan.currency),
            spend_date=day,
            external_id=f"{campaign_id}:{day}:{number}",
            source=plan.platform,
        )


def _report(spends: Sequence[NewSpend]) -> Callable[[datetime], object]:
    """Return what records spends; what is held by more than its hours has not spent any."""

    def record(at: datetime) -> None:
        held = set(
            Hold.objects.filter(released_at=None)
            .exclude(reason=Reason.DAYPART)
            .values_list("campaign_id", flat=True)
        )
        running = [spend for spend in spends if spend.campaign_id not in held]
        record_spends(spends=running, now=at, by=DEMO)

    return record


def _pause(campaign_id: UUID, *, by: Actor) -> Callable[[datetime], object]:
    return lambda at: campaign_services.command(
        campaign_ids=[campaign_id], status="PAUSED", now=at, by=by
    )


def _amount(whole: int | None) -> Decimal | None:
    return None if whole is None else Decimal(whole)


def _lines(plan: CampaignPlan) -> tuple[WindowLine, ...]:
    return tuple(
        WindowLine(day, hours.start, hours.end) for hours in plan.hours for day in hours.days
    )


def _open_share(plan: CampaignPlan, calendar: Calendar, start: datetime, end: datetime) -> float:
    """Return which part (0 to 1) of the hours of the day that begins at `start` is before `end`."""
    hours: WeeklyHours = weekly_hours(_lines(plan))
    day_end, opened, whole, at = calendar.next_day(start), 0, 0, start
    while at < day_end:
        if is_open(hours, calendar, now=at):
            whole += 1
            opened += at < end
        at += HALF_HOUR
    return opened / whole if whole else 0.0
