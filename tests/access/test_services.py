"""The second line: a service refuses who is not of its brand, whatever a face forgot."""

from collections.abc import Callable
from datetime import time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from budgets.models import Period
from campaigns.models import Campaign
from campaigns.services import brands, budgets, campaigns, exceptions, schedules, shared_schedules
from campaigns.services.restatements import ReportedSpend, restate_spends
from campaigns.services.schedules import NewWindow
from campaigns.services.spend import BadRows, NewSpend, record_spends, reverse_spend
from kernel.actor import Actor, ActorKind
from kernel.errors import NotAllowed, NotFound
from tests.access.world import Things, make_world
from tests.conftest import ANN, NOON, make_brand, make_campaign

WEEK = {"day_of_week": 1, "start_time": time(9), "end_time": time(10)}
MORE = Decimal(1)
Service = Callable[..., Any]
# Every service that writes something of a brand: what it is called with, by the kind of its id.
SERVICES: list[tuple[Service, dict[str, str], dict[str, Any]]] = [
    (brands.update_brand, {"brand_id": "brand"}, {"changes": {"name": "New"}}),
    (brands.remove_brand, {"brand_id": "brand"}, {}),
    (budgets.create_group, {"brand_id": "brand"}, {"name": "New"}),
    (budgets.update_budget, {"budget_id": "budget"}, {"changes": {"stop_at": 90}}),
    (budgets.withdraw_limits, {"budget_id": "budget"}, {"from_day": NOON.date()}),
    (
        budgets.adjust_budget,
        {"budget_id": "budget"},
        {"amount": MORE, "period": Period.DAY, "note": "N"},
    ),
    (budgets.withdraw_adjustment, {"budget_id": "budget", "adjustment_id": "adjustment"}, {}),
    (budgets.remove_group, {"budget_id": "group"}, {}),
    (campaigns.create_campaign, {"brand_id": "brand"}, {"name": "New"}),
    (campaigns.update_campaign, {"campaign_id": "campaign"}, {"changes": {"name": "New"}}),
    (campaigns.remove_campaign, {"campaign_id": "campaign"}, {}),
    (schedules.add_window, {"campaign_id": "campaign"}, WEEK),
    (schedules.update_window, {"window_id": "window"}, {"changes": {"is_active": False}}),
    (schedules.remove_window, {"window_id": "window"}, {}),
    (schedules.change_windows, {"campaign_id": "campaign"}, {"add": [NewWindow(**WEEK)]}),  # type: ignore[arg-type]
    (exceptions.add_exception, {"campaign_id": "campaign"}, {"day": NOON.date()}),
    (exceptions.add_exception, {"schedule_id": "shared_schedule"}, {"day": NOON.date()}),
    (exceptions.update_exception, {"exception_id": "exception"}, {"changes": {"note": "N"}}),
    (exceptions.remove_exception, {"exception_id": "exception"}, {}),
    (
        shared_schedules.update_shared_schedule,
        {"schedule_id": "shared_schedule"},
        {"changes": {"name": "New"}},
    ),
    (shared_schedules.remove_shared_schedule, {"schedule_id": "shared_schedule"}, {}),
    (reverse_spend, {"entry_id": "entry"}, {}),
]


@pytest.fixture
def other(acme) -> Things:
    return make_world("Other")


@pytest.fixture
def own(other) -> Campaign:
    return make_campaign(make_brand())


@pytest.fixture
def bea(own) -> Actor:
    """A buyer who is limited to Northwind."""
    return Actor(ActorKind.PERSON, "bea", "Bea", frozenset([own.brand_id]))


@pytest.mark.parametrize(
    ("service", "ids", "values"),
    SERVICES,
    ids=[s.__name__ + "-" + "-".join(i) for s, i, _ in SERVICES],
)
def test_a_service_knows_nothing_of_another_brand(other, bea, service, ids, values):
    named = {name: UUID(other[kind]) for name, kind in ids.items()}
    said = {**named, **values, "by": bea}
    if service is not shared_schedules.remove_shared_schedule:
        said["now"] = NOON
    with pytest.raises(NotFound):
        service(**said)


def test_a_command_of_many_wants_all_of_them(other, own, bea):
    ids = [own.id, UUID(other["campaign"])]
    with pytest.raises(NotFound):
        campaigns.command(campaign_ids=ids, status="PAUSED", now=NOON, by=bea)
    campaigns.command(campaign_ids=[own.id], status="PAUSED", now=NOON, by=bea)


def test_spends_of_another_brand_are_bad_rows(other, own, bea):
    ids = [own.id, UUID(other["campaign"])]
    spends = [NewSpend(campaign_id, MORE, NOON.date()) for campaign_id in ids]
    with pytest.raises(BadRows) as bad:
        record_spends(spends=spends, now=NOON, by=bea)
    assert list(bad.value.errors) == [1]
    rows = [ReportedSpend(campaign_id, MORE, NOON.date(), NOON) for campaign_id in ids]
    with pytest.raises(BadRows) as bad:
        restate_spends(source="x", rows=rows, now=NOON, by=bea)
    assert list(bad.value.errors) == [1]


def test_a_schedule_that_brands_share_is_changed_by_who_has_them_all(other, own, bea):
    shared = UUID(other["shared_schedule"])
    use: campaigns.CampaignChanges = {"shared_schedule": shared}
    with pytest.raises(NotFound):
        campaigns.update_campaign(campaign_id=own.id, changes=use, now=NOON, by=bea)
    campaigns.update_campaign(campaign_id=own.id, changes=use, now=NOON, by=ANN)
    rename: shared_schedules.SharedScheduleChanges = {"name": "New"}
    with pytest.raises(NotAllowed):
        shared_schedules.update_shared_schedule(
            schedule_id=shared, changes=rename, now=NOON, by=bea
        )
    both = Actor(ActorKind.PERSON, "bo", "Bo", frozenset([own.brand_id, UUID(other["brand"])]))
    shared_schedules.update_shared_schedule(schedule_id=shared, changes=rename, now=NOON, by=both)


@pytest.mark.parametrize(
    ("make", "values"),
    [(brands.create_brand, {"now": NOON}), (shared_schedules.create_shared_schedule, {})],
)
def test_who_is_limited_makes_nothing_that_they_could_not_see(bea, make, values):
    with pytest.raises(NotAllowed):
        make(name="New", by=bea, **values)
