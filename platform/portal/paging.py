"""Cut a long list into pages, without counting all of it."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


class Page(NamedTuple):
    """Where a page lies in its list; the template links to its neighbours."""

    number: int
    has_next: bool

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.has_next else None


def cut(rows: QuerySet[Row], *, number: int, size: int) -> tuple[list[Row], Page]:
    """Return the rows of a page, and the page. One statement: it asks for one row more."""
    start = (number - 1) * size
    found = list(rows[start : start + size + 1])
    return found[:size], Page(number, len(found) > size)


def cut_list(rows: Sequence[object], *, number: int, size: int) -> tuple[slice, Page]:
    """Return the slice of a list in memory, and its page; past the end is the last page."""
    last = max(1, -(-len(rows) // size))
    number = min(number, last)
    return slice((number - 1) * size, number * size), Page(number, number < last)
