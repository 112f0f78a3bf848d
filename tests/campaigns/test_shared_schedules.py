"""Who begins to use a shared schedule, and who edits it at the same time, agree in the end."""

import threading
from collections.abc import Callable
from datetime import time, timedelta
from functools import partial

import pytest
from django.db import connection, transaction

from campaigns.audit import audit
from campaigns.models import Campaign, Hold, Reason, Status
from campaigns.services import campaigns, exceptions, schedules, shared_schedules
from campaigns.services.exceptions import NewException
from campaigns.services.schedules import NewWindow
from dayparting.models import Schedule, ScheduleException, Window
from kernel.errors import Conflict, DomainError, InvalidValue, NotFound
from tests.conftest import ANN, NOON, make_brand, make_campaign
from tests.waiting import PATIENCE_SECONDS, SOMEBODY_WAITS, wait_until

from .test_concurrency import in_threads

# Monday's: open at noon, and not.
OPEN, CLOSED = NewWindow(0, time(9), time(18)), NewWindow(0, time(13), time(18))


def use(campaign: Campaign, schedule: Schedule | None) -> None:
    changes: campaigns.CampaignChanges = {"shared_schedule": schedule.id if schedule else None}
    campaigns.update_campaign(campaign_id=campaign.id, changes=changes, now=NOON, by=ANN)


def set_windows(schedule: Schedule, *windows: NewWindow) -> None:
    shared_schedules.update_shared_schedule(
        schedule_id=schedule.id, changes={"windows": windows}, now=NOON, by=ANN
    )


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(SOMEBODY_WAITS)
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize("is_first", ["attach", "edit"])
def test_the_second_of_the_two_waits_for_the_firsts_commit(own_agency, is_first):
    schedule = shared_schedules.create_shared_schedule(name="Office", windows=[OPEN], by=ANN)
    campaign = make_campaign(make_brand())
    calls = {
        "attach": partial(use, campaign, schedule),
        "edit": partial(set_windows, schedule, CLOSED),
    }
    first = calls.pop(is_first)
    (second,) = calls.values()
    is_written, is_over = threading.Event(), threading.Event()

    def slowly() -> bool:
        with transaction.atomic():
            first()
            is_written.set()
            wait_until(lambda: is_over.is_set() or somebody_waits())
            return is_over.is_set()

    def meanwhile() -> None:
        assert is_written.wait(PATIENCE_SECONDS)
        second()
        is_over.set()

    has_overtaken, _ = in_threads(own_agency, [slowly, meanwhile])
    assert not has_overtaken
    assert Campaign.objects.get(id=campaign.id).status == Status.PAUSED
    assert audit().violations == []


@pytest.mark.parametrize("last", [OPEN, CLOSED])
def test_campaigns_that_begin_to_use_it_while_it_is_edited_are_decided_by_what_it_says(
    own_agency, counted, last
):
    schedule = shared_schedules.create_shared_schedule(name="Office", windows=[OPEN], by=ANN)
    brands = [make_brand(f"Brand {number}") for number in range(2)]
    several = [make_campaign(brand, f"C {n}") for brand in brands for n in range(3)]

    def attach(ordered: list[Campaign]) -> None:
        for campaign in ordered:
            use(campaign, schedule)

    def edit() -> None:
        for _ in range(3):
            set_windows(schedule, CLOSED)
            set_windows(schedule, OPEN)
        set_windows(schedule, last)

    # In opposite orders, so that brands are locked both ways.
    in_threads(own_agency, [partial(attach, several), partial(attach, several[::-1]), edit])
    told = {each.status for each in Campaign.objects.filter(shared_schedule=schedule)}
    assert told == {Status.ACTIVE if last == OPEN else Status.PAUSED}
    held = Hold.objects.filter(released_at=None, reason=Reason.DAYPART).count()
    assert held == (0 if last == OPEN else len(several))
    assert audit().violations == []
    # Not even a deadlock that was survived by a second attempt.
    assert counted() == {}


def test_campaigns_that_come_and_go_while_a_day_is_closed_and_opened_agree(own_agency, counted):
    schedule = shared_schedules.create_shared_schedule(name="Office", windows=[OPEN], by=ANN)
    several = [make_campaign(make_brand(f"Brand {number}")) for number in range(4)]

    def come_and_go() -> None:
        for _ in range(2):
            for campaign in several:
                use(campaign, schedule)
            for campaign in several[:2]:
                use(campaign, None)

    def close_and_open() -> None:
        for _ in range(4):
            closed = exceptions.add_exception(
                schedule_id=schedule.id, day=NOON.date(), now=NOON, by=ANN
            )
            exceptions.remove_exception(exception_id=closed.id, now=NOON, by=ANN)
        exceptions.add_exception(schedule_id=schedule.id, day=NOON.date(), now=NOON, by=ANN)

    in_threads(own_agency, [come_and_go, close_and_open])
    told = [Campaign.objects.get(id=each.id).status for each in several]
    assert told == [Status.ACTIVE] * 2 + [Status.PAUSED] * 2
    assert audit().violations == []
    assert counted() == {}


def test_one_that_is_deleted_while_a_campaign_begins_to_use_it_is_used_or_gone(own_agency):
    campaign = make_campaign(make_brand())

    def tried(call) -> type[DomainError] | None:
        try:
            call()
        except DomainError as refusal:
            return type(refusal)
        return None

    for number in range(4):
        schedule = shared_schedules.create_shared_schedule(name=f"Office {number}", by=ANN)
        remove = partial(shared_schedules.remove_shared_schedule, schedule_id=schedule.id, by=ANN)
        ended = in_threads(
            own_agency,
            [partial(tried, partial(use, campaign, schedule)), partial(tried, remove)],
        )
        assert ended in ([None, Conflict], [NotFound, None])
        use(campaign, None)


def test_two_who_add_a_window_at_once_add_both(own_agency):
    schedule = shared_schedules.create_shared_schedule(name="Office", by=ANN)
    add: list[Callable[[], object]] = [
        partial(schedules.change_windows, schedule_id=schedule.id, add=[window], now=NOON, by=ANN)
        for window in (OPEN, CLOSED)
    ]
    in_threads(own_agency, add)
    assert Window.objects.filter(schedule=schedule).count() == 2


# One by one ---------------------------------------------------------------------------------------
def test_a_window_of_a_shared_schedule_is_changed_for_all_who_use_it(acme):
    schedule = shared_schedules.create_shared_schedule(name="Office", windows=[CLOSED], by=ANN)
    campaign = make_campaign(make_brand(), shared_schedule=schedule.id)
    window = Window.objects.get()
    schedules.update_window(window_id=window.id, changes={"start_time": time(9)}, now=NOON, by=ANN)
    assert Campaign.objects.get(id=campaign.id).status == Status.ACTIVE
    schedules.change_windows(
        schedule_id=schedule.id, add=[CLOSED], remove=[window.id], now=NOON, by=ANN
    )
    assert Campaign.objects.get(id=campaign.id).status == Status.PAUSED


def test_exceptions_are_added_changed_and_removed_together(acme):
    campaign = make_campaign(make_brand())
    today, tomorrow = NOON.date(), NOON.date() + timedelta(days=1)
    for day in (today, tomorrow):
        exceptions.add_exception(campaign_id=campaign.id, day=day, now=NOON, by=ANN)
    first, second = ScheduleException.objects.order_by("day")
    exceptions.change_exceptions(
        campaign_id=campaign.id,
        add=[NewException(today, note="Again")],
        update={second.id: {"note": "Holiday"}},
        remove=[first.id],
        now=NOON,
        by=ANN,
    )
    told = ScheduleException.objects.order_by("day").values_list("day", "note")
    assert list(told) == [(today, "Again"), (tomorrow, "Holiday")]


def test_the_exceptions_of_another_schedule_are_passed_over(acme):
    brand = make_brand()
    one, other = make_campaign(brand, "One"), make_campaign(brand, "Other")
    kept = exceptions.add_exception(campaign_id=other.id, day=NOON.date(), now=NOON, by=ANN)
    exceptions.change_exceptions(
        campaign_id=one.id, update={kept.id: {"note": "x"}}, remove=[kept.id], now=NOON, by=ANN
    )
    assert ScheduleException.objects.get().note == ""


@pytest.mark.parametrize("both", [False, True])
def test_whose_hours_they_are_has_to_be_said_once(acme, both):
    campaign = make_campaign(make_brand())
    schedule = shared_schedules.create_shared_schedule(name="Office", by=ANN)
    with pytest.raises(InvalidValue):
        schedules.change_windows(
            campaign_id=campaign.id if both else None,
            schedule_id=schedule.id if both else None,
            now=NOON,
            by=ANN,
        )
