"""Who did it. Stored as three plain values, never as a foreign key: people and keys go, history
stays.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    PERSON = "person"
    KEY = "key"
    SYSTEM = "system"
    # Somebody of the platform's staff, within a support access.
    SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, an API key or the system itself; `label` is what people are shown."""

    kind: ActorKind
    id: str
    label: str


SYSTEM = Actor(ActorKind.SYSTEM, "", "Paceline")

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
