"""Writers of one brand take turns; a sweep makes none wait; brands never deadlock."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from budgets import services as rows
from campaigns import sweep
from campaigns.audit import audit
from campaigns.models import Campaign, StatusChange
from campaigns.services import budgets, campaigns, schedules, spend
from campaigns.services.spend import BadRows, NewSpend, record_spend, record_spends
from kernel.counters import Count
from kernel.errors import NotFound
from tenants.contexts import tenant_context
from tests.conftest import ANN, NOON, make_brand, make_campaign
from tests.waiting import PATIENCE_SECONDS


def in_threads(agency, calls: list[Callable[[], Any]]) -> list[Any]:
    """Run each call in a thread of its own with its own connection, all started at once."""
    start = threading.Barrier(len(calls))

    def run(call):
        try:
            with tenant_context(agency):
                start.wait()
                return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def posting(campaign, amount, **fields):
    new = NewSpend(campaign.id, Decimal(amount), NOON.date(), **fields)
    return lambda: record_spend(spend=new, now=NOON, by=ANN)


def test_two_posts_of_60_against_a_limit_of_100_cannot_both_pass_unseen(own_agency):
    for number in range(5):
        brand = make_brand(f"Brand {number}", daily="100")
        campaign = make_campaign(brand)
        in_threads(own_agency, [posting(campaign, 60), posting(campaign, 60)])
        assert Campaign.objects.get(id=campaign.id).status == "PAUSED"
    assert audit().violations == []


def test_the_same_key_from_eight_writers_counts_once(own_agency):
    campaign = make_campaign(make_brand())
    results = in_threads(own_agency, [posting(campaign, 7, external_id="once")] * 8)
    assert sorted(result.is_new[0] for result in results) == [False] * 7 + [True]
    assert audit().violations == []


def test_keys_in_any_order_from_different_brands_do_not_deadlock(own_agency, counted):
    one, two = (make_campaign(make_brand(name)) for name in ("One", "Two"))

    def batch(campaign, keys):
        """Record the keys in this order; return whether all were new."""
        spends = [NewSpend(campaign.id, Decimal(1), NOON.date(), external_id=key) for key in keys]
        return lambda: all(record_spends(spends=spends, now=NOON, by=ANN).is_new)

    for round_ in range(5):
        keys = [f"{round_}-{number}" for number in range(300)]
        new = in_threads(own_agency, [batch(one, keys), batch(two, keys[::-1])])
        assert new == [True, True]
    # None that was survived by a second attempt, either.
    assert counted() == {Count.SPEND_RECORDED: 3000}
    assert audit().violations == []


def test_status_changes_appear_in_the_order_of_their_numbers(own_agency):
    several = [make_campaign(make_brand(f"Brand {n}", daily="1")) for n in range(6)]
    seen: list[int] = []
    done = threading.Event()

    def poll():
        while not done.is_set():
            last = seen[-1] if seen else 0
            seen.extend(
                StatusChange.objects.filter(id__gt=last).order_by("id").values_list("id", flat=True)
            )

    def write():
        for _ in range(10):
            in_threads(own_agency, [posting(c, 1) for c in several])
            in_threads(own_agency, [posting(c, -1, **CORRECTION) for c in several])
        done.set()

    in_threads(own_agency, [poll, write])
    missed = set(StatusChange.objects.values_list("id", flat=True)) - set(seen)
    last = max(seen)
    assert {number for number in missed if number < last} == set()


OFFICE: Any = {"day_of_week": 0, "start_time": time(9), "end_time": time(18)}
CORRECTION: Any = {"is_correction": True, "description": "back"}


def test_a_sweep_skips_a_brand_that_somebody_has_locked(own_agency):
    held, free = (make_brand(name, daily="1") for name in ("Held", "Free"))
    both = [make_campaign(brand) for brand in (held, free)]
    for campaign in both:
        posting(campaign, 1)()
    tomorrow = NOON + timedelta(days=1)
    locked, release = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            rows.lock_brand(held.id, by=ANN)
            locked.set()
            assert release.wait(PATIENCE_SECONDS)

    def sweep_beside():
        assert locked.wait(PATIENCE_SECONDS)
        try:
            return sweep.enforce(sweep.due_brands(now=tomorrow), now=tomorrow).counters
        finally:
            release.set()

    _, counters = in_threads(own_agency, [hold, sweep_beside])
    assert counters["reactivated"] == 1
    assert [Campaign.objects.get(id=c.id).status for c in both] == ["PAUSED", "ACTIVE"]
    assert [b.id for b in sweep.due_brands(now=tomorrow)] == [held.id]


def test_a_lock_that_cannot_be_had_is_an_error_of_its_own(own_agency):
    brand = make_brand()
    locked, release = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            rows.lock_brand(brand.id, by=ANN)
            locked.set()
            assert release.wait(PATIENCE_SECONDS)

    def want():
        assert locked.wait(PATIENCE_SECONDS)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '100ms'")
                with pytest.raises(OperationalError, match="lock timeout"):
                    rows.lock_brand(brand.id, by=ANN)
        finally:
            release.set()

    in_threads(own_agency, [hold, want])


def meanwhile(monkeypatch, act, *, place=rows, lock="lock_brands"):
    """Let somebody else act while the next writer waits for the lock of its brand."""
    real = getattr(place, lock)

    def late(*args, **options):
        monkeypatch.setattr(place, lock, real)
        act()
        return real(*args, **options)

    monkeypatch.setattr(place, lock, late)


def test_a_window_that_was_removed_meanwhile_does_not_come_back(acme, monkeypatch):
    campaign = make_campaign(make_brand())
    window = schedules.add_window(campaign_id=campaign.id, **OFFICE, now=NOON, by=ANN)
    meanwhile(monkeypatch, lambda: schedules.remove_window(window_id=window.id, now=NOON, by=ANN))
    with pytest.raises(NotFound):
        schedules.update_window(
            window_id=window.id, changes={"end_time": time(19)}, now=NOON, by=ANN
        )


def test_two_edits_of_one_window_keep_both(acme, monkeypatch):
    campaign = make_campaign(make_brand())
    window = schedules.add_window(campaign_id=campaign.id, **OFFICE, now=NOON, by=ANN)

    def change(**times: time):
        changes: Any = times
        schedules.update_window(window_id=window.id, changes=changes, now=NOON, by=ANN)

    meanwhile(monkeypatch, lambda: change(start_time=time(8)))
    change(end_time=time(19))
    window.refresh_from_db()
    assert (window.start_time, window.end_time) == (time(8), time(19))


def test_spend_of_a_campaign_that_was_removed_meanwhile_is_refused_by_its_row(acme, monkeypatch):
    brand = make_brand()
    stays, goes = make_campaign(brand, "Stays"), make_campaign(brand, "Goes")
    meanwhile(
        monkeypatch,
        lambda: campaigns.remove_campaign(campaign_id=goes.id, now=NOON, by=ANN),
        place=spend,
        lock="lock_brands_of",
    )
    spends = [NewSpend(c.id, Decimal(1), NOON.date()) for c in (stays, goes)]
    with pytest.raises(BadRows) as bad:
        record_spends(spends=spends, now=NOON, by=ANN)
    assert list(bad.value.errors) == [1]


def test_a_group_that_was_removed_meanwhile_is_not_there(acme, monkeypatch):
    brand = make_brand()
    group = budgets.create_group(brand_id=brand.id, name="G", now=NOON, by=ANN)
    meanwhile(monkeypatch, lambda: budgets.remove_group(budget_id=group.id, now=NOON, by=ANN))
    with pytest.raises(NotFound):
        budgets.update_budget(budget_id=group.id, changes={"name": "H"}, now=NOON, by=ANN)
