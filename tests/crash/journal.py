"""What a client said and what it heard: on disk before a call is sent, and after its answer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

NO_ANSWER = 0  # The status of a call whose answer never came.


class Kind(StrEnum):
    """What a call is for."""

    SINGLE = "single"
    KEYED = "keyed"  # No external_id, but an Idempotency-Key.
    CORRECTION = "correction"
    REVERSAL = "reversal"
    BATCH = "batch"
    BAD_BATCH = "bad batch"
    CONFLICT = "conflict"
    RESTATEMENT = "restatement"
    LIMIT = "limit"
    PAUSE = "pause"


# Both must be refused, and leave nothing behind.
REFUSED_KINDS = (Kind.BAD_BATCH, Kind.CONFLICT)
# They say how something is to be, so the last word on each thing stands.
COMMANDS = (Kind.LIMIT, Kind.PAUSE)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API, as it is sent each time; its `id` is in the rows that it brings."""

    id: str
    kind: Kind
    agency: str
    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)
    idempotency_key: str = ""

    def is_answered_by(self, status: int) -> bool:
        """Return whether a status tells what became of the call; 5xx and silence do not."""
        if self.idempotency_key and status == 409:
            return False  # The first attempt is still running.
        return 200 <= status < 500


@dataclass(slots=True)
class Heard:
    """A call and the statuses that were heard of it, in the order in which they came."""

    call: Call
    statuses: list[int] = field(default_factory=list)
    entry_id: str = ""  # The ledger's id of the single row that the call brought.

    @property
    def is_accepted(self) -> bool:
        return any(200 <= status < 300 for status in self.statuses)

    @property
    def is_refused(self) -> bool:
        return not self.is_accepted and self.is_answered

    @property
    def is_answered(self) -> bool:
        return any(map(self.call.is_answered_by, self.statuses))

    @property
    def is_contradictory(self) -> bool:
        """Whether it was accepted once and refused another time."""
        answers = filter(self.call.is_answered_by, self.statuses)
        return len({status < 300 for status in answers}) > 1


class Journal:
    """One client's journal, which nobody else writes."""

    def __init__(self, path: Path) -> None:
        """Begin a journal at `path`."""
        self._file = path.open("a")

    def sends(self, call: Call) -> None:
        """Write down, for good, that a call is about to be sent, for the first time or again."""
        self._write({"call": asdict(call)})

    def hears(self, call: Call, status: int, entry_id: str) -> None:
        """Write down, for good, what was answered."""
        self._write({"answer": call.id, "status": status, "entry_id": entry_id})

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def _write(self, record: dict[str, Any]) -> None:
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def read_journals(paths: Iterable[Path]) -> list[Heard]:
    """Return every call with what was heard of it; those of one client in their order."""
    found: dict[str, Heard] = {}
    for path in paths:
        for line in path.read_text().splitlines():
            record = json.loads(line)
            if "call" in record:
                fields = record["call"] | {"kind": Kind(record["call"]["kind"])}
                heard = found.setdefault(fields["id"], Heard(Call(**fields)))
                # Until something else is heard.
                heard.statuses.append(NO_ANSWER)
            else:
                heard = found[record["answer"]]
                heard.statuses[-1] = record["status"]
                heard.entry_id = record["entry_id"] or heard.entry_id
    return list(found.values())
