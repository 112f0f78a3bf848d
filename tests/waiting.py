"""Waiting in tests: for another thread, and for somebody who waits for a lock."""

import time
from collections.abc import Callable

# No test is about how long this is. It only ends a test that hangs, on the slowest of machines.
PATIENCE_SECONDS = 240.0

# In the database of this test: its neighbours have databases of their own.
SOMEBODY_WAITS = """
    SELECT EXISTS (
        SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE NOT l.granted AND a.datname = current_database()
    )
"""


def wait_until(
    happens: Callable[[], object], *, told: Callable[[], object] = lambda: "It did not happen."
) -> None:
    """Return when `happens()` is true; else fail, with what is told then."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happens():
        assert time.monotonic() < deadline, told()
        time.sleep(0.02)
