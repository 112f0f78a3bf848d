"""Who did it. Stored as three plain values, never as a foreign key: people and keys go, history
stays.
"""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    PERSON = "person"
    KEY = "key"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, an API key or the system itself; `label` is what people are shown."""

    kind: ActorKind
    id: str
    label: str


SYSTEM = Actor(ActorKind.SYSTEM, "", "Paceline")
# Who logs in on the machine and calls manage.py; which person that is, Paceline can't know.
COMMAND = Actor(ActorKind.SYSTEM, "", "manage.py")
