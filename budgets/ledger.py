"""The ledger: append-only entries, and the totals that are kept with them in the same transaction.

Lock order: the brands are locked by the caller; then ledger keys in the order of (source, key);
then totals in the order of (budget, day).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection

from kernel.actor import Actor
from kernel.errors import Conflict
from kernel.ids import uuid7

from .models import EntryKind, SpendEntry, SpendType


@dataclass(frozen=True, slots=True)
class NewEntry:
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


class KeyConflict(Conflict):
    """A key that is in the ledger came again with other content; or twice at once, where `row` is
    the index of the entry that came first.
    """

    def __init__(self, entry: NewEntry, known: SpendEntry, *, row: int | None = None) -> None:
        place = "the ledger" if row is None else f"row {row}"
        super().__init__(
            f"{entry.key!r} of source {entry.source!r} is in {place} with another content:"
            f" {known.amount.normalize():f} on {known.day}. Correct it, or use another key.",
            field="external_id",
        )


class KeyConflicts(Conflict):
    """Keys that contradict the ledger, by the places of their entries."""

    def __init__(self, by_index: Mapping[int, KeyConflict]) -> None:
        super().__init__(f"{len(by_index)} keys are in the ledger with another content.")
        self.by_index = by_index


@dataclass(frozen=True, slots=True)
class Appended:
    """For each given entry the ledger's own, and whether it is new."""

    entries: list[SpendEntry]
    is_new: list[bool]


def append(entries: Sequence[NewEntry], *, now: datetime, by: Actor) -> Appended:
    """Append entries and raise the totals above them. Their brands are locked by the caller.

    The same key with the same content counts once and comes back as the entry that is there; the
    same key with other content raises KeyConflicts, and nothing is stored (the caller's transaction
    ends).
    """
    fresh = [_row(entry, now=now, by=by) for entry in entries]
    stored = _insert(fresh)
    is_new = [row.id in stored for row in fresh]
    known = _by_key([row for row, new in zip(fresh, is_new, strict=True) if not new])
    indices = {row.id: index for index, row in enumerate(fresh)}
    rows, conflicts = [], {}
    for index, (entry, row, new) in enumerate(zip(entries, fresh, is_new, strict=True)):
        stands = row if new else known[entry.source, entry.key]
        if not new and not _same_content(entry, stands):
            conflicts[index] = KeyConflict(entry, stands, row=indices.get(stands.id))
        rows.append(stands)
    if conflicts:
        raise KeyConflicts(conflicts)
    _raise_totals([row for row, new in zip(fresh, is_new, strict=True) if new])
    return Appended(rows, is_new)


def _row(entry: NewEntry, *, now: datetime, by: Actor) -> SpendEntry:
    return SpendEntry(
        id=uuid7(),
        budget_id=entry.budget_id,
        day=entry.day,
        amount=entry.amount,
        spend_type=entry.spend_type,
        kind=entry.kind,
        source=entry.source,
        key=entry.key,
        description=entry.description,
        reverses_id=entry.reverses_id,
        corrects_source=entry.corrects_source,
        recorded_at=now,
        recorded_by_kind=by.kind,
        recorded_by_id=by.id,
        recorded_by_label=by.label[:120],
    )


_COLUMNS = {
    "id": "uuid",
    "budget_id": "uuid",
    "day": "date",
    "amount": "numeric",
    "spend_type": "text",
    "kind": "text",
    "source": "text",
    "key": "text",
    "description": "text",
    "reverses_id": "uuid",
    "corrects_source": "text",
    "recorded_at": "timestamptz",
    "recorded_by_kind": "text",
    "recorded_by_id": "text",
    "recorded_by_label": "text",
}


def _insert(rows: Sequence[SpendEntry]) -> set[UUID]:
    """Insert the rows whose keys are new, in the order of their keys; return their ids."""
    if not rows:
        return set()
    ordered = sorted(rows, key=lambda row: (row.source, row.key))
    names = ", ".join(_COLUMNS)
    arrays = ", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())
    values = [[_plain(getattr(row, name)) for row in ordered] for name in _COLUMNS]
    with connection.cursor() as cursor:
        cursor.execute(
            # The names are ours, from the table above.
            f"INSERT INTO budgets_spendentry ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608
            " ON CONFLICT (source, key) DO NOTHING RETURNING id",
            values,
        )
        return {row[0] for row in cursor.fetchall()}


def _plain(value: object) -> object:
    # psycopg has no dumper for a list of enumeration members.
    return str(value) if isinstance(value, str) else value


def _by_key(rows: Sequence[SpendEntry]) -> dict[tuple[str, str], SpendEntry]:
    if not rows:
        return {}
    found = SpendEntry.objects.raw(
        "SELECT e.* FROM budgets_spendentry e"
        " JOIN unnest(%s::text[], %s::text[]) AS k (source, key) USING (source, key)",
        [[row.source for row in rows], [row.key for row in rows]],
    )
    return {(entry.source, entry.key): entry for entry in found}


def _same_content(entry: NewEntry, known: SpendEntry) -> bool:
    return (
        entry.budget_id == known.budget_id
        and entry.day == known.day
        and entry.amount == known.amount
        and entry.spend_type == known.spend_type
        and entry.kind == known.kind
        and entry.reverses_id == known.reverses_id
        and entry.corrects_source == known.corrects_source
    )


def _raise_totals(rows: Sequence[SpendEntry]) -> None:
    """Add the rows to the totals of leaf, group and root, in one statement."""
    if not rows:
        return
    daily = [row.amount if row.spend_type == SpendType.DAILY else Decimal(0) for row in rows]
    monthly = [row.amount if row.spend_type == SpendType.MONTHLY else Decimal(0) for row in rows]
    # A parent budget is spent by its children, so each amount counts in every node above it.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO budgets_spendtotal AS t (budget_id, day, daily_amount, monthly_only_amount)
            SELECT node, e.day, sum(e.daily), sum(e.monthly_only)
            FROM unnest(%s::uuid[], %s::date[], %s::numeric[], %s::numeric[])
                 AS e (leaf_id, day, daily, monthly_only)
            JOIN budgets_budget leaf ON leaf.id = e.leaf_id
            JOIN budgets_budget up ON up.id = leaf.parent_id
            CROSS JOIN LATERAL unnest(ARRAY[leaf.id, up.id, up.parent_id]) AS node
            WHERE node IS NOT NULL
            GROUP BY node, e.day
            ORDER BY node, e.day
            ON CONFLICT (budget_id, day) DO UPDATE SET
                daily_amount = t.daily_amount + EXCLUDED.daily_amount,
                monthly_only_amount = t.monthly_only_amount + EXCLUDED.monthly_only_amount
            """,
            [
                [row.budget_id for row in rows],
                [row.day for row in rows],
                daily,
                monthly,
            ],
        )


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
