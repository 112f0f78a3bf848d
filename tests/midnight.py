"""A pytest plugin that ends the month in the middle of each test: `pytest -p tests.midnight`.

The platform reads its clock in one place. Here the first reads of a test are half a second before
midnight of the month's last day (UTC), all later ones after it. `MIDNIGHT_AFTER=3` moves it behind
the third read. What then fails counts on no day's end coming meanwhile; a test that stops the clock
itself notices nothing.
"""

import itertools
import os
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from kernel import clock

READS_BEFORE = int(os.environ.get("MIDNIGHT_AFTER", "1"))


def next_month() -> datetime:
    """Return the first instant of the next month."""
    this = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (this + timedelta(days=32)).replace(day=1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item):
    midnight, reads = next_month(), itertools.count()

    def read() -> datetime:
        if time_machine.escape_hatch.is_travelling():
            return datetime.now(UTC)
        number = next(reads)
        if number < READS_BEFORE:
            return midnight - timedelta(milliseconds=500 - number)
        return midnight + timedelta(milliseconds=number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "read", read)
        return (yield)
