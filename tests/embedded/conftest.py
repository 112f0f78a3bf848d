"""A folder that stands for a checkout, and a run of the supervisor in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded.ports import free_port
from embedded.processes import dies_with_us

SECONDS_MAX = 240.0  # It only ends a test that hangs.
OURS = ("PACELINE_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "EMAIL_URL", "LOG_LEVEL", "DEBUG")


def eventually(happens: Callable[[], object], *, seconds: float = SECONDS_MAX) -> None:
    """Return when `happens()` is true; fail when it takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "It did not happen."
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """Return the processes that `pid` has started, and those that they have started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            child = int(stat.parent.name)
            found += [child, *children(child)]
    return found


class Run:
    """`python -m tests.embedded.stub` in a checkout."""

    def __init__(self, checkout: Path, **variables: str) -> None:
        """Start it; `variables` are added to an environment without any of our settings."""
        self.checkout = checkout
        self.output_path = Path(tempfile.mkstemp(dir=checkout, prefix="output-")[1])
        environment = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        with self.output_path.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.embedded.stub"],
                cwd=checkout,
                env=environment | variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=dies_with_us(signal.SIGTERM),
            )

    @property
    def lines(self) -> list[str]:
        """What it has printed."""
        return self.output_path.read_text().splitlines()

    def until_ready(self) -> Run:
        """Return when everything is started."""
        eventually(
            lambda: self.process.poll() is not None or "Ready" in self.output_path.read_text()
        )
        assert self.process.poll() is None, self.lines
        return self

    def end(self, number: int) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS_MAX)


@pytest.fixture
def checkout() -> Iterator[Path]:
    """An empty folder that every account can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="paceline-checkout-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def port() -> int:
    """A port for the web server."""
    return free_port()


@pytest.fixture
def start(checkout: Path, port: int) -> Iterator[Callable[..., Run]]:
    """Return a function that starts a run in the checkout."""
    runs: list[Run] = []

    def start_run(**variables: str) -> Run:
        runs.append(Run(checkout, **{"PACELINE_PORT": str(port)} | variables))
        return runs[-1]

    yield start_run
    for run in runs:
        if run.process.poll() is None:
            run.end(signal.SIGTERM)
