"""Threads that run requests, shared fairly between the hosts that are asked.

A host is an agency. However many requests an agency has, at most its share of the threads runs
them; the others wait in the agency's own line, and the lines take turns. A line whose requests all
stand still (they wait for one lock) is refused at once instead of growing.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Protocol

logger = logging.getLogger("serving.dispatcher")

# How many requests of one host may wait for its share of the threads.
LINE_LENGTH_MAX = 64
# A host whose whole share has started and finished nothing for so long stands still.
STALL_SECONDS = 2.0
# How long any request waits for a thread.
WAIT_SECONDS_MAX = 10.0


class Task(Protocol):
    """A request that is complete: what the dispatcher needs to know of it, and may do with it."""

    @property
    def host(self) -> str:
        """The host that is asked, without its port, in lower case."""

    def service(self) -> None:
        """Run the request and queue its answer."""

    def refuse(self) -> None:
        """Answer that there is no room just now."""

    def cancel(self) -> None:
        """Drop the connection unanswered."""


class _Line:
    """The requests of one host: those that wait, since when, and how many run."""

    def __init__(self, now: float) -> None:
        self.waiting: deque[tuple[Task, float]] = deque()
        self.running = 0
        self.moved_at = now

    @property
    def is_empty(self) -> bool:
        return not self.waiting and not self.running


class FairDispatcher:
    """Runs tasks in threads; no host has more than its share of them.

    Stands for waitress' `ThreadedTaskDispatcher`. Refusals are answered by a thread of their own,
    so that they need no room where there is none.
    """

    def __init__(
        self, *, threads: int, share: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start `threads` threads, of which one host gets at most `share`."""
        self.share = share
        self.served = 0
        self._clock = clock
        self._lines: dict[str, _Line] = {}
        self._refused: deque[Task] = deque()
        self._crowded: frozenset[str] = frozenset()
        self._is_open = True
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._refusals = threading.Condition(self._lock)
        self._threads = [
            threading.Thread(target=self._run, name=f"request-{number}", daemon=True)
            for number in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._refuse, name="refusals", daemon=True))
        for thread in self._threads:
            thread.start()

    def add_task(self, task: Task) -> None:
        """Put a task into its host's line, or refuse it where that line stands still."""
        now = self._clock()
        with self._lock:
            line = self._lines.setdefault(task.host, _Line(now))
            is_full = len(line.waiting) >= LINE_LENGTH_MAX
            if is_full or task.host in self._crowded or self._stands_still(line, now):
                self._turn_away(task)
            else:
                line.waiting.append((task, now))
                self._work.notify()

    def tend(self, *, crowded: Collection[str] = ()) -> None:
        """Refuse who waits in vain. Call it about once a second.

        `crowded` are hosts whose answers pile up unread: they get no new ones until the next call.
        """
        now = self._clock()
        with self._lock:
            self._crowded = frozenset(crowded)
            for line in self._lines.values():
                is_stuck = self._stands_still(line, now)
                while line.waiting and (is_stuck or now - line.waiting[0][1] > WAIT_SECONDS_MAX):
                    self._turn_away(line.waiting.popleft()[0])
            self._lines = {host: line for host, line in self._lines.items() if not line.is_empty}

    def shutdown(self, *, seconds: float) -> None:
        """Stop the threads as their requests end, at most so long from now; drop who waits."""
        with self._lock:
            self._is_open = False
            for line in self._lines.values():
                for task, _ in line.waiting:
                    task.cancel()
                line.waiting.clear()
            self._work.notify_all()
            self._refusals.notify_all()
        deadline = self._clock() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._clock()))

    def _stands_still(self, line: _Line, now: float) -> bool:
        return line.running >= self.share and now - line.moved_at > STALL_SECONDS

    def _turn_away(self, task: Task) -> None:
        self._refused.append(task)
        self._refusals.notify()

    def _next(self) -> tuple[Task, _Line] | None:
        """Return the task of the line whose turn it is, which goes behind the others then."""
        for host, line in self._lines.items():
            if line.waiting and line.running < self.share:
                del self._lines[host]
                self._lines[host] = line
                return line.waiting.popleft()[0], line
        return None

    def _run(self) -> None:
        while True:
            with self._lock:
                while (found := self._next()) is None and self._is_open:
                    self._work.wait()
                if found is None:
                    return
                task, line = found
                line.running += 1
                line.moved_at = self._clock()
            try:
                task.service()
            except Exception:
                logger.exception("a request's thread failed")
            with self._lock:
                line.running -= 1
                line.moved_at = self._clock()
                self.served += 1
                # One more of this line may run now, whose thread was passed over before.
                self._work.notify()

    def _refuse(self) -> None:
        while True:
            with self._lock:
                while not self._refused and self._is_open:
                    self._refusals.wait()
                if not self._refused:
                    return
                task = self._refused.popleft()
            try:
                task.refuse()
            except Exception:
                logger.exception("a refusal failed")
