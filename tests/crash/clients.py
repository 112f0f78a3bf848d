"""Clients as agencies have them: they give up waiting, and send again what they do not know of."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.crash.calls import Script
from tests.crash.connection import Connection, UnansweredError
from tests.crash.journal import COMMANDS, NO_ANSWER, Call, Journal
from tests.crash.world import World

LAST_PATIENCE_SECONDS = 60.0
LAST_TRIES_SECONDS_MAX = 240.0
AGAIN_SHARE = 0.04  # How often a known call is sent once more.
RETRIES_MAX = 2
PAUSE_SECONDS = 0.2
THINK_SECONDS = 0.002


class Client(threading.Thread):
    """One client with its journal: busy until `ended`, then, once `lifted`, tidies up."""

    def __init__(
        self,
        script: Script,
        world: World,
        *,
        port: int,
        path: Path,
        seed: str,
        patience_seconds: float,
        ended: threading.Event,
        lifted: threading.Event,
    ) -> None:
        """Prepare a client that writes its journal to `path`.

        It waits `patience_seconds` for an answer, and much longer once everything is up again.
        """
        super().__init__(name=path.stem)
        self._script = script
        self._journal = Journal(path)
        self._random = random.Random(seed)
        self._ended = ended
        self._lifted = lifted
        self._connect: Callable[[float], dict[str, Connection]] = lambda patience_seconds: {
            slug: Connection(port, slug, agency.key, patience_seconds=patience_seconds)
            for slug, agency in world.agencies.items()
        }
        self._connections = self._connect(patience_seconds)
        # Calls of which nothing is known, in their order.
        self._unknown: list[Call] = []
        # By what they command: the last command, and whether an attempt of one was left unknown.
        self._commands: dict[str, Call] = {}
        self._doubtful: set[str] = set()
        self.is_idle = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Call until ended; then send again whatever is not known, until it is answered."""
        try:
            while not self._ended.is_set():
                self._act()
                time.sleep(THINK_SECONDS)
            self.is_idle.set()
            self._lifted.wait()
            self._connections = self._connect(LAST_PATIENCE_SECONDS)
            self._tidy_up()
        except BaseException as failure:
            # A thread's own traceback would pass unseen; the run fails with it.
            self.failure = failure
        finally:
            self.is_idle.set()
            self._journal.close()

    def _act(self) -> None:
        known = self._script.known() if self._random.random() < AGAIN_SHARE else None
        call = known or self._script.draw()
        if call.kind in COMMANDS:
            self._commands[_commanded(call)] = call
        tries = self._random.randint(0, RETRIES_MAX)
        while not self._attempt(call):
            if tries == 0 or self._ended.is_set():
                self._unknown.append(call)
                return
            tries -= 1
            self._ended.wait(PAUSE_SECONDS)

    def _attempt(self, call: Call) -> bool:
        """Send a call; return whether its fate is known."""
        self._journal.sends(call)
        try:
            status, body = self._connections[call.agency].call(
                call.method,
                call.path,
                call.body if call.method != "DELETE" else None,
                idempotency_key=call.idempotency_key,
            )
        except UnansweredError:
            status, body = NO_ANSWER, {}
        is_accepted = 200 <= status < 300
        entry_id = str(body.get("id", "")) if is_accepted else ""
        self._journal.hears(call, status, entry_id)
        if is_accepted:
            self._script.hear(call, body)
        is_known = call.is_answered_by(status)
        if call.kind in COMMANDS and not is_known:
            self._doubtful.add(_commanded(call))
        return is_known

    def _tidy_up(self) -> None:
        """Learn the fate of every call. A command that was left unknown may have been done after
        later ones, so that the last word on the same thing is said again."""
        last_words = [self._commands[thing] for thing in sorted(self._doubtful)]
        deadline = time.monotonic() + LAST_TRIES_SECONDS_MAX
        for call in [*self._unknown, *last_words]:
            while not self._attempt(call) and time.monotonic() < deadline:
                time.sleep(PAUSE_SECONDS)


def _commanded(call: Call) -> str:
    return f"{call.kind} {call.path}"
