"""Asking Valkey (or Redis) for what nobody has to wait for: counts and limits.

It may be away, hang, or be slow for a moment. A process waits some tens of milliseconds for it;
then it leaves it alone, for a second where an answer was late, for ten where there is no server.
"""

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger("kernel.valkey")

T = TypeVar("T")

# What a request may lose to a server that hangs, and for how long nobody tries it again then.
PATIENCE_SECONDS = 0.05
SILENCE_SECONDS = 10.0
SLOW_SILENCE_SECONDS = 1.0


class Silence:
    """Until when this process leaves the server alone, on the monotonic clock."""

    until = 0.0


def ask(work: Callable[["redis.Redis"], T], *, else_what: str) -> T | None:
    """Return what `work` gets from the server; None where it is away or left alone.

    Never raises. `else_what` says in the log what is missing meanwhile.
    """
    if time.monotonic() < Silence.until:
        return None
    try:
        return work(client(settings.REDIS_URL, PATIENCE_SECONDS))
    except (redis.RedisError, OSError) as failure:
        # A busy machine makes anybody late; that is no reason to do without the server.
        is_slow = isinstance(failure, redis.TimeoutError)
        Silence.until = time.monotonic() + (SLOW_SILENCE_SECONDS if is_slow else SILENCE_SECONDS)
        logger.warning("%s: %s: %s", else_what, type(failure).__name__, failure)
        return None


@cache
def client(url: str, patience_seconds: float) -> "redis.Redis":
    """A client that waits so long and tries nothing twice; its pool is safe with threads, forks."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=patience_seconds,
        socket_timeout=patience_seconds,
        retry=Retry(NoBackoff(), 0),
    )
