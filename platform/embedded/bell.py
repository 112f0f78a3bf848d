"""One place to wait: for a signal, for the end of a child, for the end of who started us."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from types import FrameType

from embedded.errors import StopRequestedError

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# A signal to all of our processes reaches us twice; a person who presses Ctrl-C again is slower.
SECOND_REQUEST_SECONDS = 1.0


class Bell:
    """Rings when we are asked to stop, when a child ends, and when our guard has gone."""

    def __init__(self, *, lifeline: int) -> None:
        """Listen from now on; `lifeline` is a pipe whose end says that our guard has gone.

        Our signals may have been blocked until now, so that none was lost.
        """
        self._lifeline = lifeline
        self._asked_at: float | None = None
        self._is_hurried = False
        self._reading, writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        # Only a signal with a handler wakes us.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in STOP_SIGNALS:
            signal.signal(number, self._ask_to_stop)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {*STOP_SIGNALS, signal.SIGCHLD})

    def pause(self, seconds: float) -> None:
        """Return after `seconds`, or earlier if a child ended.

        Raises StopRequestedError as soon as somebody asks us to stop or our guard has gone.
        """
        self._raise_if_asked()
        ready, _, _ = select.select([self._reading, self._lifeline], [], [], seconds)
        if self._reading in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._reading, 4096)
        self._raise_if_asked()

    def is_hurried(self) -> bool:
        """Return whether a stop can't wait: asked for twice, or nobody is left to wait for it."""
        return self._is_hurried or self._guard_has_gone()

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
        elif now - self._asked_at >= SECOND_REQUEST_SECONDS:
            self._is_hurried = True

    def _raise_if_asked(self) -> None:
        if self._asked_at is not None or self._guard_has_gone():
            raise StopRequestedError

    def _guard_has_gone(self) -> bool:
        return bool(select.select([self._lifeline], [], [], 0)[0])
