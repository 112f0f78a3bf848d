"""What every benchmark needs: servers of its own, the machine's figures, and honest medians."""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.servers import servers


@contextmanager
def ready_platform(settings_module: str = "config.settings") -> Iterator[None]:
    """Start servers that nobody else uses, migrate, and stand on the platform's schema.

    With `--durable` on the command line each commit waits for the disk, as it does under `./run`;
    without it, what is measured is the work alone.
    """
    with servers(is_durable="--durable" in sys.argv) as variables:
        os.environ.update(variables)
        os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
        os.environ.setdefault("LOG_LEVEL", "WARNING")
        # What is measured asks more often than anybody may.
        os.environ |= {"RATE_LIMIT_PER_KEY": "0", "RATE_LIMIT_PER_AGENCY": "0"}
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        connection.set_schema_to_public()  # type: ignore[attr-defined]
        call_command("migrate", verbosity=0)
        print_machine()
        yield


def print_machine() -> None:
    """Print what the figures were measured on; only ratios travel to another machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync')")
        version, fsync = cursor.fetchone()
    print(
        f"machine: {os.cpu_count()} cores, {platform.machine()},"
        f" Python {platform.python_version()}, PostgreSQL {version} (fsync {fsync})"
    )


def seconds(call: Callable[[], object], *, rounds: int = 7) -> float:
    """Return the median wall time of `call`, after one round that is not counted."""
    call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def tidy_agencies() -> None:
    """Do at once what autovacuum does some minutes after so many rows were written."""
    from django.db import connection

    from tenants.contexts import owner_context

    with owner_context(), connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) tenants_agency, tenants_agencyrun")
