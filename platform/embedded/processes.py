"""Programs that we start, watch and stop, and that never outlive us."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from embedded.account import Account

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.02
OUTPUT_BYTES_MAX = 8_192

_libc = ctypes.CDLL(None)


class Process:
    """A program in a process group of its own, which ends when the one that started it ends.

    Start it from the main thread: Linux sends the parent's death signal when the *thread* ends.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        patience_seconds: float = 10,
        inherits: Sequence[int] = (),
        shows_output: bool = False,
    ) -> None:
        """Describe a program; `start` runs it.

        `folder` is where it works, `log` where its output goes (its standard output to ours when
        `shows_output`), `inherits` the file descriptors that it keeps open. `stop` sends
        `stop_signal`, and kills it `patience_seconds` later.
        """
        self.name = name
        self.log = log
        self._argv = [os.fspath(word) for word in argv]
        self._stop_signal = stop_signal
        self._patience_seconds = patience_seconds
        self._shows_output = shows_output
        self._options: dict[str, Any] = {
            "cwd": folder,
            "env": environment,
            "pass_fds": tuple(inherits),
            **identity(account),
        }
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0  # In bytes; what is before it was written by earlier runs.

    def start(self) -> None:
        """Run the program. Raises OSError when it can't be run or its log can't be opened."""
        assert self._popen is None or self.exit_code() is not None  # One at a time.
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._popen = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=None if self._shows_output else log,
                stderr=log,
                process_group=0,
                preexec_fn=dies_with_us(self._stop_signal),
                **self._options,
            )

    def exit_code(self) -> int | None:
        """Return the exit code, minus the signal's number if a signal ended it, None if it runs."""
        return self._popen.poll() if self._popen else None

    def output(self) -> str:
        """Return the end of what it has written into its log since its start."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(self._log_start, self.log.stat().st_size - OUTPUT_BYTES_MAX))
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def stop(self, *, is_hurried: Callable[[], bool] = lambda: False) -> None:
        """End the program and all of its group; kill them at once when `is_hurried` says so."""
        if self._popen is None:
            return
        if self.exit_code() is None:
            self._popen.send_signal(self._stop_signal)
        deadline = time.monotonic() + self._patience_seconds
        while self.exit_code() is None and time.monotonic() < deadline and not is_hurried():
            time.sleep(POLL_SECONDS)
        self.kill_group()

    def kill_group(self) -> None:
        """Kill what is left of the group, such as the workers of a pool that was killed."""
        if self._popen is None:
            return
        # EPERM is what some systems say of a group whose last member has just ended.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()


def run_to_end(argv: Sequence[str | Path], *, folder: Path, account: Account | None) -> str | None:
    """Run a short program; return None if it went well, else all that it wrote."""
    done = subprocess.run(
        [os.fspath(word) for word in argv],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
        preexec_fn=dies_with_us(signal.SIGKILL),
        check=False,
        **identity(account),
    )
    return None if done.returncode == 0 else done.stdout.decode(errors="replace")


def identity(account: Account | None) -> dict[str, Any]:
    """Return subprocess' arguments that run a program as `account`."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def dies_with_us(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Return what a new process does first so that our death sends it `death_signal`."""
    if sys.platform != "linux":
        return None
    starter = os.getpid()

    def ask_kernel() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
        # We may have died before the kernel was asked.
        if os.getppid() != starter:
            os._exit(1)

    return ask_kernel


def ending(exit_code: int) -> str:
    """Return how a process ended, in words: its exit code, or the signal that ended it."""
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return f"signal {-exit_code} ({signal.Signals(-exit_code).name})"
    except ValueError:
        return f"signal {-exit_code}"
