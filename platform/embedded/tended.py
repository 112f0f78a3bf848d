"""A program that is started again whenever it ends."""

from __future__ import annotations

import time

from embedded.console import say
from embedded.errors import disk_is_full
from embedded.processes import Process, ending

FIRST_PAUSE_SECONDS = 0.25
PAUSE_SECONDS_MAX = 30.0
# Who has lived so long has not died "again", but anew.
STEADY_SECONDS = 60.0


class Tended:
    """A running process and the memory of its deaths."""

    def __init__(self, process: Process) -> None:
        """Tend a process that has been started."""
        self.process = process
        self._started_at = time.monotonic()
        self._deaths_in_a_row = 0
        self._due_at: float | None = None  # None while it runs.

    def tend(self) -> None:
        """Name a death, and start the process again when its pause is over."""
        now = time.monotonic()
        exit_code = self.process.exit_code()
        if self._due_at is None and exit_code is not None:
            # Nothing of the former may work beside the next, such as the rest of its pool.
            self.process.kill_group()
            self._schedule(f"ended with {ending(exit_code)}", now=now)
        if self._due_at is not None and now >= self._due_at:
            self._start_again(now=now)

    def seconds_until_due(self) -> float | None:
        """Return when `tend` has something to do by time alone, None if it has not."""
        return None if self._due_at is None else max(0.0, self._due_at - time.monotonic())

    def _start_again(self, *, now: float) -> None:
        try:
            self.process.start()
        except OSError as error:
            self._schedule(f"could not be started ({error.strerror})", now=now)
        else:
            self._started_at, self._due_at = now, None

    def _schedule(self, what: str, *, now: float) -> None:
        if now - self._started_at > STEADY_SECONDS:
            self._deaths_in_a_row = 0
        pause = min(PAUSE_SECONDS_MAX, FIRST_PAUSE_SECONDS * 2**self._deaths_in_a_row)
        self._deaths_in_a_row += 1
        self._due_at = now + pause
        log = self.process.log
        hint = "; no space is left on its disk" if disk_is_full(log.parent) else ""
        say(f"{self.process.name} {what}, starts again in {pause:g} s (see {log}{hint}).")
