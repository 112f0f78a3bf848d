"""Counts of all processes in one place; Redis may be away or hang, and nobody else suffers."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import redis
from django.db import transaction

from kernel import counters, valkey
from kernel.counters import Count
from tenants.contexts import platform_context


@pytest.fixture
def connected(django_db_setup, django_db_blocker) -> Iterator[None]:
    """A connection whose transactions are the test's own."""
    with django_db_blocker.unblock(), platform_context():
        yield


def connections_to(server: socket.socket) -> int:
    found = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            found += 1
    return found


def test_counts_of_many_threads_add_up(connected, counted):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: counters.add({Count.TICK: 1, Count.SWEEP_SECONDS: 0.5}), range(80)))
    assert counted() == {Count.TICK: 80, Count.SWEEP_SECONDS: 40}


def test_nothing_is_sent_while_a_transaction_is_open(connected, counted):
    with transaction.atomic():
        counters.add({Count.SPEND_RECORDED: 3, Count.SPEND_DUPLICATE: 0})
        assert counted() == {}
    assert counted() == {Count.SPEND_RECORDED: 3}


def test_what_is_rolled_back_is_not_counted(connected, counted):
    with suppress(ZeroDivisionError), transaction.atomic():
        counters.add({Count.SPEND_RECORDED: 3})
        raise ZeroDivisionError
    assert counted() == {}


def test_a_redis_that_hangs_is_waited_for_once_and_then_left_alone(connected, mute_redis):
    for _ in range(20):
        counters.add({Count.TICK: 1})
    assert connections_to(mute_redis) == 1


def test_it_is_tried_again_after_the_silence(connected, mute_redis, monkeypatch):
    counters.add({Count.TICK: 1})
    monkeypatch.setattr(valkey.Silence, "until", 0.0)
    counters.add({Count.TICK: 1})
    assert connections_to(mute_redis) == 2


def test_a_redis_that_is_away_costs_the_count_and_nothing_else(connected, mute_redis):
    mute_redis.close()
    counters.add({Count.TICK: 1})
    with pytest.raises(redis.ConnectionError):
        counters.read()


def test_a_connection_that_redis_closed_meanwhile_costs_no_count(connected, counted, settings):
    counters.add({Count.TICK: 1})
    # Its own connection alone: other processes of the tests have theirs.
    own = valkey.client(settings.REDIS_URL, valkey.PATIENCE_SECONDS)
    with redis.Redis.from_url(settings.REDIS_URL) as admin:
        assert admin.client_kill_filter(_id=str(own.client_id())) == 1
    counters.add({Count.TICK: 1})
    assert counted() == {Count.TICK: 2}
