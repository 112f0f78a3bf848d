"""Bare servers, as an operator finds them: a superuser's PostgreSQL, and Debian's Redis."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from embedded.account import Account, unprivileged_account
from embedded.home import kept_secret
from embedded.ports import LOOPBACK, free_port
from embedded.postgres import FAST_OPTIONS
from embedded.processes import Process, run_to_end
from embedded.wheels import postgres_programs
from tests.waiting import wait_until

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
DEBIAN_REDIS = Path("/usr/bin/redis-server")
SUPERUSER = "postgres"


@contextmanager
def own_folder() -> Iterator[tuple[Path, Account | None]]:
    """A temporary folder, and the account of the servers, which owns it."""
    account = unprivileged_account()
    # Root's own temporary folder may be closed to that account.
    folder = Path(tempfile.mkdtemp(prefix="paceline-bare-", dir="/tmp" if account else None))
    try:
        if account:
            account.own(folder)
        yield folder, account
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def bare_postgres(version: str) -> Iterator[str]:
    """Run a new cluster of a version, "15" or "18"; yield the URL of its superuser."""
    with own_folder() as (folder, account):
        programs = (
            DEBIAN_15
            if version == "15"
            else postgres_programs(account=account, copy_folder=folder / "programs")
        )
        secret = folder / "superuser"
        password = kept_secret(secret)
        if account:
            account.own(secret)
        failure = run_to_end(
            [
                *(programs / "initdb", "--pgdata", folder / "data", "--username", SUPERUSER),
                *("--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8"),
                *("--locale=C.UTF-8", "--no-sync"),
            ],
            folder=folder,
            account=account,
        )
        assert failure is None, failure
        port = free_port()
        options = {"listen_addresses": LOOPBACK, "unix_socket_directories": "", **FAST_OPTIONS}
        process = Process(
            "postgres",
            [
                *(programs / "postgres", "-D", folder / "data", "-p", str(port)),
                *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
            ],
            folder=folder,
            log=folder / "log",
            account=account,
            stop_signal=signal.SIGINT,
        )
        url = f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{port}/postgres"
        with running(process, lambda: psycopg.connect(url, connect_timeout=5).close()):
            yield url


@contextmanager
def debian_redis() -> Iterator[str]:
    """Run Debian's Redis with a password; yield its URL."""
    with own_folder() as (folder, account):
        port, password = free_port(), secrets.token_urlsafe(24)
        configuration = folder / "redis.conf"
        configuration.write_text(f"bind {LOOPBACK}\nport {port}\nrequirepass {password}\nsave ''\n")
        process = Process(
            "redis",
            [DEBIAN_REDIS, configuration],
            folder=folder,
            log=folder / "log",
            account=account,
        )
        url = f"redis://:{password}@{LOOPBACK}:{port}/0"

        def ping() -> None:
            with redis.Redis.from_url(url, socket_timeout=5) as client:
                client.ping()

        with running(process, ping):
            yield url


@contextmanager
def running(process: Process, ask: Callable[[], object]) -> Iterator[None]:
    """Run a server, from the first answer that `ask` gets from it on."""
    process.start()
    try:
        wait_for(lambda: _answers(ask), process=process)
        yield
    finally:
        process.stop()


def wait_for(is_so: Callable[[], bool], *, process: Process) -> None:
    """Return as soon as it is so; fail where the process ends, or it does not become so."""

    def happens() -> bool:
        assert process.exit_code() is None, process.output()
        return is_so()

    wait_until(happens, told=process.output)


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (psycopg.OperationalError, redis.RedisError, OSError):
        return False
    return True


def lacks(*programs: Path) -> str:
    """Name what is not installed; "" where all is."""
    return ", ".join(str(program) for program in programs if not os.access(program, os.X_OK))
