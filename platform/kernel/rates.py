"""How often somebody may ask: at most so many times in any sixty seconds, for all processes alike.

A sliding window, counted by the second: the requests of each second are one field of a hash, and
those of the last sixty are added up. One script looks and counts, so no two requests can both take
the last place. What is refused is not counted: who waits gets in.

Where Valkey does not answer, a process goes by what it has counted itself: the limit then holds for
each process alone, and never for nobody.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

import redis
from redis.commands.core import Script

from . import valkey

WINDOW_SECONDS = 60
# KEYS: one for each allowance; ARGV: the most of each. Nothing is counted unless all allow it.
# Returns which one refuses (from 1; 0 for none) and the seconds until it would not.
_TAKE = """
local window = 60
local now = tonumber(redis.call('TIME')[1])
for place, key in ipairs(KEYS) do
  local seconds = redis.call('HGETALL', key)
  local used, oldest = 0, now
  for at = 1, #seconds, 2 do
    local second = tonumber(seconds[at])
    if second <= now - window then
      redis.call('HDEL', key, seconds[at])
    else
      used = used + tonumber(seconds[at + 1])
      oldest = math.min(oldest, second)
    end
  end
  if used >= tonumber(ARGV[place]) then
    return {place, oldest + window - now}
  end
end
for _, key in ipairs(KEYS) do
  redis.call('HINCRBY', key, now, 1)
  redis.call('EXPIRE', key, window)
end
return {0, 0}
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """That whoever `key` stands for may ask so many times in a minute."""

    key: str
    most: int


@dataclass(frozen=True, slots=True)
class Excess:
    """Whose allowance is used up, and in how many seconds there is room again."""

    allowance: Allowance
    wait_seconds: int


def take(allowances: Sequence[Allowance]) -> Excess | None:
    """Count one request against all of the allowances, or against none and return which is used up.

    While Valkey does not answer, this process's own count is asked. Keys of one call carry the same
    `{…}`, which keeps them together where the server is a cluster.
    """
    if not allowances:
        return None

    def run(server: "redis.Redis") -> list[int]:
        keys, most = zip(*((one.key, one.most) for one in allowances), strict=True)
        return cast(list[int], _script()(keys=keys, args=most, client=server))

    answer = valkey.ask(run, else_what="each process limits requests by its own count")
    if answer is None:
        return _own.take(allowances, now=time.monotonic())
    if answer[0] == 0:
        _own.add(allowances, now=time.monotonic())
        return None
    return Excess(allowances[answer[0] - 1], max(1, answer[1]))


class OwnCount:
    """What this process has let through in the last minute, by key and second."""

    def __init__(self) -> None:
        self._seconds: dict[str, dict[int, int]] = {}
        self._pruned_at = 0.0
        self._lock = threading.Lock()

    def take(self, allowances: Sequence[Allowance], *, now: float) -> Excess | None:
        """Count one request against all of the allowances, or against none."""
        with self._lock:
            for allowance in allowances:
                counted = self._within(allowance.key, now)
                if sum(counted.values()) >= allowance.most:
                    oldest = min(counted, default=int(now))
                    return Excess(allowance, max(1, oldest + WINDOW_SECONDS - int(now)))
            self._add(allowances, now)
        return None

    def add(self, allowances: Sequence[Allowance], *, now: float) -> None:
        """Count one request that Valkey has let through."""
        with self._lock:
            self._add(allowances, now)

    def _within(self, key: str, now: float) -> dict[int, int]:
        counted = self._seconds.get(key, {})
        return {at: count for at, count in counted.items() if at > int(now) - WINDOW_SECONDS}

    def _add(self, allowances: Sequence[Allowance], now: float) -> None:
        if now - self._pruned_at > WINDOW_SECONDS:
            self._pruned_at = now
            kept = {key: self._within(key, now) for key in self._seconds}
            self._seconds = {key: counted for key, counted in kept.items() if counted}
        for allowance in allowances:
            counted = self._seconds.setdefault(allowance.key, {})
            counted[int(now)] = counted.get(int(now), 0) + 1


_own = OwnCount()


@cache
def _script() -> Script:
    # Of no server: each call names its own.
    return Script(redis.Redis(), _TAKE)
