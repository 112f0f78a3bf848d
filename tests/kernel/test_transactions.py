"""A deadlock or a serialization failure runs the outermost transaction again; nothing else does."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from psycopg import errors as postgres

from budgets.models import Brand
from kernel import transactions
from kernel.counters import Count
from kernel.errors import Busy, Conflict
from kernel.transactions import ATTEMPTS_MAX, atomic
from tenants.contexts import platform_context
from tests.conftest import make_brand
from tests.waiting import PATIENCE_SECONDS, SOMEBODY_WAITS, wait_until


@pytest.fixture
def connected(django_db_setup, django_db_blocker, monkeypatch) -> Iterator[None]:
    """A connection whose transactions are the test's own."""
    monkeypatch.setattr(transactions, "_FIRST_WAIT_SECONDS", 0)
    with django_db_blocker.unblock(), platform_context():
        yield


class Work:
    """Fails as often as told, each time with the same error, and returns how often it ran."""

    def __init__(self, failures: int, error: type[Exception]) -> None:
        self.failures, self.error, self.runs = failures, error, 0

    def __call__(self) -> int:
        self.runs += 1
        if self.runs > self.failures:
            return self.runs
        if issubclass(self.error, psycopg.Error):
            raise OperationalError("failed") from self.error("failed")
        raise self.error("failed")


PASSING = [
    (postgres.DeadlockDetected, Count.RETRIED_DEADLOCK),
    (postgres.SerializationFailure, Count.RETRIED_SERIALIZATION),
]
TIMED_OUT = [
    (postgres.LockNotAvailable, Count.LOCK_TIMEOUT),
    (postgres.QueryCanceled, Count.STATEMENT_TIMEOUT),
]


@pytest.mark.parametrize(("error", "count"), PASSING)
def test_what_passes_is_run_again_and_counted(connected, counted, error, count):
    work = Work(ATTEMPTS_MAX - 1, error)
    assert atomic(work)() == ATTEMPTS_MAX
    assert counted() == {count: ATTEMPTS_MAX - 1}


@pytest.mark.parametrize(("error", "count"), PASSING)
def test_what_does_not_pass_is_busy_after_the_last_attempt(connected, counted, error, count):
    work = Work(ATTEMPTS_MAX, error)
    with pytest.raises(Busy) as refusal:
        atomic(work)()
    assert work.runs == ATTEMPTS_MAX
    assert isinstance(refusal.value.__cause__, OperationalError)
    assert counted() == {count: ATTEMPTS_MAX - 1}


@pytest.mark.parametrize(("error", "count"), TIMED_OUT)
def test_what_did_not_come_in_time_is_busy_at_once(connected, counted, error, count):
    work = Work(1, error)
    with pytest.raises(Busy):
        atomic(work)()
    assert work.runs == 1
    assert counted() == {count: 1}


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (postgres.StatementTooComplex, OperationalError),
        (Conflict, Conflict),
        (postgres.DiskFull, Busy),
    ],
)
def test_anything_else_is_raised_as_it_is(connected, counted, error, raised):
    work = Work(1, error)
    with pytest.raises(raised):
        atomic(work)()
    assert work.runs == 1
    assert counted() == {}


@pytest.mark.parametrize("error", [postgres.DeadlockDetected, postgres.LockNotAvailable])
def test_inside_another_transaction_it_is_djangos(connected, counted, error):
    work = Work(1, error)
    with pytest.raises(OperationalError), transaction.atomic():
        atomic(work)()
    assert work.runs == 1
    assert counted() == {}


def test_a_nested_use_is_run_again_with_the_whole(connected, counted):
    inner = Work(1, postgres.DeadlockDetected)
    outer_runs = []

    @atomic
    def outer():
        outer_runs.append(1)
        return atomic(inner)()

    assert outer() == 2
    assert len(outer_runs) == 2
    assert counted() == {Count.RETRIED_DEADLOCK: 1}


def test_a_hook_runs_once_for_the_attempt_that_was_committed(connected):
    work, heard = Work(2, postgres.DeadlockDetected), []

    @atomic
    def do():
        transaction.on_commit(lambda: heard.append(work.runs))
        return work()

    do()
    assert heard == [3]


def test_what_is_committed_is_not_run_again_when_a_hook_fails(connected, counted):
    work = Work(0, Conflict)

    @atomic
    def do():
        transaction.on_commit(Work(1, postgres.DeadlockDetected))
        return work()

    with pytest.raises(OperationalError):
        do()
    assert work.runs == 1
    assert counted() == {}


def wait_for_a_lock(other: psycopg.Connection) -> None:
    """Return when some connection of this database waits for a lock."""
    wait_until(lambda: other.execute(SOMEBODY_WAITS).fetchone() == (True,))


def test_a_real_deadlock_is_survived_and_counted(own_agency, counted):
    one, two = make_brand("One"), make_brand("Two")
    first_is_locked, other_has_locked = threading.Event(), threading.Event()
    runs = []

    def somebody_else():
        """Lock in the other order, and wait for our lock only once we wait for this one."""
        lock = f'SELECT 1 FROM "{own_agency.schema_name}".budgets_brand WHERE id = %s FOR UPDATE'
        with psycopg.connect(**connection.get_connection_params()) as other:
            other.execute(lock, [two.id])
            other_has_locked.set()
            assert first_is_locked.wait(PATIENCE_SECONDS)
            wait_for_a_lock(other)
            other.execute(lock, [one.id])

    @atomic
    def rename_both():
        runs.append(1)
        for brand in (one, two):
            Brand.objects.filter(id=brand.id).update(name=f"{brand.name} again")
            first_is_locked.set()
            assert other_has_locked.wait(PATIENCE_SECONDS)

    thread = threading.Thread(target=somebody_else)
    thread.start()
    assert other_has_locked.wait(PATIENCE_SECONDS)
    rename_both()
    thread.join()
    assert len(runs) == 2
    assert counted() == {Count.RETRIED_DEADLOCK: 1}
    names = Brand.objects.order_by("name").values_list("name", flat=True)
    assert list(names) == ["One again", "Two again"]


def test_a_real_serialization_failure_is_survived_and_counted(own_agency, counted):
    brand = make_brand("One")
    runs = []

    @atomic
    def rename():
        runs.append(1)
        assert Brand.objects.filter(id=brand.id).exists()
        if len(runs) == 1:
            table = f'"{own_agency.schema_name}".budgets_brand'
            with psycopg.connect(**connection.get_connection_params()) as other:
                other.execute(f"UPDATE {table} SET name = 'Theirs'")
        Brand.objects.filter(id=brand.id).update(name="Ours")

    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_isolation = 'repeatable read'")
    try:
        rename()
    finally:
        connection.close()
    assert len(runs) == 2
    assert counted() == {Count.RETRIED_SERIALIZATION: 1}
    assert Brand.objects.get(id=brand.id).name == "Ours"
