"""The writers' own books: what was accepted, added up by hand, against what is stored."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from budgets.models import SpendType

_ENTRIES = """
    SELECT budget_id, day, spend_type, sum(amount) FROM budgets_spendentry
    GROUP BY budget_id, day, spend_type
"""
_TOTALS = """
    SELECT budget_id, day, spend_type, amount FROM budgets_spendtotal
    CROSS JOIN LATERAL (VALUES ('DAILY', daily_amount), ('MONTHLY', monthly_only_amount))
         AS part (spend_type, amount)
"""
_ABOVE = """
    SELECT c.id, leaf.id, up.id, up.parent_id FROM campaigns_campaign c
    JOIN budgets_budget leaf ON leaf.id = c.budget_id
    JOIN budgets_budget up ON up.id = leaf.parent_id
"""


class Spot(NamedTuple):
    """What amounts are added up for: a campaign (or a budget), its local day, the type of spend."""

    owner: UUID
    day: date
    spend_type: str


class Said(NamedTuple):
    """A source's word; of several the one of the latest instant counts."""

    as_of: datetime
    amount: Decimal


class Whole(NamedTuple):
    """A statement that was complete for some days of some campaigns."""

    as_of: datetime
    days: tuple[date, date]
    campaigns: frozenset[UUID]
    listed: frozenset[Spot]

    def leaves_out(self, spot: Spot) -> bool:
        is_inside = self.days[0] <= spot.day <= self.days[1] and spot.owner in self.campaigns
        return is_inside and spot not in self.listed


def _nothing() -> defaultdict[Spot, Decimal]:
    return defaultdict(Decimal)


@dataclass(slots=True)
class Books:
    """What was accepted from one writer, who alone writes in it."""

    appended: defaultdict[Spot, Decimal] = field(default_factory=_nothing)
    said: dict[tuple[str, Spot], Said] = field(default_factory=dict)
    whole: list[tuple[str, Whole]] = field(default_factory=list)

    def append(self, spot: Spot, amount: Decimal) -> None:
        self.appended[spot] += amount

    def say(self, source: str, spot: Spot, said: Said) -> None:
        self.said[source, spot] = max(said, self.said.get((source, spot), said))


def add_up(all_books: Iterable[Books]) -> dict[Spot, Decimal]:
    """Return what each campaign must have spent."""
    spent, said = _nothing(), dict[tuple[str, Spot], Said]()
    whole: defaultdict[str, list[Whole]] = defaultdict(list)
    for books in all_books:
        for spot, amount in books.appended.items():
            spent[spot] += amount
        for key, word in books.said.items():
            said[key] = max(word, said.get(key, word))
        for source, statement in books.whole:
            whole[source].append(statement)
    for (source, spot), word in said.items():
        silent = [Said(w.as_of, Decimal(0)) for w in whole[source] if w.leaves_out(spot)]
        spent[spot] += max([word, *silent]).amount
    return spent


def drift(all_books: Iterable[Books]) -> Decimal:
    """Return by how much the ledger's lines and the totals of every node differ from the books.

    The sum of the differences' sizes over all nodes, days and types: 0 if all is right.
    """
    above = {row[0]: row[1:] for row in _rows(_ABOVE)}
    leaves, nodes = _nothing(), _nothing()
    for spot, amount in add_up(all_books).items():
        leaves[spot._replace(owner=above[spot.owner][0])] += amount
        for node in above[spot.owner]:
            if node is not None:
                nodes[spot._replace(owner=node)] += amount
    return _distance(leaves, _ENTRIES) + _distance(nodes, _TOTALS)


def _distance(expected: dict[Spot, Decimal], sql: str) -> Decimal:
    stored = {
        Spot(owner, day, SpendType(spend_type)): amount
        for owner, day, spend_type, amount in _rows(sql)
    }
    nothing = Decimal(0)
    return sum(
        (
            abs(expected.get(spot, nothing) - stored.get(spot, nothing))
            for spot in expected.keys() | stored.keys()
        ),
        nothing,
    )


def _rows(sql: str) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        yield from cursor.fetchall()
