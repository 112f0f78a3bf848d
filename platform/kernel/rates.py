"""How often somebody may ask: at most so many times in any sixty seconds, for all processes alike.

A sliding window, counted by the second: the requests of each second are one field of a hash, and
those of the last sixty are added up. One script looks and counts, so no two requests can both take
the last place. What is refused is not counted: who waits gets in.
"""

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

    While Valkey is away, everything is allowed. Keys of one call carry the same `{…}`, which keeps
    them together where the server is a cluster.
    """
    if not allowances:
        return None

    def run(server: "redis.Redis") -> list[int]:
        keys, most = zip(*((one.key, one.most) for one in allowances), strict=True)
        return cast(list[int], _script()(keys=keys, args=most, client=server))

    answer = valkey.ask(run, else_what="requests are not limited")
    if answer is None or answer[0] == 0:
        return None
    return Excess(allowances[answer[0] - 1], max(1, answer[1]))


@cache
def _script() -> Script:
    # Of no server: each call names its own.
    return Script(redis.Redis(), _TAKE)
