"""The ledger: append-only entries, and the totals that are kept with them in the same transaction.

Lock order: the brands are locked by the caller; then ledger keys in the order of (source, key);
then totals in the order of (budget, day).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from psycopg.errors import UniqueViolation

from kernel.actor import Actor
from kernel.arrays import array, id_array, text_array
from kernel.errors import Conflict
from kernel.ids import read_id, uuid7s

from .models import EntryKind, SpendEntry, SpendType
from .terms import ZERO

# A leaf, the group above it if there is one, the brand's root.
Chain = tuple[UUID, ...]


class NewEntry(NamedTuple):
    """A line to append: what was spent from a leaf budget on a local day, under whose key."""

    budget_id: UUID
    day: date
    amount: Decimal
    spend_type: SpendType
    source: str
    key: str
    kind: EntryKind = EntryKind.SPEND
    description: str = ""
    reverses_id: UUID | None = None
    corrects_source: str = ""


class Line(NamedTuple):
    """A line as it is stored, by the names of its columns: its id, its entry, its stamp.

    A batch has thousands, and each as a model's instance takes longer than to store it.
    """

    id: UUID
    budget_id: UUID
    day: date
    amount: Decimal
    spend_type: str
    source: str
    key: str
    kind: str
    description: str
    reverses_id: UUID | None
    corrects_source: str
    recorded_at: datetime
    recorded_by_kind: str
    recorded_by_id: str
    recorded_by_label: str


class KeyConflict(Conflict):
    """A key that is in the ledger came again with other content; or twice at once, where `row` is
    the index of the entry that came first.
    """

    def __init__(self, entry: NewEntry, known: Line, *, row: int | None = None) -> None:
        place = "the ledger" if row is None else f"row {row}"
        if known.budget_id == entry.budget_id:
            content = f"{known.amount.normalize():f} on {known.day}. Correct it, or"
        else:
            # Whoever reports this may have nothing to do with that one's brand.
            content = "another campaign's. Please"
        super().__init__(
            f"{entry.key!r} of source {entry.source!r} is in {place} with another content:"
            f" {content} use another key.",
            field="external_id",
        )


class KeyConflicts(Conflict):
    """Keys that contradict the ledger, by the places of their entries."""

    def __init__(self, by_index: Mapping[int, KeyConflict]) -> None:
        super().__init__(f"{len(by_index)} keys are in the ledger with another content.")
        self.by_index = by_index


@dataclass(slots=True)
class Raised:
    """What was added to a node's day, as daily spend and as the month's alone; and the daily spend
    that the day has now."""

    daily: Decimal = ZERO
    monthly_only: Decimal = ZERO
    spent_on_day: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Appended:
    """For each given entry the ledger's own line, whether it is new, and whether it was known and
    is reversed; and what the new ones added to each node above them on their days."""

    lines: list[Line]
    is_new: list[bool]
    is_reversed: list[bool]
    new_lines: list[Line]
    raised: Mapping[tuple[UUID, date], Raised]

    @property
    def entries(self) -> list[SpendEntry]:
        return [SpendEntry(**line._asdict()) for line in self.lines]


def append(
    entries: Sequence[NewEntry],
    *,
    now: datetime,
    by: Actor,
    chains: Mapping[UUID, Chain] | None = None,
) -> Appended:
    """Append entries and raise the totals above them. Their brands are locked by the caller, who
    may know the leaves' `chains` from a reading after that; otherwise they are read here.

    The same key with the same content counts once and comes back as the entry that is there; the
    same key with other content raises KeyConflicts, and nothing is stored (the caller's transaction
    ends).
    """
    stamp = (now, str(by.kind), by.id, by.label[:120])
    lines = [
        Line._make((new_id, *entry, *stamp))
        for new_id, entry in zip(uuid7s(len(entries)), entries, strict=True)
    ]
    stored = _store(sorted(lines, key=_key))
    is_new = [line.id in stored for line in lines]
    new_lines = [line for line, new in zip(lines, is_new, strict=True) if new]
    others = [index for index, new in enumerate(is_new) if not new]
    known = _known([lines[index] for index in others])
    indices = {line.id: index for index, line in enumerate(lines)} if others else {}
    is_reversed, conflicts = [False] * len(lines), {}
    for index in others:
        stands, is_reversed[index] = known[_key(lines[index])]
        if not _same_content(lines[index], stands):
            conflicts[index] = KeyConflict(entries[index], stands, row=indices.get(stands.id))
        lines[index] = stands
    if conflicts:
        raise KeyConflicts(conflicts)
    if chains is None:
        chains = chains_of({line.budget_id for line in new_lines})
    return Appended(lines, is_new, is_reversed, new_lines, _raise_totals(new_lines, chains))


# What a line is known by.
_key: Callable[[Line], tuple[str, str]] = attrgetter("source", "key")


_NAMES = ", ".join(Line._fields)
_TYPES = (
    *("uuid", "uuid", "date", "numeric", "text", "text", "text", "text", "text", "uuid", "text"),
    *("timestamptz", "text", "text", "text"),
)
# From so many on, to look the keys up and to COPY takes less than an INSERT that asks for each.
_COPIED_MIN = 100


def _store(lines: Sequence[Line]) -> set[UUID]:
    """Store the lines whose keys are new, in the order of their keys; return their ids."""
    if len(lines) < _COPIED_MIN:
        return _insert(lines)
    known, new = _known_keys(lines), dict[tuple[str, str], Line]()
    for line in lines:
        key = _key(line)
        if key not in known:
            new.setdefault(key, line)
    try:
        with transaction.atomic():
            _copy(new.values())
    except UniqueViolation:
        # Somebody else came first with one of the keys, for another brand, and has committed.
        return _insert(lines)
    return {line.id for line in new.values()}


def _copy(lines: Iterable[Line]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY budgets_spendentry ({_NAMES}) FROM STDIN (FORMAT BINARY)") as to,
    ):
        to.set_types(_TYPES)
        for line in lines:
            to.write_row(line)


def _insert(lines: Sequence[Line]) -> set[UUID]:
    if not lines:
        return set()
    row = f"({', '.join(['%s'] * len(_TYPES))})"
    rows = ", ".join([row] * len(lines))
    with connection.cursor() as cursor:
        cursor.execute(
            # The names are ours, from the table above.
            f"INSERT INTO budgets_spendentry ({_NAMES}) VALUES {rows}"  # noqa: S608
            " ON CONFLICT (source, key) DO NOTHING RETURNING id",
            [value for line in lines for value in line],
        )
        return {row[0] for row in cursor.fetchall()}


# LIMIT keeps the planner at a look into the index for each key: it tends to read all the ledger.
_BY_KEY = """
    SELECT {names}
    FROM unnest(%s::text[], %s::text[]) AS k (source, key)
    CROSS JOIN LATERAL (
        SELECT * FROM budgets_spendentry WHERE source = k.source AND key = k.key LIMIT 1
    ) AS e
"""


def _known_keys(lines: Sequence[Line]) -> set[tuple[str, str]]:
    """Return which of the lines' keys are in the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_KEY.format(names="e.source, e.key"), _keys(lines))
        return set(cursor.fetchall())


def _known(lines: Sequence[Line]) -> dict[tuple[str, str], tuple[Line, bool]]:
    """Return the stored lines with the keys of these, and whether another one reverses them."""
    if not lines:
        return {}
    names = ", ".join(f"e.{name}" for name in Line._fields)
    is_reversed = "EXISTS (SELECT 1 FROM budgets_spendentry r WHERE r.reverses_id = e.id)"
    with connection.cursor() as cursor:
        cursor.execute(_BY_KEY.format(names=f"{names}, {is_reversed}"), _keys(lines))
        found = [(Line(*row[:-1]), row[-1]) for row in cursor.fetchall()]
    return {_key(line): (line, is_reversed) for line, is_reversed in found}


def _keys(lines: Sequence[Line]) -> list[str]:
    return [text_array([line.source for line in lines]), text_array([line.key for line in lines])]


def _same_content(line: Line, known: Line) -> bool:
    return (
        line.budget_id == known.budget_id
        and line.day == known.day
        and line.amount == known.amount
        and line.spend_type == known.spend_type
        and line.kind == known.kind
        and line.reverses_id == known.reverses_id
        and line.corrects_source == known.corrects_source
    )


def chains_of(leaf_ids: Iterable[UUID]) -> dict[UUID, Chain]:
    """Return the chains of leaves, whose brands are locked by the caller."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT leaf.id, up.id, up.parent_id FROM budgets_budget leaf"
            " JOIN budgets_budget up ON up.id = leaf.parent_id WHERE leaf.id = ANY(%s::uuid[])",
            [id_array(leaf_ids)],
        )
        return {row[0]: row if row[2] else row[:2] for row in cursor.fetchall()}


def _raise_totals(
    lines: Sequence[Line], chains: Mapping[UUID, Chain]
) -> dict[tuple[UUID, date], Raised]:
    """Add the lines to the totals of leaf, group and root; return what that did to each node's
    days."""
    if not lines:
        return {}
    raised: dict[tuple[UUID, date], Raised] = {}
    for line in lines:
        # A parent budget is spent by its children, so each amount counts in every node above it.
        for place in [(node, line.day) for node in chains[line.budget_id]]:
            more = raised.get(place)
            if more is None:
                more = raised[place] = Raised()
            if line.spend_type == SpendType.DAILY:
                more.daily += line.amount
            else:
                more.monthly_only += line.amount
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO budgets_spendtotal AS t (budget_id, day, daily_amount, monthly_only_amount)
            SELECT node, day, daily, monthly_only
            FROM unnest(%s::uuid[], %s::date[], %s::numeric[], %s::numeric[])
                 AS added (node, day, daily, monthly_only)
            ORDER BY node, day
            ON CONFLICT (budget_id, day) DO UPDATE SET
                daily_amount = t.daily_amount + EXCLUDED.daily_amount,
                monthly_only_amount = t.monthly_only_amount + EXCLUDED.monthly_only_amount
            RETURNING t.budget_id::text, t.day, t.daily_amount
            """,
            [
                id_array(node for node, _ in raised),
                array(day for _, day in raised),
                array(more.daily for more in raised.values()),
                array(more.monthly_only for more in raised.values()),
            ],
        )
        for node, day, spent in cursor.fetchall():
            raised[read_id(node), day].spent_on_day = spent
    return raised


def move_totals(leaf_id: UUID, *, sign: int) -> None:
    """Add (sign 1) or take away (-1) a leaf's totals to or from the group that it is below now.

    A group's total is the sum of the leaves below it, so a leaf takes its days along. Without a
    group above it there is nothing to move: the root's total stays.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO budgets_spendtotal AS t (budget_id, day, daily_amount, monthly_only_amount)
            SELECT up.id, own.day, %(sign)s * own.daily_amount, %(sign)s * own.monthly_only_amount
            FROM budgets_spendtotal own
            JOIN budgets_budget leaf ON leaf.id = own.budget_id
            JOIN budgets_budget up ON up.id = leaf.parent_id AND up.kind = 'group'
            WHERE own.budget_id = %(leaf)s
            ORDER BY own.day
            ON CONFLICT (budget_id, day) DO UPDATE SET
                daily_amount = t.daily_amount + EXCLUDED.daily_amount,
                monthly_only_amount = t.monthly_only_amount + EXCLUDED.monthly_only_amount
            """,
            {"sign": sign, "leaf": leaf_id},
        )


def has_spend(budget_id: UUID) -> bool:
    """Return whether anything was ever recorded on this budget or below it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM budgets_spendtotal WHERE budget_id = %s)",
            [budget_id],
        )
        return bool(cursor.fetchone()[0])
