"""Check the version of the server behind `REDIS_URL`.

Web and workers log a warning at their start where it is too old, and `health` shows it; they start
all the same.
"""

from typing import NamedTuple

import redis
from django.conf import settings

PATIENCE_SECONDS = 1.0
# The oldest major version of each that is tested.
OLDEST = {"Redis": 7, "Valkey": 8}


class Server(NamedTuple):
    """Which server it is; `version` is "" where it does not say."""

    name: str
    version: str

    @property
    def warning(self) -> str:
        """A sentence where it is too old, else nothing."""
        major = self.version.partition(".")[0]
        if not major.isdecimal() or int(major) >= OLDEST[self.name]:
            return ""
        return (
            f"{self.name} {self.version} is older than what is supported:"
            f" {self.name} {OLDEST[self.name]} or newer."
        )


def ask_server() -> Server:
    """Ask the server for its version; it is not waited for long. Raises redis.RedisError."""
    with redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=PATIENCE_SECONDS,
        socket_timeout=PATIENCE_SECONDS,
    ) as client:
        client.ping()
        try:
            told = client.info("server")
        except redis.ResponseError:
            # A managed one may let nobody ask.
            return Server("Redis", "")
    # Valkey calls itself Redis 7.2.4 as well, for programs that know no other.
    if "valkey_version" in told:
        return Server("Valkey", str(told["valkey_version"]))
    return Server("Redis", str(told.get("redis_version", "")))
