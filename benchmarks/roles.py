"""What it costs to change context where the log-in may take 10, 1,000 and 10,000 agencies' roles.

Each new role makes PostgreSQL forget which ones a log-in may take: told apart are a switch as it
mostly is, and the first one after an agency was made.
"""

import statistics
import time
from itertools import cycle
from random import Random

from benchmarks.bench import ready_platform

COUNTS = (10, 1_000, 10_000)
SWITCHES = 2_000
AFTERWARDS = 30


def main() -> None:
    with ready_platform():
        first: tuple[float, float] | None = None
        for count in COUNTS:
            usual, forgotten = measured(count)
            first = first or (usual, forgotten)
            print(
                f"{count} roles: a switch {usual * 1e6:.0f} µs (ratio {usual / first[0]:.2f}),"
                f" after a new role {forgotten * 1e6:.0f} µs (ratio {forgotten / first[1]:.2f})"
            )


def measured(count: int) -> tuple[float, float]:
    """Return the median seconds of a switch, and of one after a role was made."""
    from django.db import connection

    from tenants.contexts import owner_context

    with owner_context(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT session_user, count(*) FROM pg_roles WHERE rolname ~ '^bench_[0-9]+$'"
        )
        log_in, there = cursor.fetchone()
        for number in range(there, count):
            make_role(cursor, number, log_in)
    roles = [f"bench_{number}" for number in range(count)]
    Random(1).shuffle(roles)
    some = cycle(roles[:500])
    usual = statistics.median(switch(next(some)) for _ in range(SWITCHES))
    forgotten = []
    for number in range(AFTERWARDS):
        with owner_context(), connection.cursor() as cursor:
            make_role(cursor, f"{count}_{number}_later", log_in)
        forgotten.append(switch(next(some)))
    connection.set_schema_to_public()  # type: ignore[attr-defined]
    return usual, statistics.median(forgotten)


def make_role(cursor: object, name: object, log_in: str) -> None:
    cursor.execute(  # type: ignore[attr-defined]
        f"CREATE ROLE bench_{name} NOLOGIN; GRANT bench_{name} TO {log_in}"
    )


def switch(role: str) -> float:
    """Enter and leave a context whose role this is; return how long entering took, in seconds."""
    from django.db import connection

    raw = connection.connection
    start = time.perf_counter()
    raw.execute(
        "SELECT set_config('role', %s, false), set_config('search_path', %s, false)", [role, role]
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
