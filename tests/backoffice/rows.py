"""A world to list: for each model that an admin shows, a maker of any number of its rows."""

from collections.abc import Callable
from datetime import time, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Model
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)

from accounts.models import ApiKey, User, create_api_key
from accounts.roles import Role
from budgets.models import Brand, Budget, SpendEntry
from campaigns.models import Campaign, Hold, StatusChange
from campaigns.services import budgets, campaigns, exceptions, schedules, shared_schedules
from campaigns.services.schedules import NewWindow
from campaigns.services.spend import NewSpend, record_spend
from dayparting.models import Schedule, SharedSchedule
from tenants.models import Agency, Domain, Heartbeat
from tests.conftest import ANN, NOON, make_brand, make_campaign

Maker = Callable[[int], Model]
Row = TypeVar("Row", bound=Model)


def make_spend(campaign: Campaign, amount: str = "10", **fields: Any) -> SpendEntry:
    """Record a spend of a campaign, today unless `spend_date` says otherwise."""
    fields.setdefault("spend_date", NOON.date())
    new = NewSpend(campaign.id, Decimal(amount), **fields)
    return record_spend(spend=new, now=NOON, by=ANN).entries[0]


def make_group(brand: Brand, name: str = "Prospecting", daily: str | None = None) -> Budget:
    limit = None if daily is None else Decimal(daily)
    return budgets.create_group(brand_id=brand.id, name=name, daily_budget=limit, now=NOON, by=ANN)


def _several(count: int, make: Callable[[int], Row]) -> Row:
    made = [make(n) for n in range(count)]
    return made[0]


def _brands(count: int) -> Brand:
    made = [make_brand(f"Brand {n}", daily="100", monthly="2000") for n in range(count)]
    for brand in made:
        make_spend(make_campaign(brand), "80")
    return made[0]


def _budgets(count: int) -> Budget:
    groups = [make_group(make_brand(f"Brand {n}"), daily="50") for n in range(count)]
    for group in groups:
        make_campaign(group.brand, group=group.id)
    return groups[0]


def _campaigns(count: int) -> Campaign:
    made = []
    for n in range(count):
        brand = make_brand(f"Brand {n}", daily="100")
        group = make_group(brand, daily="60")
        made.append(make_campaign(brand, group=group.id, monthly="500", status="PAUSED"))
        make_spend(made[-1], "70")
    return made[0]


def _schedules(count: int) -> Schedule:
    made = [make_campaign(make_brand(f"Brand {n}")) for n in range(count)]
    for campaign in made:
        schedules.add_window(
            campaign_id=campaign.id,
            day_of_week=0,
            start_time=time(9),
            end_time=time(18),
            now=NOON,
            by=ANN,
        )
    return made[0].schedule


def _shared_schedules(count: int) -> SharedSchedule:
    windows = [NewWindow(0, time(9), time(18))]
    made = [
        shared_schedules.create_shared_schedule(name=f"Office {n}", windows=windows, by=ANN)
        for n in range(count)
    ]
    for schedule in made:
        make_campaign(make_brand(f"{schedule.name}'s"), shared_schedule=schedule.id)
        exceptions.add_exception(schedule_id=schedule.id, day=NOON.date(), now=NOON, by=ANN)
    return SharedSchedule.objects.get(id=made[0].id)


def _holds(count: int) -> Hold:
    _campaigns(count)
    hold = Hold.objects.filter(reason="daily_budget").first()
    assert hold is not None
    return hold


def _changes(count: int) -> StatusChange:
    campaign = _campaigns(count)
    campaigns.command(campaign_ids=[campaign.id], status="INACTIVE", now=NOON, by=ANN)
    return StatusChange.objects.latest("id")


def _spends(count: int) -> SpendEntry:
    """Of as many brands, campaigns and days as there are entries."""
    made = []
    for n in range(count):
        campaign = make_campaign(make_brand(f"Brand {n}", daily="100"))
        day = NOON.date() - timedelta(days=n)
        made.append(make_spend(campaign, "10", spend_date=day))
    return made[0]


def _people(count: int) -> User:
    return _several(count, lambda n: User.objects.create_user(f"p{n}@acme.example"))


def _keys(count: int) -> ApiKey:
    return _several(count, lambda n: create_api_key(name=f"Key {n}", role=Role.VIEWER)[0])


AGENCY: dict[type[Model], Maker] = {
    Brand: _brands,
    Budget: _budgets,
    Campaign: _campaigns,
    Schedule: _schedules,
    SharedSchedule: _shared_schedules,
    Hold: _holds,
    StatusChange: _changes,
    SpendEntry: _spends,
    User: _people,
    ApiKey: _keys,
}


def _agencies(count: int) -> Agency:
    # Rows alone: what the list shows of an agency lies in the platform's schema.
    return _several(
        count,
        lambda n: Agency.objects.create(name=f"Agency {n}", slug=f"agency-{n}", is_ready=True),
    )


def _domains(count: int) -> Domain:
    return _several(
        count,
        lambda n: Domain.objects.create(domain=f"ads.agency-{n}.example", tenant=_one_agency(n)),
    )


def _one_agency(n: int) -> Agency:
    return Agency.objects.create(name=f"Agency {n}", slug=f"agency-{n}", is_ready=True)


def _intervals(count: int) -> IntervalSchedule:
    return _several(count, lambda n: IntervalSchedule.objects.create(every=n + 2, period="hours"))


def _crontabs(count: int) -> CrontabSchedule:
    return _several(count, lambda n: CrontabSchedule.objects.create(minute=str(n)))


def _clocked(count: int) -> ClockedSchedule:
    return _several(
        count, lambda n: ClockedSchedule.objects.create(clocked_time=NOON + timedelta(days=n))
    )


def _tasks(count: int) -> PeriodicTask:
    return _several(
        count,
        lambda n: PeriodicTask.objects.create(
            name=f"Task {n}",
            task="campaigns.tick",
            interval=IntervalSchedule.objects.create(every=n + 2, period="hours"),
        ),
    )


def _heartbeats(count: int) -> Heartbeat:
    return _several(count, lambda n: Heartbeat.objects.create(name=f"beat {n}", beat_at=NOON))


def _staff(count: int) -> User:
    return _several(count, lambda n: User.objects.create_superuser(f"s{n}@paceline.example"))


PLATFORM: dict[type[Model], Maker] = {
    Agency: _agencies,
    Domain: _domains,
    PeriodicTask: _tasks,
    IntervalSchedule: _intervals,
    CrontabSchedule: _crontabs,
    ClockedSchedule: _clocked,
    Heartbeat: _heartbeats,
    User: _staff,
}
