"""The cache, with which a log-in works also while Redis is away.

What counts failures and remembers codes asks the cache. Where Redis is away, refusing would lock
everybody out, and letting everything through would let passwords be guessed. So each process then
keeps to itself what it is told: limits still hold, by process, and nobody waits.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger("kernel.caches")

# What a request may lose to a Redis that hangs.
PATIENCE_SECONDS = 0.5
# For how long a process leaves a Redis alone that did not answer.
SILENCE_SECONDS = 10.0


class PatientCache(RedisCache):
    """Redis; for some seconds after it failed, this process's own memory."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        patience = {
            "socket_connect_timeout": PATIENCE_SECONDS,
            "socket_timeout": PATIENCE_SECONDS,
            "retry": Retry(NoBackoff(), 0),
        }
        super().__init__(server, {**params, "OPTIONS": {**patience, **params.get("OPTIONS", {})}})
        own = {**params, "OPTIONS": {"MAX_ENTRIES": 10_000}}
        self._own = LocMemCache(f"while away: {server}", own)
        self._silent_until = 0.0

    def add(self, *args: Any, **options: Any) -> bool:
        return bool(self._ask("add", *args, **options))

    def get(self, *args: Any, **options: Any) -> Any:
        return self._ask("get", *args, **options)

    def set(self, *args: Any, **options: Any) -> None:
        self._ask("set", *args, **options)

    def touch(self, *args: Any, **options: Any) -> bool:
        return bool(self._ask("touch", *args, **options))

    def delete(self, *args: Any, **options: Any) -> bool:
        return bool(self._ask("delete", *args, **options))

    def has_key(self, *args: Any, **options: Any) -> bool:
        return bool(self._ask("has_key", *args, **options))

    def incr(self, *args: Any, **options: Any) -> int:
        return int(self._ask("incr", *args, **options))

    def get_many(self, *args: Any, **options: Any) -> dict[Any, Any]:
        return dict(self._ask("get_many", *args, **options))

    def set_many(self, *args: Any, **options: Any) -> list[Any]:
        return list(self._ask("set_many", *args, **options))

    def delete_many(self, *args: Any, **options: Any) -> None:
        self._ask("delete_many", *args, **options)

    def clear(self) -> None:
        self._own.clear()
        self._ask("clear")

    def _ask(self, method: str, *args: Any, **options: Any) -> Any:
        own: Callable[..., Any] = getattr(self._own, method)
        if time.monotonic() < self._silent_until:
            return own(*args, **options)
        try:
            return getattr(super(), method)(*args, **options)
        except (RedisError, OSError) as failure:
            self._silent_until = time.monotonic() + SILENCE_SECONDS
            logger.warning("the cache is away: %s: %s", type(failure).__name__, failure)
            return own(*args, **options)
