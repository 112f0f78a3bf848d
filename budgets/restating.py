"""Restating: "source S says that campaign C spent X on day D, as of T".

What is appended is the difference between X and what S has said so far, corrections of S included.
So the ledger stays append-only, and the sum of its lines is always the last that the source said.

The source is locked, then the brands; both by the caller.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from kernel.actor import Actor
from kernel.errors import Conflict
from kernel.ids import uuid7

from . import ledger
from .ledger import Appended, NewEntry
from .models import CompleteStatement, EntryKind, SourceFigure, SpendType
from .statements import (
    Complete,
    Known,
    Place,
    Statement,
    columns,
    corrected,
    known_completes,
    known_figures,
    said_in_ledger,
)


class Restated(NamedTuple):
    """A figure that changed: what the source had said of the place, and what it says now."""

    place: Place
    before: Decimal
    after: Decimal


@dataclass(slots=True)
class Restatement:
    """What statements did: places heard of first, changed figures, known ones, and stale ones;
    and the differences that were appended."""

    recorded: int = 0
    duplicates: int = 0
    stale: int = 0
    restated: list[Restated] = field(default_factory=list)
    appended: Appended | None = None


class StatementConflicts(Conflict):
    """Statements that contradict others, by the places of the rows."""

    def __init__(self, by_index: Mapping[int, Conflict]) -> None:
        super().__init__(f"{len(by_index)} statements contradict what was said.")
        self.by_index = by_index


class UnconfirmedDecrease(Conflict):
    """A complete statement would take away more than half of what the source had said."""


def restate(
    source: str,
    statements: Sequence[Statement],
    *,
    complete: Complete | None = None,
    confirm_decrease: bool = False,
    said: Collection[UUID] = (),
    brand_of: Mapping[UUID, UUID],
    now: datetime,
    by: Actor,
) -> Restatement:
    """Append what the statements change. Source and brands are locked by the caller; `brand_of`
    has the brands, by the leaf budgets, of all that is concerned.

    `said` are the budgets of which `places_said` tells that the complete one concerns them.

    An older `as_of` than the last heard is stale and ignored. Raises StatementConflicts (an equal
    `as_of` with another amount; another restating source) and UnconfirmedDecrease, before anything
    is stored.
    """
    if complete is not None:
        statements = [_as_listed(statement, complete) for statement in statements]
    figures = {
        place: known
        for place, known in known_figures(source, statements, complete).items()
        # Of what is concerned: in another brand the source may append.
        if place.budget_id in brand_of
    }
    completes = known_completes(source, statements, complete)
    _check_others(source, statements)
    result, news = Restatement(), dict[Place, Known]()
    conflicts: dict[int, Conflict] = {}
    for index, statement in enumerate(statements):
        try:
            if _is_news(statement, figures, completes, result):
                news[statement.place] = Known(statement.amount, statement.as_of)
        except Conflict as conflict:
            conflicts[index] = conflict
    if conflicts:
        raise StatementConflicts(conflicts)
    if complete is not None:
        listed = {statement.place for statement in statements}
        places = {*figures, *corrected(source, complete, said)} - listed
        for place in _unlisted(places, figures, completes, complete):
            news[place] = Known(Decimal(0), complete.as_of)
        if not confirm_decrease:
            _check_decrease(figures, news, complete)
    _store(source, news, figures, complete, result, brand_of=brand_of, now=now, by=by)
    return result


def _as_listed(statement: Statement, complete: Complete) -> Statement:
    """Return a statement as its complete one says it: as of no earlier instant.

    The complete statement is remembered by its own instant. If a row in it kept an older one, what
    is between the two would count if it came before, and be stale if it came after.
    """
    if complete.covers(statement.place) and statement.as_of < complete.as_of:
        return replace(statement, as_of=complete.as_of)
    return statement


def _is_news(
    statement: Statement,
    figures: Mapping[Place, Known],
    completes: Iterable[Complete],
    result: Restatement,
) -> bool:
    """Return whether a statement says more than was known; count it if it does not."""
    known = figures.get(statement.place)
    for complete in completes:
        if complete.covers(statement.place) and (known is None or known.as_of < complete.as_of):
            # It was not listed there: that too was a statement, of nothing.
            known = Known(Decimal(0), complete.as_of)
    if known is None or statement.as_of > known.as_of:
        return True
    if statement.as_of < known.as_of:
        result.stale += 1
    elif statement.amount == known.amount:
        result.duplicates += 1
    else:
        raise Conflict(
            f"As of {statement.as_of.isoformat()} the source said {known.amount.normalize():f}"
            " of this day already.",
            field="amount",
        )
    return False


def _unlisted(
    places: Iterable[Place],
    figures: Mapping[Place, Known],
    completes: Iterable[Complete],
    complete: Complete,
) -> Iterable[Place]:
    for place in places:
        heard = [c.as_of for c in completes if c.covers(place)]
        if place in figures:
            heard.append(figures[place].as_of)
        if complete.covers(place) and all(as_of < complete.as_of for as_of in heard):
            yield place


def _check_decrease(
    figures: Mapping[Place, Known], news: Mapping[Place, Known], complete: Complete
) -> None:
    places = {place for place in (*figures, *news) if complete.covers(place)}
    nothing = Known(Decimal(0), complete.as_of)
    before = sum((figures.get(place, nothing).amount for place in places), Decimal(0))
    after = sum(
        (news.get(place, figures.get(place, nothing)).amount for place in places), Decimal(0)
    )
    if after < before / 2:
        raise UnconfirmedDecrease(
            f"The range falls from {before.normalize():f} to {after.normalize():f}. If the download"
            " is whole, say confirm_decrease: true.",
            field="confirm_decrease",
        )


def _store(
    source: str,
    news: Mapping[Place, Known],
    figures: Mapping[Place, Known],
    complete: Complete | None,
    result: Restatement,
    *,
    brand_of: Mapping[UUID, UUID],
    now: datetime,
    by: Actor,
) -> None:
    said = said_in_ledger(source, news)
    entries = []
    for place, told in news.items():
        before = said.get(place, Decimal(0))
        if told.amount != before:
            brand_id = brand_of[place.budget_id]
            entries.append(_difference(source, place, told.amount - before, brand_id))
        known = figures.get(place)
        if known is None and before in (0, told.amount):
            result.recorded += 1
        elif told.amount == before:
            result.duplicates += 1
        else:
            result.restated.append(Restated(place, before, told.amount))
    result.appended = ledger.append(entries, now=now, by=by)
    SourceFigure.objects.bulk_create(
        (
            SourceFigure(source_id=source, **place._asdict(), amount=told.amount, as_of=told.as_of)
            for place, told in sorted(news.items())
        ),
        update_conflicts=True,
        unique_fields=["budget", "day", "spend_type", "source"],
        update_fields=["amount", "as_of"],
    )
    if complete is not None:
        ids = complete.budget_ids
        CompleteStatement.objects.create(
            source_id=source,
            from_day=complete.from_day,
            to_day=complete.to_day,
            budget_ids=None if ids is None else sorted(map(str, ids)),
            as_of=complete.as_of,
            recorded_at=now,
        )


def _difference(source: str, place: Place, amount: Decimal, brand_id: UUID) -> NewEntry:
    return NewEntry(
        budget_id=place.budget_id,
        brand_id=brand_id,
        day=place.day,
        amount=amount,
        spend_type=place.spend_type,
        source=source,
        key=ledger.own_key("statement", uuid7()),
        kind=EntryKind.RESTATEMENT,
    )


def _check_others(source: str, statements: Sequence[Statement]) -> None:
    """Refuse places of which another restating source speaks, unless it is said to be beside it."""
    places = [statement.place for statement in statements]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT f.budget_id, f.day, f.spend_type, min(f.source_id)
            FROM budgets_sourcefigure f
            JOIN unnest(%s::uuid[], %s::date[], %s::text[]) AS p (budget_id, day, spend_type)
                 USING (budget_id, day, spend_type)
            WHERE f.source_id <> %s
            GROUP BY f.budget_id, f.day, f.spend_type
            """,
            [*columns(places), source],
        )
        others = {Place(row[0], row[1], SpendType(row[2])): row[3] for row in cursor.fetchall()}
    conflicts: dict[int, Conflict] = {
        index: Conflict(
            f"The source {others[statement.place]!r} restates this day already. If this is spent"
            " beside it, say additional: true.",
            field="source",
        )
        for index, statement in enumerate(statements)
        if statement.place in others and not statement.is_additional
    }
    if conflicts:
        raise StatementConflicts(conflicts)
