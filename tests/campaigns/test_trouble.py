"""Messages are lost and repeated, ticks meet, the broker forgets, a worker sleeps: after the next
sweep the state equals that of a twin agency to which nothing of it happened.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import redis
from django.db import connection

from campaigns.tasks import tick
from config import celery_app
from kernel import clock
from tenants import claims
from tenants.contexts import platform_context
from tenants.models import Agency
from tenants.services import create_agency, remove_agency
from tests.campaigns.short_visibility import VISIBILITY_SECONDS
from tests.campaigns.twins import live_through, state_of
from tests.waiting import PATIENCE_SECONDS, SOMEBODY_WAITS, wait_until

ROOT = Path(__file__).resolve().parents[2]
QUEUE = "celery"


@dataclass(frozen=True)
class Twins:
    """The same agency several times; only the calm one has no trouble."""

    calm: Agency
    troubled: Sequence[Agency]

    def live_through(self, name: str) -> None:
        live_through([self.calm, *self.troubled], self.calm, name, now=clock.read())

    def are_equal(self, agencies: Sequence[Agency] | None = None) -> bool:
        calm = state_of(self.calm)
        return all(state_of(agency) == calm for agency in agencies or self.troubled)


@pytest.fixture(scope="module")
def twins(django_db_setup, django_db_blocker) -> Iterator[Twins]:
    with django_db_blocker.unblock(), platform_context():
        others = list(Agency.objects.filter(is_active=True).values_list("pk", flat=True))
        Agency.objects.update(is_active=False)
        made = [create_agency(name="Twin", slug=f"twin-{number}") for number in range(4)]
        # It is the test that sweeps the calm one, in time.
        Agency.objects.filter(pk=made[0].pk).update(is_active=False)
        yield Twins(made[0], made[1:])
        for agency in made:
            remove_agency(agency)
        Agency.objects.filter(pk__in=others).update(is_active=True)


@pytest.fixture(autouse=True)
def only_hints_are_due(twins, monkeypatch) -> None:
    """Keep the clock of the machine out of what a tick takes, however long the test runs: no turn
    of the backstop falls due, and neither a claim nor its message ends by itself.
    """
    monkeypatch.setattr(claims, "CLAIM_SECONDS", 24 * 3600)
    with platform_context():
        Agency.objects.filter(pk__in=[agency.pk for agency in twins.troubled]).update(
            full_sweep_at=clock.read() + timedelta(days=1), claimed_until=None
        )


@pytest.fixture
def broker(environment, monkeypatch) -> Iterator[redis.Redis]:
    """The part of the broker that is this test's own, to which the tick of this process speaks."""

    def forget_connections() -> None:
        celery_app._pool = celery_app.amqp._producer_pool = None

    monkeypatch.setenv("CELERY_BROKER_URL", environment["REDIS_URL"])
    forget_connections()
    with redis.Redis.from_url(environment["REDIS_URL"]) as client:
        client.flushdb()
        yield client
    monkeypatch.undo()
    forget_connections()


class Worker:
    """A Celery worker of one process, in a group of its own."""

    def __init__(self, environment: dict[str, str], log: Path, settings: str) -> None:
        self.log = log
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency=1"]
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [*command, f"--hostname={log.stem}@test"],
                cwd=ROOT,
                env=environment | {"DJANGO_SETTINGS_MODULE": settings},
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def swept(self) -> int:
        """How many sweeps it has told of."""
        return self.log.read_text().count('"event": "sweep"')

    def end(self) -> None:
        self.send(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_SECONDS)
        finally:
            self.send(signal.SIGKILL)


@pytest.fixture
def start_worker(environment, tmp_path) -> Iterator[Callable[..., Worker]]:
    """Return a function that starts a worker: `start_worker("first")`."""
    workers: list[Worker] = []

    def start(name: str = "first", settings: str = "config.settings") -> Worker:
        workers.append(Worker(environment, tmp_path / f"{name}.log", settings))
        return workers[-1]

    yield start
    for worker in workers:
        worker.end()


def wait_for(condition: Callable[[], object], *workers: Worker) -> None:
    wait_until(condition, told=lambda: "\n".join(worker.log.read_text() for worker in workers))


def is_quiet(broker: redis.Redis) -> bool:
    """Whether no message waits, and none is in a worker's hands."""
    return not broker.llen(QUEUE) and not broker.hlen("unacked")


def claimed() -> set[int]:
    with platform_context():
        found = Agency.objects.filter(is_active=True, claimed_until__gt=clock.read())
        return set(found.values_list("pk", flat=True))


def let_claims_end() -> None:
    """Let the minutes pass after which a claim that nobody fulfilled ends by itself."""
    with platform_context():
        Agency.objects.filter(is_active=True).update(claimed_until=clock.read())


def tick_twice_at_once() -> list[int]:
    counts: list[int] = []
    start = threading.Barrier(2)

    def run() -> None:
        try:
            start.wait()
            counts.append(tick())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts


def lose_and_repeat(broker: redis.Redis, dice: random.Random) -> int:
    """Drop 30 % of the messages and deliver each other one three times; tell how many are lost."""
    messages = broker.lrange(QUEUE, 0, -1)
    lost = dice.sample(messages, max(1, round(len(messages) * 0.3)))
    kept = [message for message in messages if message not in lost] * 3
    dice.shuffle(kept)
    broker.delete(QUEUE)
    broker.rpush(QUEUE, *kept)
    return len(lost)


def test_lost_and_repeated_messages_of_two_ticks_make_no_difference(twins, broker, start_worker):
    twins.live_through("Lossy")
    assert not twins.are_equal()
    counts = tick_twice_at_once()
    # Two ticks at once do the work once.
    assert sum(counts) == broker.llen(QUEUE) == len(twins.troubled)
    lost = lose_and_repeat(broker, random.Random(1))
    worker = start_worker()
    wait_for(lambda: worker.swept() == 3 * (len(twins.troubled) - lost), worker)
    wait_for(lambda: is_quiet(broker), worker)
    swept = [agency for agency in twins.troubled if agency.pk not in claimed()]
    assert len(swept) == len(twins.troubled) - lost
    assert twins.are_equal(swept)
    let_claims_end()
    assert tick() == len(twins.troubled) - len(swept)
    wait_for(lambda: not claimed() and is_quiet(broker), worker)
    assert twins.are_equal()


def test_an_hour_without_beat_and_a_broker_that_forgot_make_no_difference(
    twins, broker, start_worker
):
    worker = start_worker()
    wait_for(lambda: " ready." in worker.log.read_text(), worker)
    twins.live_through("Flushed")
    assert not twins.are_equal()
    # The worker is connected, and so is this process, when all messages and keys are gone, but for
    # a message that may be on its way to the worker already.
    worker.send(signal.SIGSTOP)
    assert tick() == len(twins.troubled)
    broker.flushdb()
    worker.send(signal.SIGCONT)
    let_claims_end()
    celery_app.send_task("campaigns.tick")
    wait_for(lambda: twins.are_equal(), worker)
    wait_for(lambda: not claimed() and is_quiet(broker), worker)
    assert twins.are_equal()


@contextmanager
def brands_locked(environment: dict[str, str], agency: Agency) -> Iterator[Callable[[], bool]]:
    """Let nobody read the agency's brands; yield a function that tells whether somebody waits."""
    url = environment["DATABASE_URL"]
    with psycopg.connect(url) as locks, psycopg.connect(url, autocommit=True) as watcher:
        locks.execute(f'LOCK TABLE "{agency.schema_name}".budgets_brand')

        def is_awaited() -> bool:
            return watcher.execute(SOMEBODY_WAITS).fetchone() == (True,)

        yield is_awaited
        locks.rollback()


def test_a_worker_that_sleeps_past_its_messages_visibility_makes_no_difference(
    twins, broker, environment, start_worker
):
    twins.live_through("Asleep")
    assert not twins.are_equal()
    (agency, *_) = twins.troubled
    settings = "tests.campaigns.short_visibility"
    # One message is enough to fall asleep over.
    celery_app.send_task("campaigns.sweep_agencies", args=[[agency.pk]])
    with brands_locked(environment, agency) as is_awaited:
        sleeper = start_worker("sleeper", settings)
        wait_for(is_awaited, sleeper)
        sleeper.send(signal.SIGSTOP)
    time.sleep(VISIBILITY_SECONDS + 0.5)
    other = start_worker("other", settings)
    # More than once where it takes longer than the message's visibility.
    wait_for(lambda: other.swept() >= 1, other)
    assert twins.are_equal([agency])
    # It wakes, believes itself alone, and does again what has been done.
    sleeper.send(signal.SIGCONT)
    wait_for(lambda: sleeper.swept() >= 1, sleeper)
    assert twins.are_equal([agency])
