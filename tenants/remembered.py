"""What Redis remembers of an agency: cached pages' parts, counters, limits.

Every key of an agency carries its schema's name, which is random and is never used again.
"""

from collections.abc import Iterator

import redis
from django.conf import settings

_PATIENCE_SECONDS = 5.0
_KEYS_AT_ONCE = 1000


def keys_of(server: "redis.Redis", schema_name: str) -> Iterator[bytes]:
    """Return the keys of an agency, found by looking at all keys there are."""
    found: Iterator[bytes] = server.scan_iter(match=f"*{schema_name}*", count=_KEYS_AT_ONCE)
    return found


def forget(schema_name: str) -> int:
    """Delete all that is remembered of an agency; return how many keys that were.

    Raises redis.RedisError where the server is away.
    """
    with redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=_PATIENCE_SECONDS,
        socket_timeout=_PATIENCE_SECONDS,
    ) as server:
        # They are collected first: what is deleted meanwhile would confuse who looks.
        found = list(set(keys_of(server, schema_name)))
        chunks = range(0, len(found), _KEYS_AT_ONCE)
        return sum(int(server.unlink(*found[at : at + _KEYS_AT_ONCE])) for at in chunks)
