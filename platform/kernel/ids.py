"""Identifiers that sort by the time they were made."""

import os
import time
import uuid
from functools import lru_cache

from psycopg.abc import Buffer
from psycopg.adapt import Loader

# A worker meets the ids of the same budgets and campaigns in every request.
KNOWN_MAX = 1 << 14
_RANDOM_BYTES = 10


def uuid7() -> uuid.UUID:
    """Return a version 7 UUID (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 74 random
    bits.

    New rows land at the right-hand end of their index, and a list in id order is a list in time
    order.
    """
    return uuid7s(1)[0]


def uuid7s(count: int) -> list[uuid.UUID]:
    """Return `count` ids of one moment; as `uuid7`, but the system is asked once."""
    moment = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | 0x7 << 76 | 0x2 << 62
    random = os.urandom(_RANDOM_BYTES * count)
    return [
        uuid.UUID(int=moment | int.from_bytes(random[at : at + _RANDOM_BYTES]) & _RANDOM_BITS)
        for at in range(0, len(random), _RANDOM_BYTES)
    ]


# All 80 below the moment, but for the version's four bits and the variant's two.
_RANDOM_BITS = (1 << 80) - 1 & ~(0xF << 76) & ~(0x3 << 62)


@lru_cache(maxsize=KNOWN_MAX)
def read_id(text: str) -> uuid.UUID:
    """Return the UUID that is written so. Raises ValueError.

    To look one up takes a twentieth of the time of reading it.
    """
    return uuid.UUID(text)


class IdLoader(Loader):
    """Reads the ids of PostgreSQL's answers."""

    def load(self, data: Buffer) -> uuid.UUID:
        return read_id(str(data, "ascii"))
