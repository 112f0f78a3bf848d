"""The ledger: append-only entries, and the totals that are kept with them in the same transaction.

A key is unique within its brand and source. The brands are locked by the caller, so nobody else
adds to them meanwhile; after that come the totals, in the order of (budget, day).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Literal, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from psycopg.errors import UniqueViolation

from kernel.actor import Actor
from kernel.arrays import id_array, text_array
from kernel.errors import Conflict, InvalidValue
from kernel.ids import uuid7s

from . import totals
from .models import EntryKind, SpendEntry, SpendType
from .terms import ZERO
from .totals import Added, Chain, Place, Raised, Sums

# How the keys begin that are made here and by nobody else: of an entry that came without one, of a
# reversal, and of what a statement changed.
KEY_LENGTH_MAX = 255
OWN_KEYS = ("entry:", "reversal:", "statement:")


def own_key(kind: Literal["entry", "reversal", "statement"], of: UUID) -> str:
    """Return a key that nobody can report."""
    return f"{kind}:{of}"


def check_key(key: str) -> None:
    """Raise InvalidValue for a reported key that is too long, or looks like the ledger's own.

    Whoever could report `reversal:…` could have an entry never be reversed.
    """
    if len(key) > KEY_LENGTH_MAX or "\0" in key:
        raise InvalidValue(
            f"An external id has at most {KEY_LENGTH_MAX} letters.", field="external_id"
        )
    if key[:10].lower().startswith(OWN_KEYS):
        raise InvalidValue(
            f"An external id can't begin with {', '.join(OWN_KEYS[:-1])} or {OWN_KEYS[-1]}.",
            field="external_id",
        )


# A brand, a source, and a key of it.
Key = tuple[UUID, str, str]


class NewEntry(NamedTuple):
    """A line to append: what was spent from a leaf budget on a local day, under whose key."""

    budget_id: UUID
    brand_id: UUID
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
    brand_id: UUID
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


@dataclass(frozen=True, slots=True)
class Appended:
    """For each given entry the ledger's own line, whether it is new, and whether it was known and
    is reversed; and what the new ones added, on their days, to the nodes above them of which a
    limit may have changed sides."""

    lines: list[Line]
    is_new: list[bool]
    is_reversed: list[bool]
    new_lines: list[Line]
    raised: Mapping[Place, Raised]

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
    if chains is None:
        chains = totals.chains_of({entry.budget_id for entry in entries})
    stored, added = _store(sorted(lines, key=_key), chains)
    if len(stored) == len(lines):
        # Nothing was known: mostly so.
        all_new, none = [True] * len(lines), [False] * len(lines)
        return Appended(lines, all_new, none, lines, totals.raise_totals(added))
    is_new = [line.id in stored for line in lines]
    new_lines = [line for line, new in zip(lines, is_new, strict=True) if new]
    others = [index for index, new in enumerate(is_new) if not new]
    known = _known([lines[index] for index in others])
    indices = {line.id: index for index, line in enumerate(lines)}
    is_reversed, conflicts = [False] * len(lines), {}
    for index in others:
        stands, is_reversed[index] = known[_key(lines[index])]
        if not _same_content(lines[index], stands):
            conflicts[index] = KeyConflict(entries[index], stands, row=indices.get(stands.id))
        lines[index] = stands
    if conflicts:
        raise KeyConflicts(conflicts)
    return Appended(lines, is_new, is_reversed, new_lines, totals.raise_totals(added))


# What a line is known by.
_key: Callable[[Line], Key] = attrgetter("brand_id", "source", "key")


_NAMES = ", ".join(Line._fields)
_TYPES = (
    *("uuid", "uuid", "uuid", "date", "numeric", "text", "text", "text", "text", "text"),
    *("uuid", "text", "timestamptz", "text", "text", "text"),
)
# From so many on, to look the keys up and to COPY takes less than an INSERT that asks for each.
_COPIED_MIN = 100


# Whoever reports known keys mostly reports many: so few tell whether to look all of them up.
_ASKED_FIRST = 16


def _store(lines: Sequence[Line], chains: Mapping[UUID, Chain]) -> tuple[set[UUID], Sums]:
    """Store the lines whose keys are new, in the order of their keys; return their ids, and what
    they add up to."""
    if len(lines) < _COPIED_MIN:
        return _insert(lines, chains)
    some = lines[:: len(lines) // _ASKED_FIRST]
    if not _known_keys(some):
        with suppress(UniqueViolation):
            return _copy(lines, chains)
    known = _known_keys(lines)
    return _copy([line for line in lines if _key(line) not in known], chains)


def _copy(lines: Sequence[Line], chains: Mapping[UUID, Chain]) -> tuple[set[UUID], Sums]:
    """Store lines, all of them or none. Raises UniqueViolation. Of one key the first counts."""
    first: dict[Key, Line] = {}
    for line in lines:
        first.setdefault(_key(line), line)
    with transaction.atomic(), _copying(first.values()):
        # PostgreSQL has the lines and stores them meanwhile.
        return {line.id for line in first.values()}, _add_up(first.values(), chains)


@contextmanager
def _copying(lines: Iterable[Line]) -> Iterator[None]:
    """Send the lines to be stored; they are when the context ends."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY budgets_spendentry ({_NAMES}) FROM STDIN (FORMAT BINARY)") as to,
    ):
        to.set_types(_TYPES)
        for line in lines:
            to.write_row(line)
        yield


def _insert(lines: Sequence[Line], chains: Mapping[UUID, Chain]) -> tuple[set[UUID], Sums]:
    if not lines:
        return set(), Sums.of({})
    row = f"({', '.join(['%s'] * len(_TYPES))})"
    rows = ", ".join([row] * len(lines))
    with connection.cursor() as cursor:
        cursor.execute(
            # The names are ours, from the table above.
            f"INSERT INTO budgets_spendentry ({_NAMES}) VALUES {rows}"  # noqa: S608
            " ON CONFLICT (brand_id, source, key) DO NOTHING RETURNING id",
            [value for line in lines for value in line],
        )
        stored = {row[0] for row in cursor.fetchall()}
    return stored, _add_up([line for line in lines if line.id in stored], chains)


# LIMIT keeps the planner at a look into the index for each key: it tends to read all the ledger.
_BY_KEY = """
    SELECT {names}
    FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS k (brand_id, source, key)
    CROSS JOIN LATERAL (
        SELECT * FROM budgets_spendentry
        WHERE brand_id = k.brand_id AND source = k.source AND key = k.key LIMIT 1
    ) AS e
"""


def _known_keys(lines: Sequence[Line]) -> set[Key]:
    """Return which of the lines' keys are in the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_KEY.format(names="e.brand_id, e.source, e.key"), _keys(lines))
        return set(cursor.fetchall())


def _known(lines: Sequence[Line]) -> dict[Key, tuple[Line, bool]]:
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
    return [
        id_array([line.brand_id for line in lines]),
        text_array([line.source for line in lines]),
        text_array([line.key for line in lines]),
    ]


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


def _add_up(lines: Iterable[Line], chains: Mapping[UUID, Chain]) -> Sums:
    """Return what the lines add to the days of leaf, group and root."""
    sums: dict[Place, Added] = {}
    nothing = (ZERO, ZERO)
    for line in lines:
        amount, day = line.amount, line.day
        more = (amount, ZERO) if line.spend_type == SpendType.DAILY else (ZERO, amount)
        # A parent budget is spent by its children, so each amount counts in every node above it.
        for node in chains[line.budget_id]:
            daily, monthly_only = sums.get((node, day), nothing)
            sums[node, day] = (daily + more[0], monthly_only + more[1])
    return Sums.of(sums)
