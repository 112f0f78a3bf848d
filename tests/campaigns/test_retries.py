"""Brands and keys in any order never deadlock; and what becomes of spend is counted."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db import OperationalError, connection, transaction
from psycopg import errors as postgres

from budgets.models import SpendEntry, SpendType
from campaigns import enforcement
from campaigns.audit import audit
from campaigns.models import Campaign
from campaigns.services.imports import import_spend
from campaigns.services.restatements import ReportedSpend, restate_spends
from campaigns.services.spend import BadRows, NewSpend, record_spend, record_spends
from campaigns.spend_file import SpendLine
from kernel.counters import Count
from kernel.errors import Busy, DomainError
from tenants.contexts import current_agency, owner_context, tenant_context
from tests.campaigns.test_concurrency import in_threads
from tests.conftest import ANN, NOON, make_brand, make_campaign

WRITERS, ROUNDS, SHARED_ROWS, OWN_ROWS = 6, 8, 24, 12
SOURCES = ("google", "meta", "tiktok")


def spends(campaigns, keys, round_):
    """One spend of 1.00 for each key, spread over the campaigns and the sources."""
    return [
        NewSpend(
            campaigns[number % len(campaigns)].id,
            Decimal(1),
            NOON.date() - timedelta(days=number % 3),
            # New sources in each round: they are met in any order too.
            source=f"{SOURCES[number % len(SOURCES)]} {round_}",
            external_id=key,
        )
        for number, key in enumerate(keys)
    ]


def test_brands_sources_and_keys_in_any_order_never_deadlock(own_agency, counted):
    # Limits that are crossed, so that the holds and the feed's lock take part.
    campaigns = [
        make_campaign(make_brand(f"Brand {number}", daily="60"), daily="20") for number in range(4)
    ]
    order = Random(7)

    def writing(writer, round_):
        own = [f"{writer}-{number}" for number in range(OWN_ROWS)]
        rows = spends(campaigns, [f"all-{n}" for n in range(SHARED_ROWS)], round_)
        rows += spends(campaigns[writer % 4 :] + campaigns[: writer % 4], own, round_)
        order.shuffle(rows)
        return lambda: record_spends(spends=rows, now=NOON, by=ANN)

    def restating(writer, round_):
        rows = [
            ReportedSpend(campaign.id, Decimal(round_ + 1), NOON.date(), NOON, is_additional=True)
            for campaign in order.sample(campaigns, 4)
        ]
        source = f"report {writer} {round_}"
        return lambda: restate_spends(source=source, rows=rows, now=NOON, by=ANN)

    for round_ in range(ROUNDS):
        writers = [writing(writer, round_) for writer in range(WRITERS)]
        in_threads(own_agency, [*writers, *(restating(writer, round_) for writer in range(2))])

    recorded = ROUNDS * (SHARED_ROWS + WRITERS * OWN_ROWS)
    restated = sum(2 * 4 * (round_ + 1) for round_ in range(ROUNDS))
    told = counted()
    assert Count.RETRIED_DEADLOCK not in told
    assert Count.RETRIED_SERIALIZATION not in told
    assert Count.LOCK_TIMEOUT not in told
    assert told[Count.SPEND_RECORDED] == recorded + ROUNDS * 2 * 4
    assert told[Count.SPEND_DUPLICATE] == ROUNDS * SHARED_ROWS * (WRITERS - 1)
    amounts = SpendEntry.objects.values_list("amount", flat=True)
    assert sum(amounts) == recorded + restated
    assert {campaign.status for campaign in Campaign.objects.all()} == {"PAUSED"}
    assert audit().violations == []


def slow_down_inserts():
    """Let each line of the ledger take its time, so that writers meet in the middle of a batch."""
    agency = current_agency()
    with owner_context(), tenant_context(agency), connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(0.002); RETURN new; END'"
        )
        cursor.execute(
            "CREATE TRIGGER slow BEFORE INSERT ON budgets_spendentry"
            " FOR EACH ROW EXECUTE FUNCTION take_time()"
        )


def test_equal_keys_of_different_brands_never_deadlock(own_agency, counted):
    first, *others = (make_campaign(make_brand(f"Brand {number}")) for number in range(3))
    record_spend(spend=NewSpend(first.id, Decimal(1), NOON.date()), now=NOON, by=ANN)
    slow_down_inserts()
    keys = [f"key {number:02}" for number in range(40)]

    def post(campaign, keys):
        rows = [NewSpend(campaign.id, Decimal(1), NOON.date(), external_id=key) for key in keys]
        record_spends(spends=rows, now=NOON, by=ANN)

    in_threads(
        own_agency,
        [
            lambda: post(first, keys),
            lambda: post(others[0], keys[::-1]),
            lambda: post(others[1], [*keys[20:], *keys[:20]]),
        ],
    )
    # Each brand has the keys for itself, at its first attempt.
    assert counted() == {Count.SPEND_RECORDED: 121}
    assert audit().violations == []


def fail_once(monkeypatch, error):
    """Let the next decision fail, after the spend is in the ledger."""
    real = enforcement.apply

    def apply(*args, **options):
        monkeypatch.setattr(enforcement, "apply", real)
        raise OperationalError("met somebody") from error("met somebody")

    monkeypatch.setattr(enforcement, "apply", apply)


def test_a_spend_that_deadlocked_is_recorded_once(own_agency, counted, monkeypatch):
    campaign = make_campaign(make_brand(), daily="5")
    fail_once(monkeypatch, postgres.DeadlockDetected)
    spend = NewSpend(campaign.id, Decimal(5), NOON.date(), external_id="once")
    recorded = record_spend(spend=spend, now=NOON, by=ANN)
    assert recorded.is_new == [True]
    assert SpendEntry.objects.count() == 1
    campaign.refresh_from_db()
    assert campaign.status == "PAUSED"
    assert counted() == {Count.RETRIED_DEADLOCK: 1, Count.SPEND_RECORDED: 1}
    assert audit().violations == []


def test_a_spend_that_was_locked_out_is_busy_and_leaves_nothing(own_agency, counted, monkeypatch):
    campaign = make_campaign(make_brand(), daily="5")
    fail_once(monkeypatch, postgres.LockNotAvailable)
    spend = NewSpend(campaign.id, Decimal(5), NOON.date(), external_id="once")
    with pytest.raises(Busy):
        record_spend(spend=spend, now=NOON, by=ANN)
    assert not SpendEntry.objects.exists()
    # It is no row that was refused: it may come again.
    assert counted() == {Count.LOCK_TIMEOUT: 1}


def test_an_import_that_deadlocked_makes_its_brand_and_campaigns_once(
    own_agency, counted, monkeypatch
):
    fail_once(monkeypatch, postgres.DeadlockDetected)
    lines = [
        SpendLine(line, f"Search {line}", "", "", NOON.date(), Decimal(1), SpendType.DAILY, "")
        for line in (2, 3)
    ]
    imported = import_spend(lines=lines, brand_name="Northwind", now=NOON, by=ANN)
    assert (imported.recorded, imported.new_campaigns) == (2, 2)
    assert sorted(Campaign.objects.values_list("name", flat=True)) == ["Search 2", "Search 3"]
    assert counted() == {Count.RETRIED_DEADLOCK: 1, Count.SPEND_RECORDED: 2}


def test_rows_are_counted_by_what_became_of_them(own_agency, counted):
    campaign = make_campaign(make_brand())

    def post(*amounts, keys):
        rows = [
            NewSpend(campaign.id, Decimal(amount), NOON.date(), external_id=key)
            for amount, key in zip(amounts, keys, strict=True)
        ]
        return record_spends(spends=rows, now=NOON, by=ANN)

    post(1, 2, keys="ab")
    post(1, 3, keys="ac")
    with pytest.raises(BadRows):
        post(1, -1, 0, 9, keys="defa")
    assert counted() == {
        Count.SPEND_RECORDED: 3,
        Count.SPEND_DUPLICATE: 1,
        Count.SPEND_REFUSED: 1,
    }


def test_statements_are_counted_by_what_became_of_them(own_agency, counted):
    campaign = make_campaign(make_brand())

    def say(amount, hour):
        as_of = datetime(2026, 3, 2, hour, tzinfo=UTC)
        row = ReportedSpend(campaign.id, Decimal(amount), NOON.date(), as_of)
        return restate_spends(source="google", rows=[row], now=NOON, by=ANN)

    say(5, 8)
    say(7, 10)
    say(6, 9)
    say(7, 10)
    with pytest.raises(DomainError):
        say(8, 10)
    assert counted() == {
        Count.SPEND_RECORDED: 1,
        Count.SPEND_RESTATED: 1,
        Count.SPEND_STALE: 1,
        Count.SPEND_DUPLICATE: 1,
        Count.SPEND_REFUSED: 1,
    }


def test_rows_of_a_transaction_that_is_rolled_back_are_not_counted(own_agency, counted):
    campaign = make_campaign(make_brand())
    spend = NewSpend(campaign.id, Decimal(1), NOON.date())
    with suppress(ZeroDivisionError), transaction.atomic():
        record_spend(spend=spend, now=NOON, by=ANN)
        raise ZeroDivisionError
    assert counted() == {}
