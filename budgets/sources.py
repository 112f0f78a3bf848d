"""Who reports spend, and how: a source appends or restates, for life."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection

from kernel.errors import Conflict, InvalidValue

from .models import SourceMode, SpendSource

SOURCE_LENGTH_MAX = 64
_VERBS = {SourceMode.APPEND: "appends", SourceMode.RESTATE: "restates"}


def claim(names: Iterable[str], mode: SourceMode, *, now: datetime) -> None:
    """Use sources in a mode; the first use decides for ever. Raises Conflict for the other mode.

    Call it before any brand is locked: two that meet a new source wait for each other here.
    """
    wanted = sorted(set(names))
    for name in wanted:
        check_source(name)
    known = _modes(wanted)
    missing = [name for name in wanted if name not in known]
    if missing:
        SpendSource.objects.bulk_create(
            [SpendSource(name=name, mode=mode, first_used_at=now) for name in missing],
            ignore_conflicts=True,
        )
        # Somebody else may have come first, and with the other mode.
        known |= _modes(missing)
    for name in wanted:
        if known[name] != mode:
            raise Conflict(
                f"The source {name!r} {_VERBS[SourceMode(known[name])]}, for life:"
                f" use another name for one that {_VERBS[mode]}.",
                field="source",
            )


def check_source(name: str) -> None:
    """Raise InvalidValue for what can't be the name of a source."""
    if not 0 < len(name) <= SOURCE_LENGTH_MAX or "\0" in name:
        raise InvalidValue(f"A source's name has 1 to {SOURCE_LENGTH_MAX} letters.", field="source")


def _modes(names: Sequence[str]) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, mode FROM budgets_spendsource WHERE name = ANY(%s::text[])", [list(names)]
        )
        return dict(cursor.fetchall())


def lock(name: str) -> None:
    """Lock a source: those who restate under one name take turns."""
    SpendSource.objects.select_for_update(no_key=True).get(name=name)
