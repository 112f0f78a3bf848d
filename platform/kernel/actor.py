"""Who did it. Stored as three plain values, never as a foreign key: people and keys go, history
stays.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ActorKind(StrEnum):
    PERSON = "person"
    KEY = "key"
    SYSTEM = "system"
    # Somebody of the platform's staff, within a support access.
    SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, an API key or the system itself; `label` is what people are shown.

    `brand_ids` are the brands that may be acted on; None: all. It is not stored with what was done.
    """

    kind: ActorKind
    id: str
    label: str
    brand_ids: frozenset[UUID] | None = None

    @property
    def is_limited(self) -> bool:
        """Whether there may be brands that this actor has nothing to do with."""
        return self.brand_ids is not None

    def covers(self, brand_id: UUID) -> bool:
        """Return whether this actor may act on a brand."""
        return self.brand_ids is None or brand_id in self.brand_ids


SYSTEM = Actor(ActorKind.SYSTEM, "", "Paceline")
# Who logs in on the machine and calls manage.py; which person that is, Paceline can't know.
COMMAND = Actor(ActorKind.SYSTEM, "", "manage.py")

_acting: ContextVar[Callable[[], Actor] | None] = ContextVar("acting", default=None)


@contextmanager
def acting(who: Callable[[], Actor]) -> Iterator[None]:
    """Let what runs inside be done by somebody, who is asked for when it is written down.

    Only edges call this. A request is answered for somebody before it is known for whom.
    """
    token = _acting.set(who)
    try:
        yield
    finally:
        _acting.reset(token)


def acting_now() -> Actor | None:
    """Return who acts; None in tasks and commands, which act for nobody."""
    who = _acting.get()
    return who() if who is not None else None
