"""Who reports spend, and how: in each brand a source appends or restates, for life.

The brands are locked by the caller, so no two can use a new source of one of them at once.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from kernel.arrays import id_array, text_array
from kernel.errors import Conflict, InvalidValue

from .models import BrandSource, SourceMode, SpendSource

# A brand, and the name of a source.
Pair = tuple[UUID, str]
SOURCE_LENGTH_MAX = 64
_VERBS = {SourceMode.APPEND: "appends", SourceMode.RESTATE: "restates"}


def claim(pairs: Collection[Pair], mode: SourceMode, *, now: datetime) -> None:
    """Use sources in brands in a mode; the first use in a brand decides for ever.

    Raises Conflict for the other mode, InvalidValue for what can't be a source's name.
    """
    for _, name in pairs:
        check_source(name)
    wanted = sorted(pairs)
    known = modes(wanted)
    for pair in wanted:
        if known.get(pair, mode) != mode:
            verb = _VERBS[known[pair]]
            raise Conflict(
                f"The source {pair[1]!r} {verb}, for life, in this brand:"
                f" use another name for one that {_VERBS[mode]}.",
                field="source",
            )
    missing = [pair for pair in wanted if pair not in known]
    if missing:
        BrandSource.objects.bulk_create(
            BrandSource(brand_id=brand_id, name=name, mode=mode, first_used_at=now)
            for brand_id, name in missing
        )


def modes(pairs: Sequence[Pair]) -> dict[Pair, SourceMode]:
    """Return what the sources do in the brands, of those that were used there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT brand_id, name, mode FROM budgets_brandsource"
            " JOIN unnest(%s::uuid[], %s::text[]) AS p (brand_id, name) USING (brand_id, name)",
            [id_array([pair[0] for pair in pairs]), text_array([pair[1] for pair in pairs])],
        )
        return {(row[0], row[1]): SourceMode(row[2]) for row in cursor.fetchall()}


def check_source(name: str) -> None:
    """Raise InvalidValue for what can't be the name of a source."""
    if not 0 < len(name) <= SOURCE_LENGTH_MAX or "\0" in name:
        raise InvalidValue(f"A source's name has 1 to {SOURCE_LENGTH_MAX} letters.", field="source")


def lock(name: str, *, now: datetime) -> None:
    """Lock a source that restates: those who restate under one name take turns.

    Call it before any brand is locked. Raises InvalidValue.
    """
    check_source(name)
    SpendSource.objects.bulk_create(
        [SpendSource(name=name, first_used_at=now)], ignore_conflicts=True
    )
    SpendSource.objects.select_for_update(no_key=True).get(name=name)
