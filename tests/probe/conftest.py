"""Monday noon, stopped."""

from collections.abc import Iterator

import pytest
import time_machine

from config import health
from kernel import clock
from tests.conftest import NOON


@pytest.fixture(autouse=True)
def noon(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(clock, "read", lambda: NOON)
    # No worker runs here, and each request would wait for one.
    monkeypatch.setattr(health, "_celery", lambda: health.Check("ok"))
    with time_machine.travel(NOON, tick=False):
        yield
