"""What restating sources say, and what is stored of what they have said so far. Reads only."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from .models import CompleteStatement, SourceFigure, SpendEntry, SpendType


class Place(NamedTuple):
    """What a statement is about: a leaf budget's local day, and the type of spend."""

    budget_id: UUID
    day: date
    spend_type: SpendType


@dataclass(frozen=True, slots=True)
class Statement:
    """What a source reports for a place as of an instant, in the brand's currency."""

    place: Place
    amount: Decimal
    as_of: datetime
    # Said beside what another restating source says of the same place.
    is_additional: bool = False


@dataclass(frozen=True, slots=True)
class Complete:
    """The statements are all that there is from one day to another; budget_ids None: everywhere."""

    from_day: date
    to_day: date
    as_of: datetime
    budget_ids: frozenset[UUID] | None = None

    def covers(self, place: Place) -> bool:
        """Return whether a place is within what was said to be complete."""
        is_inside = self.from_day <= place.day <= self.to_day
        return is_inside and (self.budget_ids is None or place.budget_id in self.budget_ids)


class Known(NamedTuple):
    """What is known of a place: how much, and as of when it was said."""

    amount: Decimal
    as_of: datetime


def places_said(source: str, complete: Complete) -> set[UUID]:
    """Return the budgets of which a source has said something in the range.

    A correction counts within what its source has said, though that one may not have spoken yet.
    """
    days = (complete.from_day, complete.to_day)
    figures = SourceFigure.objects.filter(source=source, day__range=days)
    corrections = SpendEntry.objects.filter(corrects_source=source, day__range=days)
    said: set[UUID] = set()
    for rows in (figures, corrections):
        found = rows.values_list("budget_id", flat=True).order_by().distinct()
        if complete.budget_ids is not None:
            found = found.filter(budget__in=complete.budget_ids)
        said.update(found)
    return said


def corrected(source: str, complete: Complete, budget_ids: Collection[UUID]) -> set[Place]:
    """Return the places of the range where people corrected the source, of these budgets only:
    another one's brand is not locked, and its correction comes after this statement.
    """
    rows = SpendEntry.objects.filter(
        corrects_source=source,
        day__range=(complete.from_day, complete.to_day),
        budget__in=budget_ids,
    )
    return {
        Place(budget_id, day, SpendType(spend_type))
        for budget_id, day, spend_type in rows.values_list("budget_id", "day", "spend_type")
    }


def known_figures(
    source: str, statements: Sequence[Statement], complete: Complete | None
) -> dict[Place, Known]:
    """What the source said last of the statements' places, and of all places of the range."""
    rows = SourceFigure.objects.raw(
        """
        SELECT f.* FROM budgets_sourcefigure f
        WHERE f.source_id = %s AND (
            (f.budget_id, f.day, f.spend_type) IN (
                SELECT * FROM unnest(%s::uuid[], %s::date[], %s::text[]))
            OR f.day BETWEEN %s AND %s)
        """,
        [
            source,
            *columns(statement.place for statement in statements),
            complete.from_day if complete else None,
            complete.to_day if complete else None,
        ],
    )
    return {
        Place(row.budget_id, row.day, SpendType(row.spend_type)): Known(row.amount, row.as_of)
        for row in rows
    }


def known_completes(
    source: str, statements: Sequence[Statement], complete: Complete | None
) -> list[Complete]:
    """The complete statements of the source that may cover one of the days in question."""
    days = [statement.place.day for statement in statements]
    days += [complete.from_day, complete.to_day] if complete else []
    if not days:
        return []
    rows = CompleteStatement.objects.filter(
        source=source, from_day__lte=max(days), to_day__gte=min(days)
    )
    return [
        Complete(
            row.from_day,
            row.to_day,
            row.as_of,
            None if row.budget_ids is None else frozenset(map(UUID, row.budget_ids)),
        )
        for row in rows
    ]


def said_in_ledger(source: str, places: Iterable[Place]) -> dict[Place, Decimal]:
    """What the ledger's lines of the source, and corrections of it, add up to in each place."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.budget_id, e.day, e.spend_type, sum(e.amount)
            FROM budgets_spendentry e
            JOIN unnest(%s::uuid[], %s::date[], %s::text[]) AS p (budget_id, day, spend_type)
                 USING (budget_id, day, spend_type)
            WHERE %s IN (e.source, e.corrects_source)
            GROUP BY e.budget_id, e.day, e.spend_type
            """,
            [*columns(places), source],
        )
        return {Place(row[0], row[1], SpendType(row[2])): row[3] for row in cursor.fetchall()}


def columns(places: Iterable[Place]) -> list[list[object]]:
    """Return places as `unnest` takes them: their budgets, days and types."""
    rows = list(places)
    return [
        [place.budget_id for place in rows],
        [place.day for place in rows],
        [str(place.spend_type) for place in rows],
    ]
