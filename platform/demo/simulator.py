"""Plays the ad platforms of the demo agencies: it looks at what runs and posts what that spends.

It knows nothing but the public API and its keys, asks again in each moment, and remembers nothing
that a restart could lose.
"""

import logging
import time
from random import Random

from kernel import clock
from kernel.ids import uuid7

from .keys import agencies_with_keys, read_key
from .public_api import AwayError, PublicApi, RefusedError, address_of
from .spending import Spend, next_spends

logger = logging.getLogger("demo.simulator")

MOMENT_SECONDS = 4.0
AWAY_SECONDS_MAX = 30.0


class NoAgencyError(Exception):
    """There is no agency that the simulator has a key of."""


class Player:
    """Plays one agency, moment by moment, and waits longer and longer while its API is away."""

    def __init__(self, slug: str, random: Random) -> None:
        self.slug = slug
        self.due_at = 0.0  # By the monotonic clock.
        self._random = random
        self._api: PublicApi | None = None
        self._failures = 0
        self._refusal = ""

    def play(self) -> None:
        """Play a moment, or notice that the API is away and say so once."""
        try:
            self.play_moment()
        except AwayError as away:
            self._forget_key()
            pause = min(AWAY_SECONDS_MAX, 2.0**self._failures)
            if not self._failures:
                logger.warning("%s: %s; trying again until it does", self.slug, away)
            self._failures += 1
        else:
            pause = MOMENT_SECONDS
            if self._failures:
                logger.info("%s: answers again", self.slug)
            self._failures = 0
        self.due_at = time.monotonic() + pause

    def play_moment(self) -> None:
        """Look, and post what is spent. Raises AwayError."""
        api = self._connected()
        brands, campaigns = api.rows("brands/"), api.rows("campaigns/")
        spends = next_spends(
            brands,
            campaigns,
            now=clock.read(),
            moment_seconds=MOMENT_SECONDS,
            random=self._random,
        )
        for spend in spends:
            self._post(api, spend)

    def _post(self, api: PublicApi, spend: Spend) -> None:
        try:
            answer = api.post("spends/", spend.body(f"{uuid7()}"))
        except RefusedError as refused:
            # What is wrong with one spend is likely wrong with the next too: it is said once.
            if str(refused) != self._refusal:
                logger.warning("%s: %s", self.slug, refused)
            self._refusal = str(refused)
            return
        if spend.amount < 0:
            logger.info(
                "%s: credited %s %s to %s of %s, whose daily budget was spent",
                self.slug,
                -spend.amount,
                spend.brand["currency"],
                spend.campaign["name"],
                spend.brand["name"],
            )
        logger.debug("%s: posted %s", self.slug, answer)

    def _connected(self) -> PublicApi:
        if self._api is None:
            key = read_key(self.slug)
            if key is None:
                raise AwayError(
                    "the simulator's key is gone (manage.py create_demo makes a new one)"
                )
            self._api = PublicApi(address_of(self.slug), key)
        return self._api

    def _forget_key(self) -> None:
        """Read the key again the next time: it may have been replaced."""
        if self._api is not None:
            self._api.close()
            self._api = None


def play_once(*, seed: int) -> int:
    """Play one moment in each agency; return their number. Raises AwayError and NoAgencyError."""
    players = [Player(slug, _random(seed, slug)) for slug in agencies_with_keys()]
    if not players:
        raise NoAgencyError
    for player in players:
        player.play_moment()
    return len(players)


def play(*, seed: int, seconds: float | None) -> None:
    """Play until `seconds` have passed, or for ever."""
    end = None if seconds is None else time.monotonic() + seconds
    players: dict[str, Player] = {}
    while end is None or time.monotonic() < end:
        for slug in agencies_with_keys():
            players.setdefault(slug, Player(slug, _random(seed, slug)))
        for player in players.values():
            if player.due_at <= time.monotonic():
                player.play()
        wake_at = min([player.due_at for player in players.values()], default=0.0)
        pause = max(0.1, wake_at - time.monotonic()) if players else MOMENT_SECONDS
        time.sleep(pause if end is None else max(0.0, min(pause, end - time.monotonic())))


def _random(seed: int, slug: str) -> Random:
    return Random(f"{seed} {slug}")  # noqa: S311 - it draws spends, no secret
