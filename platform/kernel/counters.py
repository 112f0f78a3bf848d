"""What the platform counts about itself, in one place for every process on every machine.

Counts are fields of one hash in Redis, raised after the fact and never inside a transaction: a
brand's lock must not wait for another server. They are for operators, not for the books: where
Redis is away or hangs, a count is lost and nothing else is.
"""

from collections.abc import Mapping
from enum import StrEnum

import redis
from django.conf import settings
from django.db import transaction

from . import valkey

KEY = "paceline:counters"
READ_PATIENCE_SECONDS = 1.0


class Count(StrEnum):
    """What is counted: the field in the hash, and behind the colon the value of its label."""

    RETRIED_DEADLOCK = "transaction_retries:deadlock"
    RETRIED_SERIALIZATION = "transaction_retries:serialization"
    LOCK_TIMEOUT = "lock_timeouts"
    STATEMENT_TIMEOUT = "statement_timeouts"
    TICK = "ticks"
    AGENCY_SWEPT = "agencies_swept"
    SWEEP_FAILED = "sweep_failures"
    SWEEP_SECONDS = "sweep_seconds"
    CAMPAIGN_CHANGED = "campaigns_changed"
    SPEND_RECORDED = "spend_rows:recorded"
    SPEND_RESTATED = "spend_rows:restated"
    SPEND_DUPLICATE = "spend_rows:duplicate"
    SPEND_STALE = "spend_rows:stale"
    SPEND_REFUSED = "spend_rows:refused"
    LIMITED_KEY = "requests_limited:key"
    LIMITED_PERSON = "requests_limited:person"
    LIMITED_AGENCY = "requests_limited:agency"


def add(counts: Mapping[Count, float]) -> None:
    """Raise counts; never raises an error.

    At once where no transaction is open, else after it is committed: what is rolled back did not
    happen.
    """
    connection = transaction.get_connection()
    if connection.in_atomic_block:
        transaction.on_commit(lambda: _send(counts), robust=True)
    else:
        _send(counts)


def read() -> dict[Count, float]:
    """Return every count, 0 where nothing was counted yet. Raises redis.RedisError."""
    known = valkey.client(settings.REDIS_URL, READ_PATIENCE_SECONDS).hgetall(KEY)
    return {count: float(known.get(count.encode(), 0)) for count in Count}


def _send(counts: Mapping[Count, float]) -> None:
    def raise_them(server: "redis.Redis") -> None:
        pipeline = server.pipeline(transaction=False)
        for count, amount in counts.items():
            if isinstance(amount, float):
                pipeline.hincrbyfloat(KEY, count, amount)
            elif amount:
                pipeline.hincrby(KEY, count, amount)
        pipeline.execute()

    valkey.ask(raise_them, else_what="counts are lost")
