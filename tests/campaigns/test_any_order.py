"""I6: any order, repetition or re-batching of accepted statements that do not conflict gives the
same totals, the same rule holds and the same statuses.

What may come in any order: lines of sources that append, each under its key; what restating sources
say, since each statement has its instant; and complete statements, since they are remembered. A
statement repeated is the same statement. What a complete statement lists comes with it, for listing
less would say something else.

What may not: a reversal comes after the line that it names. A correction that names a restating
source is left out, since that source's next statement replaces it: it says something else before
than after; so does the reversal of what a source restated. Whether a fall needs to be confirmed
depends on what is known, so here it always is. And what conflicts is refused, which of two
depending on which came first: one key with two contents, one instant with two amounts of a place
(to be left out by a complete statement is an amount too: nothing), two sources of one place.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from budgets.models import SpendEntry, SpendTotal, SpendType
from budgets.services import root_of
from campaigns.audit import audit
from campaigns.models import Campaign, Hold, Reason
from campaigns.services import budgets
from campaigns.services.restatements import CompleteRange, ReportedSpend, restate_spends
from campaigns.services.spend import NewSpend, record_spends, reverse_spend
from tests.conftest import ANN, NOON, make_brand, make_campaign

TODAY = NOON.date()
# The month began the day before, so that two of them are of the month before.
DAYS = [TODAY - timedelta(days=ago) for ago in range(4)]
APPENDING = ("api", "import")
# Each restates campaigns of its own.
RESTATING = {"google": 0, "meta": 1}
AMOUNTS = st.sampled_from([Decimal(n) for n in ("0", "0.000001", "5", "9.99", "10", "25")])
LIMITS = st.sampled_from([None, Decimal(0), Decimal(10), Decimal("15.5"), Decimal(40)])
TYPES = st.sampled_from([SpendType.DAILY, SpendType.DAILY, SpendType.MONTHLY])


@dataclass(frozen=True)
class Line:
    """A spend or a correction, under its key."""

    spend: NewSpend


@dataclass(frozen=True)
class Reversal:
    """The reversal of a line."""

    line: Line


@dataclass(frozen=True)
class Said:
    """What a restating source says of one place."""

    source: str
    row: ReportedSpend


@dataclass(frozen=True)
class SaidAll:
    """What a restating source says, and that it is all."""

    source: str
    rows: tuple[ReportedSpend, ...]
    complete: CompleteRange


Statement = Line | Reversal | Said | SaidAll


class Place(NamedTuple):
    campaign_id: UUID
    day: date
    spend_type: SpendType


@dataclass(frozen=True)
class World:
    """Two brands; `campaigns` are of both, in turns, and the budgets are of every level."""

    campaigns: Sequence[UUID]
    budget_ids: Sequence[UUID]


@pytest.fixture
def two_brands(acme) -> World:
    """In each brand a campaign in a group, one beside it, one switched off, one paused by hand."""
    made, budget_ids = [], []
    for name, zone in (("One", "UTC"), ("Two", "Europe/Riga")):
        brand = make_brand(name, time_zone=zone)
        group = budgets.create_group(brand_id=brand.id, name="G", now=NOON, by=ANN)
        mine = [
            make_campaign(brand, "In the group", group=group.id),
            make_campaign(brand, "Beside it"),
            make_campaign(brand, "Off", group=group.id, status="INACTIVE"),
            make_campaign(brand, "Paused", group=group.id, status="PAUSED"),
        ]
        made.append([campaign.id for campaign in mine])
        budget_ids += [root_of(brand).id, group.id, *(c.budget_id for c in mine[:2])]
    return World([key for pair in zip(*made, strict=True) for key in pair], budget_ids)


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever is done inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def lines(world: World) -> st.SearchStrategy[list[Statement]]:
    """Lines with a key each, some of them reversed."""

    def make(number: int, fields: tuple[Any, ...]) -> list[Statement]:
        source, campaign_id, amount, day, spend_type, is_down, is_reversed = fields
        line = Line(
            NewSpend(
                campaign_id,
                -amount if is_down else amount,
                day,
                spend_type,
                description="said",
                external_id=f"line-{number}",
                source=source,
                is_correction=is_down,
            )
        )
        return [line, Reversal(line)] if is_reversed else [line]

    fields = st.tuples(
        st.sampled_from(APPENDING),
        st.sampled_from(world.campaigns),
        AMOUNTS,
        st.sampled_from(DAYS),
        TYPES,
        st.booleans(),
        st.integers(0, 4).map(lambda n: n == 0),
    )
    return st.lists(fields, max_size=8).map(
        lambda many: [s for number, one in enumerate(many) for s in make(number, one)]
    )


@st.composite
def said(draw: st.DrawFn, world: World) -> list[Statement]:
    """What restating sources say, each statement as of an instant of its own."""
    count = draw(st.integers(2, 9))
    hours = draw(st.permutations(range(count)))
    return [draw(_one_said(world, NOON - timedelta(hours=1 + hour))) for hour in hours]


@st.composite
def _one_said(draw: st.DrawFn, world: World, as_of: datetime) -> Statement:
    source = draw(st.sampled_from(sorted(RESTATING)))
    # On few places, so that they contradict each other.
    mine = [world.campaigns[RESTATING[source]], world.campaigns[RESTATING[source] + 2]]
    places = st.sampled_from(
        [
            Place(mine[0], DAYS[0], SpendType.DAILY),
            Place(mine[1], DAYS[0], SpendType.DAILY),
            Place(mine[1], DAYS[1], SpendType.MONTHLY),
        ]
    )

    def row(place: Place, *, at: datetime) -> ReportedSpend:
        return ReportedSpend(place.campaign_id, draw(AMOUNTS), place.day, at, place.spend_type)

    if draw(st.integers(0, 2)):
        return Said(source, row(draw(places), at=as_of))
    listed = draw(st.sets(places, max_size=3))
    first, last = sorted([draw(st.sampled_from(DAYS[:2])), draw(st.sampled_from(DAYS[:2]))])
    named = draw(st.sampled_from([None, frozenset(mine[:1]), frozenset(mine)]))
    # A row may say that it is older than the statement, or younger.
    rows = tuple(
        row(place, at=as_of + timedelta(minutes=draw(st.sampled_from([0, 0, -150, 150])) + 1))
        for place in sorted(listed)
    )
    return SaidAll(source, rows, CompleteRange(first, last, as_of, named))


def deliver(statements: Sequence[Statement], joins: Sequence[bool]) -> None:
    """Send statements in this order; where `joins` is true, with the one before it if that goes."""
    batch: list[Statement] = []
    for statement, joined in zip(statements, joins, strict=True):
        if batch and not (joined and _goes_with(batch, statement)):
            _send(batch)
            batch = []
        batch.append(statement)
    _send(batch)


def _goes_with(batch: Sequence[Statement], statement: Statement) -> bool:
    match batch[0], statement:
        case Line(), Line():
            return True
        case Said(), Said():
            places = [_place(s.row) for s in batch if isinstance(s, Said)]
            is_same = batch[0].source == statement.source
            return is_same and _place(statement.row) not in places
    return False


def _place(row: ReportedSpend) -> Place:
    return Place(row.campaign_id, row.spend_date, row.spend_type)


def _send(batch: Sequence[Statement]) -> None:
    match batch:
        case [Line(), *_]:
            spends = [s.spend for s in batch if isinstance(s, Line)]
            record_spends(spends=spends, now=NOON, by=ANN)
        case [Reversal(line=line)]:
            key = {"source": line.spend.source, "key": line.spend.external_id}
            reverse_spend(entry_id=SpendEntry.objects.get(**key).id, now=NOON, by=ANN)
        case [Said(source=source), *_]:
            rows = [s.row for s in batch if isinstance(s, Said)]
            restate_spends(source=source, rows=rows, now=NOON, by=ANN)
        case [SaidAll(source=source, rows=rows, complete=complete)]:
            restate_spends(
                source=source,
                rows=rows,
                complete=complete,
                confirm_decrease=True,
                now=NOON,
                by=ANN,
            )


def outcome() -> dict[str, set[Any]]:
    """All that must not depend on how the statements came. A total of nothing is none."""
    totals = SpendTotal.objects.values_list(
        "budget_id", "day", "daily_amount", "monthly_only_amount"
    )
    holds = Hold.objects.filter(released_at=None).exclude(reason=Reason.MANUAL)
    return {
        "totals": {total for total in totals if any(total[2:])},
        "holds": set(
            holds.values_list("campaign_id", "reason", "budget_id", "period_start", "until")
        ),
        "statuses": set(Campaign.objects.values_list("id", "status")),
    }


@st.composite
def deliveries(draw: st.DrawFn, statements: Sequence[Statement]) -> list[Statement]:
    """Another order, with repetitions; only a reversal waits for its line."""
    again = draw(st.lists(st.sampled_from(statements), max_size=6)) if statements else []
    shuffled = draw(st.permutations([*statements, *again]))
    sent: list[Statement] = []
    for statement in shuffled:
        if isinstance(statement, Reversal) and statement.line not in sent:
            sent.append(statement.line)
        sent.append(statement)
    return sent


def joins(count: int) -> st.SearchStrategy[list[bool]]:
    return st.lists(st.booleans(), min_size=count, max_size=count)


def test_what_a_complete_statement_lists_it_says_as_of_its_own_instant(two_brands):
    def row(amount: int, hour: int) -> ReportedSpend:
        return ReportedSpend(
            two_brands.campaigns[0], Decimal(amount), TODAY, NOON.replace(hour=hour)
        )

    complete = CompleteRange(TODAY, TODAY, NOON.replace(hour=10))
    whole: Statement = SaidAll("google", (row(5, 8),), complete)
    between: Statement = Said("google", row(7, 9))
    for order in ([whole, between], [between, whole], [whole, between, whole]):
        with undone():
            deliver(order, [False] * len(order))
            assert {total[2] for total in outcome()["totals"]} == {5}


def test_any_order_repetition_and_batching_gives_the_same(two_brands):
    @settings(
        max_examples=40,
        deadline=None,
        # Shrinking a failure takes minutes; add Phase.shrink to look into one.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        statements = [*data.draw(lines(two_brands)), *data.draw(said(two_brands))]
        other = data.draw(deliveries(statements))
        batching = data.draw(joins(len(other)))
        with undone():
            for budget_id in two_brands.budget_ids:
                changes: Any = {"daily_budget": data.draw(LIMITS), "monthly_budget": None}
                if data.draw(st.booleans()):
                    changes = {"daily_budget": None, "monthly_budget": data.draw(LIMITS)}
                budgets.update_budget(budget_id=budget_id, changes=changes, now=NOON, by=ANN)
            with undone():
                deliver(statements, [False] * len(statements))
                expected = outcome()
                assert audit().violations == []
            with undone():
                deliver(other, batching)
                assert outcome() == expected
                assert audit().violations == []

    check()
