"""Read the trail, the newest entry first, from a cursor and never from an offset."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from .models import Entry

# What a reader of all of it gets at once.
CHUNK_ROWS = 500
# What PostgreSQL's bigint holds.
CURSOR_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries are asked for; None is no filter. `since` is inclusive, `until` is not.

    A `brand` or a `campaign` is asked for with all that belongs to it, an `object_id` alone.
    """

    kind: str | None = None
    operation: str | None = None
    by_kind: str | None = None
    by_id: str | None = None
    object_id: str | None = None
    brand_id: UUID | None = None
    campaign_id: UUID | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_narrow(self) -> bool:
        return self != Asked()


_COLUMNS = {
    "kind": "kind",
    "operation": "pgh_label",
    "by_kind": "by_kind",
    "by_id": "by_id",
    "object_id": "object_id",
    "brand_id": "brand_id",
    "campaign_id": "campaign_id",
    "request_id": "request_id",
    "since": "pgh_created_at__gte",
    "until": "pgh_created_at__lt",
}


def entries(asked: Asked, *, brand_ids: Collection[UUID] | None = None) -> QuerySet[Entry]:
    """Return the entries that are asked for, the newest first.

    Who is limited to brands (`brand_ids`; None: is not) finds what belongs to these.
    """
    wanted = {
        column: value
        for name, column in _COLUMNS.items()
        if (value := getattr(asked, name)) is not None
    }
    rows = Entry.objects.filter(Q(**wanted)).order_by("-pgh_id")
    return rows if brand_ids is None else rows.filter(brand_id__in=brand_ids)


def page_of(
    rows: QuerySet[Entry], *, before: int | None, size: int
) -> tuple[list[Entry], int | None]:
    """Return up to `size` entries older than the cursor, and the cursor of the next page, if any.

    One statement: it asks for one row more.
    """
    if before is not None:
        rows = rows.filter(pgh_id__lt=before)
    found = list(rows[: size + 1])
    has_more = len(found) > size
    return found[:size], found[size - 1].pgh_id if has_more else None


def in_chunks(rows: QuerySet[Entry]) -> Iterator[list[Entry]]:
    """Give all entries, so many at a time, however many there are."""
    before: int | None = None
    while True:
        found, before = page_of(rows, before=before, size=CHUNK_ROWS)
        if found:
            yield found
        if before is None:
            return
