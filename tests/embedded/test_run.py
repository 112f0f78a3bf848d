"""What `./run` promises, with the real servers and programs that cost nothing to start."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from embedded.lock import holders
from tests.embedded.conftest import SECONDS_MAX, Run, children, eventually, is_alive

Start = Callable[..., Run]


def run_env(checkout: Path) -> dict[str, str]:
    lines = (checkout / ".paceline/run.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_it_is_ready_in_the_last_line_and_answers(start: Start, port: int) -> None:
    run = start().until_ready()
    assert run.lines[-1] == f"Ready: http://localhost:{port}"
    assert "Log in as alice@example.com" in run.lines
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
        assert answer.read().decode() == run_env(run.checkout)["DATABASE_URL"]


def test_a_second_terminal_finds_the_servers_in_a_private_file(start: Start) -> None:
    run = start().until_ready()
    settings = run_env(run.checkout)
    assert (run.checkout / ".paceline/run.env").stat().st_mode & 0o777 == 0o600
    with psycopg.connect(settings["DATABASE_URL"]) as connection:
        found = connection.execute("SELECT current_database(), current_user").fetchone()
    assert found == ("paceline", "paceline")
    assert redis.Redis.from_url(settings["REDIS_URL"]).ping()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_everything_in_order(start: Start, checkout: Path, number: int) -> None:
    run = start().until_ready()
    everybody = children(run.process.pid)
    assert run.end(number) == 0
    assert (checkout / "ended").read_text().split() == ["simulator", "beat", "worker", "web"]
    assert not any(map(is_alive, everybody))
    # PostgreSQL had time to shut down, after the others.
    assert "database system is shut down" in (checkout / ".paceline/logs/postgres.log").read_text()


def test_killed_it_leaves_nobody_and_loses_nothing(start: Start) -> None:
    run = start().until_ready()
    before = run_env(run.checkout)
    with psycopg.connect(before["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS answer")
    redis.Redis.from_url(before["REDIS_URL"]).set("kept", "2")
    everybody = children(run.process.pid)
    run.end(signal.SIGKILL)
    # At once, while the last run's processes are still ending.
    again = start().until_ready()
    assert not any(map(is_alive, everybody))
    after = run_env(again.checkout)
    with psycopg.connect(after["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (1,)
    assert redis.Redis.from_url(after["REDIS_URL"]).get("kept") == b"2"
    kept = ("SECRET_KEY", "PACELINE_DEMO_PASSWORD")
    assert [after[name] for name in kept] == [before[name] for name in kept]


def test_without_its_supervisor_the_guard_kills_the_rest(start: Start) -> None:
    run = start().until_ready()
    everybody = children(run.process.pid)
    os.kill(everybody[0], signal.SIGKILL)
    assert run.process.wait(SECONDS_MAX) == 1
    eventually(lambda: not any(map(is_alive, everybody)))
    assert "signal 9 (SIGKILL)" in run.lines[-1]


def test_even_both_killed_leave_nobody(start: Start, checkout: Path) -> None:
    run = start().until_ready()
    everybody = children(run.process.pid)
    for pid in (run.process.pid, everybody[0]):
        os.kill(pid, signal.SIGKILL)
    run.process.wait()
    # The child of the worker listens to nobody: the next start has to end it.
    start().until_ready()
    assert not any(map(is_alive, everybody))
    assert holders(checkout / ".paceline/alive")


@pytest.mark.parametrize("name", ["worker", "postgres", "valkey-server"])
def test_a_program_that_dies_is_named_and_starts_again(start: Start, name: str) -> None:
    run = start().until_ready()
    former = child_called(run, name)
    assert former
    pool = children(former)
    os.kill(former, signal.SIGKILL)
    said = f"{name.removesuffix('-server')} ended with signal 9 (SIGKILL), starts again in"
    eventually(lambda: said in run.output_path.read_text())
    eventually(lambda: child_called(run, name) not in (None, former))
    eventually(lambda: not any(map(is_alive, pool)))
    eventually(lambda: answers(run_env(run.checkout)))


def test_a_second_start_meets_the_first(start: Start) -> None:
    run = start().until_ready()
    second = start()
    assert second.process.wait(SECONDS_MAX) == 1
    (line,) = second.lines
    assert f"already runs from {run.checkout}/.paceline (process {run.process.pid})" in line


def test_a_port_in_use_is_named_with_its_setting(start: Start, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        run = start()
        assert run.process.wait(SECONDS_MAX) == 1
    (line,) = run.lines
    assert f"Port {port} " in line
    assert "PACELINE_PORT" in line


def test_a_failed_migration_ends_the_start(start: Start) -> None:
    run = start(STUB_MIGRATE_FAILS="no such column")
    assert run.process.wait(SECONDS_MAX) == 1
    assert run.lines[-1].startswith("migrate failed with exit code 1")
    assert run.lines[-1].endswith("no such column")


def test_a_stop_during_the_start_is_a_stop(start: Start) -> None:
    run = start()
    eventually(lambda: run.lines)
    assert run.end(signal.SIGTERM) == 0
    assert not any("Ready" in line for line in run.lines)


def child_called(run: Run, name: str) -> int | None:
    """Return the process of a program by its last word, or of a server by its first."""
    for pid in children(run.process.pid):
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        words = line.split() or [""]
        if words[-1] == name or Path(words[0]).name == name:
            return pid
    return None


def answers(settings: dict[str, str]) -> bool:
    """Return whether both servers can be used where the run said that they are."""
    try:
        psycopg.connect(settings["DATABASE_URL"]).close()
        return bool(redis.Redis.from_url(settings["REDIS_URL"]).ping())
    except (psycopg.OperationalError, redis.ConnectionError):
        return False
