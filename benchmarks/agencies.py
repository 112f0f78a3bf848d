"""What a minute costs with 50, 200 and 1,000 agencies of 10 brands and 100 campaigns each.

.venv/bin/python -m benchmarks.agencies [COUNT ...]

The broker and PostgreSQL are real; the sweeps run in this process, as they would in one worker
process. An agency's rows are copied from the first one's, which `demo.seeding` made.
"""

import gc
import re
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.bench import ready_platform, seconds, tidy_agencies
from benchmarks.creation import took
from benchmarks.full_pass import recorded

COUNTS = (50, 200, 1000)
BRANDS, CAMPAIGNS_PER_BRAND = 10, 10


class Row(NamedTuple):
    """One line of the table; times in milliseconds, sizes in megabytes."""

    agencies: int
    created_ms: float
    disk_mb: float
    idle_statements: int
    idle_ms: float
    due_ms: float
    hour_per_second: float
    hour_changed: int
    backstop_percent: float
    worker_mb: float
    backend_mb: float

    def __str__(self) -> str:
        return (
            f"{self.agencies} agencies: created {self.created_ms:.0f} ms each, on disk"
            f" {self.disk_mb:.2f} MB each\n"
            f"  tick with nothing due: {self.idle_statements} statements, {self.idle_ms:.2f} ms;"
            f" with 1 % due, swept: {self.due_ms:.1f} ms\n"
            f"  on the hour, all due: {self.hour_per_second:.1f} agencies a second and worker"
            f" process ({self.hour_changed} campaigns changed)\n"
            f"  the backstop takes {self.backstop_percent:.1f} % of a minute of one process\n"
            f"  memory after visiting all: worker {self.worker_mb:.0f} MB,"
            f" backend {self.backend_mb:.0f} MB"
        )


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or COUNTS
    with ready_platform():
        # As a worker does, see config/celery.py.
        gc.freeze()
        print(f"this process before it visited any: {resident_mb():.0f} MB")
        rows = []
        for count in counts:
            rows.append(measured(count))
            print(rows[-1], flush=True)
        print_ratios(rows[0], rows[-1])


def print_ratios(first: Row, last: Row) -> None:
    """Tell how the figures grew beside the number of agencies."""
    print(f"{last.agencies / first.agencies:.0f} times as many agencies:")
    for name in ("created_ms", "disk_mb", "idle_ms", "due_ms", "backstop_percent"):
        print(f"  {name} {getattr(last, name) / getattr(first, name):.2f} times as much")
    print(f"  an agency on the hour {first.hour_per_second / last.hour_per_second:.2f} times")


def measured(count: int) -> Row:
    """Make agencies up to `count`, and measure what they cost."""
    from kernel import clock
    from tenants.models import Agency

    before_mb, had = database_mb(), Agency.objects.count()
    created_ms = fill(count)
    disk_mb = (database_mb() - before_mb) / (count - had)
    now = clock.read()
    with at(now):
        due_in(count, now=now, share=0)
        statements = len(recorded(ticked))
        idle_ms = seconds(ticked, rounds=30) * 1000
        due_ms = timed_minute(count, now=now, share=0.01)[0] * 1000
        full_seconds = timed_minute(count, now=now, share=1, is_full=True)[0]
    hour = busiest_hour(after=now)
    with at(hour):
        hour_seconds, changed = timed_minute(count, now=hour, share=1)
    return Row(
        agencies=count,
        created_ms=created_ms,
        disk_mb=disk_mb,
        idle_statements=statements,
        idle_ms=idle_ms,
        due_ms=due_ms,
        hour_per_second=count / hour_seconds,
        hour_changed=changed,
        # Every agency once in five minutes.
        backstop_percent=full_seconds / 5 / 60 * 100,
        worker_mb=resident_mb(),
        backend_mb=visiting_backend_mb(),
    )


def fill(count: int) -> float:
    """Make agencies with their rows up to `count`; return the median milliseconds to make one."""
    from django.db import connection

    from demo.seeding import SeedPlan, seed_agency
    from kernel import clock
    from kernel.actor import SYSTEM
    from tenants.contexts import owner_context, tenant_context
    from tenants.models import Agency
    from tenants.services import create_agency

    times = []
    first = Agency.objects.order_by("id").first()
    for number in range(Agency.objects.count(), count):
        start = time.perf_counter()
        agency = create_agency(name=f"A{number}", slug=f"a{number}")
        times.append(time.perf_counter() - start)
        if first is None:
            first = agency
            plan = SeedPlan(brands=BRANDS, campaigns_per_brand=CAMPAIGNS_PER_BRAND, days=7)
            with tenant_context(agency):
                seed_agency(plan=plan, now=clock.read(), by=SYSTEM)
        else:
            copy_rows(first, agency)
        if number % 50 == 0:
            connection.close()
    with owner_context(), connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("ANALYZE")
    connection.close()
    return sorted(times)[len(times) // 2] * 1000


def copy_rows(source: Any, target: Any) -> None:
    """Copy what the first agency owns into another one's tables; the trail writes itself."""
    from django.db import connection, transaction

    from tenants.contexts import owner_context

    with owner_context(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(
            "SELECT c.relname, pg_get_serial_sequence(format('%%I.%%I', nspname, c.relname), 'id')"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE nspname = %s AND c.relkind = 'r' AND c.relname !~ '^(django|trail)_'"
            " AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'id')",
            [target.schema_name],
        )
        tables = cursor.fetchall()
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE nspname = %s AND c.relkind = 'r' AND c.relname !~ '^(django|trail)_'",
            [target.schema_name],
        )
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'INSERT INTO "{target.schema_name}".{table}'
                f' SELECT * FROM "{source.schema_name}".{table}'
            )
        for table, sequence in tables:
            if sequence is not None:
                cursor.execute(
                    f'SELECT setval(%s, (SELECT max(id) + 1 FROM "{target.schema_name}".{table}))',
                    [sequence],
                )


def due_in(count: int, *, now: datetime, share: float, is_full: bool = False) -> None:
    """Make this share of the agencies due at `now`, and the others not for a day."""
    from tenants.models import Agency

    later = now + timedelta(days=1)
    Agency.objects.update(full_sweep_at=later, next_check_at=later, claimed_until=None)
    ids = list(Agency.objects.order_by("id").values_list("id", flat=True))
    due = ids[: max(1, round(count * share))] if share else []
    column = "full_sweep_at" if is_full else "next_check_at"
    Agency.objects.filter(pk__in=due).update(**{column: now})
    tidy_agencies()


def ticked() -> list[tuple[list[int], list[int]]]:
    """Run one tick, messages to the broker included; return the messages' arguments."""
    from campaigns import tasks

    sent: list[tuple[list[int], list[int]]] = []
    send = tasks.sweep_agencies.apply_async

    def note(*, args: Any, **options: Any) -> Any:
        sent.append(args)
        return send(args=args, **options)

    tasks.sweep_agencies.apply_async = note
    try:
        tasks.tick()
    finally:
        tasks.sweep_agencies.apply_async = send
    return sent


def timed_minute(
    count: int, *, now: datetime, share: float, is_full: bool = False
) -> tuple[float, int]:
    """Return the seconds of a tick and its sweeps, one after the other, and what they changed."""
    from django.db import connection

    from campaigns import tasks

    due_in(count, now=now, share=share, is_full=is_full)
    # Else the backend knows the tables of the last ones that were made, which are most of the few.
    connection.close()
    changed = []

    def minute() -> None:
        for args in ticked():
            changed.append(tasks.sweep_agencies(*args))

    return took(minute), sum(changed)


def busiest_hour(*, after: datetime) -> datetime:
    """Return the next instant at which time changes something for the most brands.

    The agencies have the same brands: those of the first one tell.
    """
    from django.db.models import Count

    from budgets.models import Brand
    from tenants.contexts import tenant_context
    from tenants.models import Agency

    first = Agency.objects.order_by("id").first()
    with tenant_context(first):
        found = (
            Brand.objects.filter(next_check_at__gt=after)
            .values("next_check_at")
            .annotate(brands=Count("id"))
            .order_by("-brands", "next_check_at")
            .first()
        )
    assert found is not None, "time changes nothing for any brand"
    instant = found["next_check_at"]
    assert instant is not None
    return instant


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Let the platform's clock stand still."""
    from kernel import clock

    read = clock.read
    vars(clock)["read"] = lambda: instant
    try:
        yield
    finally:
        vars(clock)["read"] = read


def database_mb() -> float:
    """Return what the database takes on disk."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return float(cursor.fetchone()[0]) / 1e6


def resident_mb() -> float:
    """Return the most that this process has held in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def visiting_backend_mb() -> float:
    """Return what a backend keeps in memory that has swept every agency, and nothing else."""
    from django.db import connection

    from campaigns import sweep
    from kernel import clock
    from tenants.contexts import platform_context, tenant_context
    from tenants.queries import agencies_to_serve

    connection.close()
    with platform_context():
        agencies = agencies_to_serve()
    for agency in agencies:
        with tenant_context(agency):
            sweep.enforce(sweep.all_brands(), now=clock.read())
    with platform_context(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    status = Path(f"/proc/{pid}/status").read_text()
    connection.close()
    # Its own, without what all backends share. In kB.
    (own,) = re.findall(r"^RssAnon:\s+(\d+)", status, re.MULTILINE)
    return int(own) / 1000


if __name__ == "__main__":
    main()
