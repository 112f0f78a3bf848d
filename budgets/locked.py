"""Which brands a piece of work has locked: every write locks its brands first."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

_noted: ContextVar[set[UUID] | None] = ContextVar("locked_brands", default=None)


@contextmanager
def noting_locked_brands() -> Iterator[set[UUID]]:
    """Yield a set to which the ids of all brands are added that are locked inside."""
    noted: set[UUID] = set()
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def note_locked(brand_ids: Collection[UUID]) -> None:
    """Tell whoever notes it that these brands are locked."""
    noted = _noted.get()
    if noted is not None:
        noted.update(brand_ids)
