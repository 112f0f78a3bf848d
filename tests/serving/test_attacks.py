"""Whatever one agency's clients do, another agency's requests go on as if nothing happened."""

import json
import socket
import time
from collections.abc import Callable

import pytest

from . import attacks
from .world import LONG_TEXT, ROWS, World

# What the other agency's median may become, as a multiple of its quiet one.
RATIO_MAX = 3.0
# On a machine that is busy with something else a median may be off: the best of some tells.
TRIES = 8
WAIT_SECONDS_MAX = 120

ATTACKS = {
    "silence": attacks.silence,
    "slow heads": attacks.slow_heads,
    "slow bodies": attacks.slow_bodies,
    "exports that nobody reads": attacks.deaf_readers,
    "the trail, that nobody reads": attacks.deaf_trail_readers,
    "waiting for one lock": attacks.lock_waiters,
    "objects of odd fields": attacks.odd_objects,
}


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for what has to come, however slow the machine is."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not is_so():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


@pytest.mark.parametrize("name", ATTACKS)
def test_another_agency_notices_nothing(attacked: World, name: str, capsys):
    quiet = attacked.zeta.median_seconds()
    medians: list[float] = []
    with ATTACKS[name](attacked):
        time.sleep(1)  # Until all of it is under way.
        while len(medians) < TRIES and not (medians and min(medians) <= RATIO_MAX * quiet):
            medians.append(attacked.zeta.median_seconds())
    if min(medians) > RATIO_MAX * quiet:
        # Something else may have begun to keep the machine busy.
        quiet = max(quiet, attacked.zeta.median_seconds())
    with capsys.disabled():
        print(f"\nunder attack: {name}: {min(medians) / quiet:.1f} x its quiet median")
    assert min(medians) <= RATIO_MAX * quiet, (quiet, medians)


def test_who_has_no_share_left_is_refused_at_once(attacked: World):
    """What waits for the lock itself is refused by the API, after its time, in other words."""
    with attacks.lock_waiters(attacked) as answers:
        # Two processes of eight threads, of which an agency has half: the others are refused.
        wait_until(lambda: len(answers) >= attacks.WAITERS - 8)
        first = answers[: attacks.WAITERS - 8]
    assert {answer.status for answer in answers} <= {201, 503}
    said = [json.loads(answer.body)["detail"] for answer in first]
    assert any("running or waiting" in sentence for sentence in said), said
    assert all(int(answer.headers["Retry-After"]) for answer in first)


def test_an_unread_export_holds_no_connection_to_the_database(attacked: World):
    begin = attacked.acme.head("/api/spends/?format=csv", "Connection: close")
    with socket.create_connection(("127.0.0.1", attacked.acme.port), timeout=60) as reader:
        reader.sendall(begin)
        answer = reader.recv(1000)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        # Its reader reads nothing, and yet it is made to its end.
        wait_until(lambda: _reading(attacked) == 0)
        while piece := reader.recv(1 << 20):
            answer += piece
    assert answer.count(LONG_TEXT.strip().encode()) == ROWS


def _reading(world: World) -> int:
    """Return how many sessions of the web are in a statement, a transaction or a cursor."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        " AND pid <> pg_backend_pid() AND (state <> 'idle' OR query LIKE 'FETCH%')"
    )
    with world.system.database() as database:
        row = database.execute(query).fetchone()
        assert row is not None
        return int(row[0])
