"""Keys and sources are a brand's own: who reports for one decides nothing about another."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budgets.models import Brand, BrandSource, SourceMode, SpendEntry
from campaigns.audit import audit
from campaigns.services.restatements import CompleteRange, ReportedSpend, restate_spends
from campaigns.services.spend import BadRows, NewSpend, record_spend, record_spends
from kernel.actor import Actor, ActorKind
from kernel.errors import Conflict, DomainError
from tenants.contexts import owner_context, tenant_context
from tenants.rights import grant_rights
from tests.conftest import ANN, NOON, make_brand, make_campaign

TODAY = NOON.date()
GOOGLE = "google-ads-123"


@pytest.fixture
def two(acme):
    """Campaigns of two brands, and a buyer who is limited to the first one."""
    mine, other = (make_campaign(make_brand(name)) for name in ("Mine", "Other"))
    return mine, other, Actor(ActorKind.KEY, "k", "Limited", frozenset([mine.brand_id]))


def spend(campaign, amount="1", **said: Any) -> NewSpend:
    return NewSpend(campaign.id, Decimal(amount), TODAY, **said)


def report(campaign, amount="1", at=NOON, **said: Any) -> ReportedSpend:
    return ReportedSpend(campaign.id, Decimal(amount), said.pop("day", TODAY), at, **said)


def spent(campaign):
    rows = SpendEntry.objects.filter(budget_id=campaign.budget_id)
    return sum(rows.values_list("amount", flat=True), Decimal(0))


def test_appending_in_one_brand_leaves_another_free_to_restate(two):
    mine, other, buyer = two
    record_spend(spend=spend(mine, "0.01", source=GOOGLE), now=NOON, by=buyer)
    restate_spends(source=GOOGLE, rows=[report(other, "50")], now=NOON, by=ANN)
    with pytest.raises(Conflict, match=r"appends, for life, in this brand"):
        restate_spends(source=GOOGLE, rows=[report(mine, "50")], now=NOON, by=ANN)
    with pytest.raises(Conflict, match="restates, for life, in this brand"):
        record_spend(spend=spend(other, source=GOOGLE), now=NOON, by=ANN)
    assert (spent(mine), spent(other)) == (Decimal("0.01"), 50)


def test_a_key_in_one_brand_is_free_in_another(two):
    mine, other, buyer = two
    record_spend(spend=spend(mine, "0.01", external_id="inv-1"), now=NOON, by=buyer)
    rows = [spend(other, "10", external_id=f"inv-{number}") for number in range(3)]
    assert all(record_spends(spends=rows, now=NOON, by=ANN).is_new)
    assert not any(record_spends(spends=rows, now=NOON, by=ANN).is_new)
    with pytest.raises(BadRows):
        record_spends(spends=[rows[0]._replace(amount=Decimal(9))], now=NOON, by=ANN)
    assert (spent(mine), spent(other)) == (Decimal("0.01"), 30)


def test_one_batch_has_the_same_key_for_each_of_its_brands(two):
    mine, other, _ = two
    many = [
        spend(campaign, external_id=f"k{number}")
        for number in range(150)
        for campaign in (mine, other)
    ]
    assert sum(record_spends(spends=many, now=NOON, by=ANN).is_new) == 300
    assert (spent(mine), spent(other)) == (150, 150)
    assert not any(record_spends(spends=many[::-1], now=NOON, by=ANN).is_new)
    assert audit().violations == []


def test_a_restatement_spans_the_brands_that_it_names(two):
    mine, other, _ = two
    rows = [report(mine, "5"), report(other, "7")]
    restate_spends(source=GOOGLE, rows=rows, now=NOON, by=ANN)
    assert (spent(mine), spent(other)) == (5, 7)
    modes = BrandSource.objects.filter(name=GOOGLE).values_list("mode", flat=True)
    assert list(modes) == [SourceMode.RESTATE] * 2


def test_all_that_a_source_says_is_of_the_brands_in_which_it_restates(two):
    mine, other, _ = two
    restate_spends(source=GOOGLE, rows=[report(mine, "5")], now=NOON, by=ANN)
    record_spend(spend=spend(other, "3", source=GOOGLE), now=NOON, by=ANN)
    fix = spend(other, "-1", is_correction=True, corrects_source=GOOGLE, description="why")
    record_spend(spend=fix, now=NOON, by=ANN)
    whole = CompleteRange(TODAY, TODAY, NOON + timedelta(hours=1))
    restate_spends(
        source=GOOGLE, rows=[], complete=whole, confirm_decrease=True,
        now=NOON + timedelta(hours=1), by=ANN,
    )  # fmt: skip
    assert (spent(mine), spent(other)) == (0, 2)
    record_spend(spend=spend(other, "3", source=GOOGLE), now=NOON, by=ANN)
    assert audit().violations == []


NAMES, KEYS = ("s", "t"), ("", "k1", "k2")
AMOUNTS = st.sampled_from(["0.01", "1", "2.50"])
DAYS = st.sampled_from([TODAY, TODAY - timedelta(days=1)])
APPENDS = st.tuples(
    st.just("append"),
    st.lists(st.tuples(st.sampled_from(KEYS), AMOUNTS, DAYS), min_size=1, max_size=3),
)
RESTATES = st.tuples(
    st.just("restate"),
    st.lists(st.tuples(st.integers(0, 3), AMOUNTS, DAYS), max_size=2, unique_by=lambda row: row[2]),
    st.sampled_from([None, 0, 1, 2, 3]),
)
OPERATIONS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(NAMES), st.one_of(APPENDS, RESTATES)), max_size=10
)


def carry_out(campaign, name: str, said: Any, *, by: Actor) -> str:
    """Do what a reporter says of one campaign; return how it was answered."""
    try:
        if said[0] == "append":
            rows = [
                NewSpend(campaign.id, Decimal(amount), day, external_id=key, source=name)
                for key, amount, day in said[1]
            ]
            return f"new {record_spends(spends=rows, now=NOON, by=by).is_new}"
        reports = [
            report(campaign, amount, NOON - timedelta(hours=hour), day=day)
            for hour, amount, day in said[1]
        ]
        complete = None
        if said[2] is not None:
            at = NOON - timedelta(hours=said[2])
            complete = CompleteRange(TODAY - timedelta(days=1), TODAY, at)
        done = restate_spends(
            source=name, rows=reports, complete=complete, confirm_decrease=True, now=NOON, by=by
        )
        return f"{done.recorded} {done.duplicates} {done.stale} {len(done.restated)}"
    except DomainError as refused:
        return type(refused).__name__


@given(operations=OPERATIONS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_another_brands_reporter_makes_no_difference(world, operations):
    """What is said of a brand is answered, and ends, as if nobody had reported of another one."""
    told, sums = [], []
    for agency, is_attacked in ((world.acme, True), (world.zeta, False)):
        with tenant_context(agency):
            number = Brand.objects.count()
            mine, other = (
                make_campaign(make_brand(f"{name} {number}")) for name in ("Mine", "Other")
            )
            buyers = [
                Actor(ActorKind.KEY, "k", "Limited", frozenset([one.brand_id]))
                for one in (mine, other)
            ]
            answers = []
            for is_other, name, said in operations:
                if is_other:
                    answers.append(carry_out(other, name, said, by=buyers[1]))
                elif is_attacked:
                    carry_out(mine, name, said, by=buyers[0])
            told.append(answers)
            sums.append((spent(other), SpendEntry.objects.filter(brand=other.brand_id).count()))
            assert audit().violations == []
    assert told[0] == told[1]
    assert sums[0] == sums[1]


BEFORE, AFTER = ("budgets", "0008_room_for_totals"), ("budgets", "0010_keys_and_sources_of_a_brand")


def test_what_was_stored_before_keys_were_a_brands_is_kept(own_agency):
    mine, other = (make_campaign(make_brand(name)) for name in ("Mine", "Other"))
    first = date(2026, 3, 1)

    def migrate(target: tuple[str, str]) -> None:
        with owner_context(), tenant_context(own_agency):
            MigrationExecutor(connection).migrate([target])
        # As `manage.py migrate` does.
        with owner_context():
            grant_rights(own_agency.schema_name)

    entries = [
        (mine.budget_id, "api", "k1", "append"),
        (mine.budget_id, "google", "statement:1", "restate"),
        (other.budget_id, "google", "statement:2", "restate"),
        (other.budget_id, "api", "k2", "append"),
    ]
    migrate(BEFORE)
    try:
        with owner_context(), tenant_context(own_agency), connection.cursor() as cursor:
            for name, mode in (("api", "append"), ("google", "restate"), ("unused", "append")):
                cursor.execute(
                    "INSERT INTO budgets_spendsource (name, mode, first_used_at)"
                    " VALUES (%s, %s, %s)",
                    [name, mode, NOON],
                )
            for number, (budget_id, source, key, _) in enumerate(entries):
                cursor.execute(
                    "INSERT INTO budgets_spendentry (id, budget_id, day, amount, spend_type, kind,"
                    " source, corrects_source, key, description, recorded_at, recorded_by_kind,"
                    " recorded_by_id, recorded_by_label) VALUES (gen_random_uuid(), %s, %s, %s,"
                    " 'DAILY', 'spend', %s, '', %s, '', %s, 'person', 'ann', 'Ann')",
                    [budget_id, first, number + 1, source, key, NOON],
                )
            cursor.execute(
                "INSERT INTO budgets_completestatement"
                " (source_id, from_day, to_day, budget_ids, as_of, recorded_at)"
                " VALUES ('google', %s, %s, to_jsonb(ARRAY[%s::text]), %s, %s)",
                [first, first, mine.budget_id, NOON, NOON],
            )
    finally:
        migrate(AFTER)
    rows = SpendEntry.objects.values_list("budget_id", "source", "key", "amount", "brand")
    brands = {mine.budget_id: mine.brand_id, other.budget_id: other.brand_id}
    assert set(rows) == {
        (budget_id, source, key, Decimal(number + 1), brands[budget_id])
        for number, (budget_id, source, key, _) in enumerate(entries)
    }
    modes = BrandSource.objects.values_list("brand", "name", "mode", "first_used_at")
    assert set(modes) == {
        (brands[budget_id], source, mode, NOON) for budget_id, source, _, mode in entries
    }
