"""A short run of the hammer; and that what judges it can find fault."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import OperationalError, transaction

from budgets import services as budgets
from budgets.models import Brand, Budget, BudgetKind, SpendTotal
from campaigns import crossings
from campaigns.models import Campaign, Hold
from campaigns.services.spend import NewSpend, record_spend
from tests.campaigns.test_concurrency import in_threads
from tests.conftest import ANN, NOBODY, NOON, make_brand, make_campaign
from tests.waiting import PATIENCE_SECONDS, wait_until

from .books import Books, Said, Spot, Whole, add_up, drift
from .run import hammer
from .watcher import deadlocks, find_wrong

SPOT = Spot(UUID(NOBODY), NOON.date(), "DAILY")


def run(agency, *, brands=1, seconds=2, until_wrong=False):
    result = hammer(
        agency,
        writers_count=32,
        brands_count=brands,
        seconds=seconds,
        seed=1,
        until_wrong=until_wrong,
    )
    print(*result.lines(), sep="\n")
    return result


@pytest.mark.parametrize("brands", [1, 50])
def test_32_writers_leave_books_and_holds_right_after_every_commit(own_agency, brands):
    assert run(own_agency, brands=brands).is_right


def test_it_finds_campaigns_that_nobody_looked_at_when_a_shared_limit_turned(
    own_agency, monkeypatch
):
    real = crossings._turned_budgets

    def own_ones(*args):
        leaves = Budget.objects.filter(id__in=real(*args), kind=BudgetKind.LEAF)
        return set(leaves.values_list("id", flat=True))

    monkeypatch.setattr(crossings, "_turned_budgets", own_ones)
    result = run(own_agency, seconds=PATIENCE_SECONDS, until_wrong=True)
    assert result.wrongly_running + result.wrongly_held
    assert not result.is_right


def test_it_finds_writers_who_do_not_take_turns(own_agency, monkeypatch):
    def read(brand_ids, *, by, skip_locked=False):
        return Brand.objects.in_bulk(set(brand_ids))

    monkeypatch.setattr(budgets, "lock_brands", read)
    assert not run(own_agency, seconds=PATIENCE_SECONDS, until_wrong=True).is_right


def test_it_counts_the_deadlocks_that_were_broken(own_agency):
    before = deadlocks()
    ids = [make_brand(name).id for name in ("One", "Two")]
    both_hold_one = threading.Barrier(2)

    def lock(brand_ids):
        with transaction.atomic():
            budgets.lock_brands(brand_ids[:1], by=ANN)
            both_hold_one.wait(PATIENCE_SECONDS)
            budgets.lock_brands(brand_ids[1:], by=ANN)

    with pytest.raises(OperationalError, match="deadlock"):
        in_threads(own_agency, [lambda: lock(ids), lambda: lock(ids[::-1])])
    # A backend tells the statistics when it comes to it.
    wait_until(lambda: deadlocks() != before)
    assert deadlocks() == before + 1


@pytest.fixture
def held(acme):
    """A campaign that has spent its limit."""
    campaign = make_campaign(make_brand(daily="50"))
    spend = NewSpend(campaign.id, Decimal(50), NOON.date())
    record_spend(spend=spend, now=NOON, by=ANN)
    assert find_wrong() == []
    return campaign


def test_a_campaign_that_is_shown_active_over_its_limit_is_found(held):
    Campaign.objects.update(status="ACTIVE")
    (wrong,) = find_wrong()
    assert (wrong.campaign_id, wrong.reason, wrong.is_spent) == (held.id, "daily_budget", True)


def test_a_limit_that_holds_nobody_is_found(held):
    Hold.objects.all().delete()
    assert {(wrong.reason, wrong.is_spent) for wrong in find_wrong()} == {
        ("daily_budget", True),
        ("nothing", False),
    }


def test_a_hold_of_yesterdays_limit_is_found(held):
    Brand.objects.update(decided_at=NOON + timedelta(days=1))
    assert [(wrong.reason, wrong.is_spent) for wrong in find_wrong()] == [("daily_budget", False)]


def test_a_limit_counts_from_its_day_on(held):
    tomorrow = NOON.date() + timedelta(days=1)
    budget = budgets.root_of(held.brand)
    budget.limits.create(from_day=tomorrow, daily_limit=99, set_at=NOON)
    assert find_wrong() == []
    budget.limits.create(from_day=NOON.date() - timedelta(days=1), daily_limit=99, set_at=NOON)
    assert find_wrong() == []
    budget.limits.filter(from_day=NOON.date()).update(daily_limit=51)
    assert [wrong.is_spent for wrong in find_wrong()] == [False]


def test_what_is_in_no_books_is_drift_in_each_of_its_places(held):
    books = Books()
    spot = Spot(held.id, NOON.date(), "DAILY")
    # The line itself, and the totals of leaf and root.
    assert drift([books]) == 150
    books.append(spot, Decimal(50))
    assert drift([books]) == 0
    SpendTotal.objects.filter(budget=held.budget).update(daily_amount=49)
    assert drift([books]) == 1


def test_of_several_words_the_latest_counts_whoever_heard_it():
    one, other = Books(), Books()
    at = [datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in range(4)]
    one.say("x", SPOT, Said(at[2], Decimal(7)))
    one.say("x", SPOT, Said(at[1], Decimal(5)))
    assert add_up([one, other]) == {SPOT: 7}
    day = (SPOT.day, SPOT.day)
    other.whole.append(("x", Whole(at[3], day, frozenset([SPOT.owner]), frozenset([SPOT]))))
    assert add_up([one, other]) == {SPOT: 7}
    other.whole.append(("x", Whole(at[3], day, frozenset([SPOT.owner]), frozenset())))
    assert add_up([one, other]) == {SPOT: 0}
