"""One run at a time in one home, and nothing left over from the last one.

Two files are locked. `lock` is held by the run's guard alone: who can't have it meets a run that
is on. `alive` is held by every process of the run, which inherit it from their parents: who has
it knows that no process of an earlier run exists any more, however that run ended. The kernel
lets go of both with the last process, so neither can be stale.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from pathlib import Path

from embedded.console import say
from embedded.errors import StartError

LEFTOVERS_SECONDS_MAX = 5.0
ORPHANS_SECONDS_MAX = 3.0
KILLED_SECONDS_MAX = 5.0
POLL_SECONDS = 0.05


class RunLock:
    """The two locks of a run."""

    def __init__(self, home: Path) -> None:
        """Prepare the locks of `home`; `take` takes them."""
        self._path = home / "lock"
        self._alive_path = home / "alive"
        self._lock = -1
        self.alive = -1

    def take(self) -> None:
        """Become the one run of this home, waiting for what is left of an earlier one.

        Raises StartError when a run is on, or when leftovers can't be ended.
        """
        self._lock = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _has_locked(self._lock):
            pid = os.read(self._lock, 32).decode().strip()
            raise StartError(
                f"Paceline already runs from {self._path.parent} (process {pid}):"
                " use that one, or stop it first."
            )
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)
        self.alive = os.open(self._alive_path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _has_locked(self.alive):
            say("Waiting for the processes of the last run to end.")
            self._outlive_leftovers()

    def leave_to_guard(self) -> None:
        """Let go of `lock` in the process that the guard has started, and keep `alive`."""
        os.close(self._lock)

    def end_others(self) -> None:
        """End every other process of this run, whose supervisor can't do that any more.

        The kernel has asked them to end when the supervisor did, and servers do well to; who is
        still there after ORPHANS_SECONDS_MAX is killed.
        """
        deadline = time.monotonic() + ORPHANS_SECONDS_MAX
        while holders(self._alive_path) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        self._kill_others()

    def _kill_others(self) -> None:
        for pid in holders(self._alive_path):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def _outlive_leftovers(self) -> None:
        if _has_locked_within(self.alive, LEFTOVERS_SECONDS_MAX):
            return
        self._kill_others()
        if not _has_locked_within(self.alive, KILLED_SECONDS_MAX):
            raise StartError(
                f"Processes of an earlier run still hold {self._alive_path}: end them first."
            )


def holders(path: Path) -> list[int]:
    """Return the other processes that have the file at `path` open, as far as the system tells."""
    pids = (int(folder.name) for folder in Path("/proc").glob("[0-9]*"))
    return [pid for pid in pids if pid != os.getpid() and _has_open(pid, path)]


def _has_open(pid: int, path: Path) -> bool:
    # Processes come and go while we look, and some are not ours to look at.
    with contextlib.suppress(OSError):
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/fd/{descriptor}") == str(path):
                    return True
    return False


def _has_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _has_locked_within(descriptor: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _has_locked(descriptor):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
