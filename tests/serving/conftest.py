"""One run of the product for all attacks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .world import World
from .world import world as run_world


@pytest.fixture(scope="session")
def attacked() -> Iterator[World]:
    """Acme, which attacks, and Zeta, on the processes of `./run`."""
    # Root's own temporary folder may be closed to the account of PostgreSQL.
    with tempfile.TemporaryDirectory(prefix="paceline-serving-", dir="/tmp") as folder:
        home = Path(folder)
        home.chmod(0o711)
        with run_world(home) as found:
            yield found
