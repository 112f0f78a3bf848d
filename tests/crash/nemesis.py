"""Whatever can happen to processes and disks, in an order that follows from the seed."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import redis

from tests.crash.disk import SmallDisk
from tests.crash.processes import Handle, with_role
from tests.crash.system import System

KILLED = (
    "gunicorn worker",
    "gunicorn arbiter",
    "celery child",
    "celery parent",
    "beat",
    "postgres backend",
    "postmaster",
    "valkey",
)
STOPPED = (
    "gunicorn worker",
    "celery child",
    "celery parent",
    "postgres backend",
    "postmaster",
    "valkey",
)
FLUSH = "flush valkey"
FILL = "fill the data disk"
# What was killed is started again; until then there is nothing to strike.
TARGET_GAPS_MAX = 3.0
FLUSH_SECONDS_MAX = 5.0
POLL_SECONDS = 0.05
GAP_SECONDS_MAX = 2.0
STOP_GAPS_MAX = 3.0

Lift = Callable[[], None]


class Missed(Exception):
    """What was to be struck was not there."""


class Lasting(NamedTuple):
    """A fault that stands until an instant of the monotonic clock."""

    until: float
    lift: Lift


class Nemesis:
    """Strikes the system again and again; every kind once before any comes again."""

    def __init__(
        self, system: System, disk: SmallDisk | None, *, seed: int, seconds: float
    ) -> None:
        """Prepare a run of `seconds`; without a `disk` none is filled."""
        self._system = system
        self._disk = disk
        self._random = random.Random(f"nemesis {seed}")
        self._ends_at = time.monotonic() + seconds
        kinds: dict[str, Callable[[], Lift | None]] = {FLUSH: self._flush}
        kinds |= {f"kill {role}": self._killer(role) for role in KILLED}
        kinds |= {f"stop {role}": self._stopper(role) for role in STOPPED}
        if disk is not None:
            kinds[FILL] = self._fill
        self._kinds = kinds
        # A short run too is to see every kind.
        self._gap_seconds = min(GAP_SECONDS_MAX, seconds / (len(kinds) + 2))
        self._lasting: list[Lasting] = []
        self.struck: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()

    def rage(self) -> None:
        """Strike until the time is over, and lift everything, whatever happens."""
        try:
            while time.monotonic() < self._ends_at:
                for name in self._random.sample(sorted(self._kinds), k=len(self._kinds)):
                    if time.monotonic() >= self._ends_at:
                        break
                    self._strike(name)
                    self._wait(self._random.uniform(0.3, 1.3) * self._gap_seconds)
        finally:
            self._lift_due(at=float("inf"))

    def _strike(self, name: str) -> None:
        try:
            lift = self._kinds[name]()
        except Missed:
            self.missed[name] += 1
            return
        self.struck[name] += 1
        if lift is not None:
            # Others strike meanwhile: faults seldom come alone.
            seconds = self._random.uniform(0.5, STOP_GAPS_MAX) * self._gap_seconds
            self._lasting.append(Lasting(time.monotonic() + seconds, lift))

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            self._lift_due(at=now)
            time.sleep(POLL_SECONDS)

    def _lift_due(self, *, at: float) -> None:
        for lasting in [lasting for lasting in self._lasting if lasting.until <= at]:
            self._lasting.remove(lasting)
            lasting.lift()

    def _target(self, role: str) -> Handle:
        until = time.monotonic() + TARGET_GAPS_MAX * self._gap_seconds
        while time.monotonic() < until:
            if found := with_role(role, root=self._system.pid):
                with contextlib.suppress(ProcessLookupError):
                    return Handle(self._random.choice(found))
            self._wait(POLL_SECONDS)
        raise Missed(role)

    def _killer(self, role: str) -> Callable[[], None]:
        def kill() -> None:
            target = self._target(role)
            with contextlib.suppress(ProcessLookupError):
                target.send(signal.SIGKILL)
            target.close()

        return kill

    def _stopper(self, role: str) -> Callable[[], Lift]:
        def stop() -> Lift:
            target = self._target(role)

            def go_on() -> None:
                # It may have been killed meanwhile.
                with contextlib.suppress(ProcessLookupError):
                    target.send(signal.SIGCONT)
                target.close()

            with contextlib.suppress(ProcessLookupError):
                target.send(signal.SIGSTOP)
            return go_on

        return stop

    def _flush(self) -> None:
        url = self._system.urls["REDIS_URL"]
        try:
            with redis.Redis.from_url(url, socket_timeout=FLUSH_SECONDS_MAX) as client:
                client.flushall()
        except redis.RedisError as error:
            raise Missed(FLUSH) from error

    def _fill(self) -> Lift:
        assert self._disk is not None
        self._disk.fill()
        return self._disk.free
