"""PostgreSQL and Valkey for the tests, unless DATABASE_URL and REDIS_URL name other ones.

A pytest plugin, loaded with `-p tests.servers` so that the servers run before pytest-django reads
the settings. Also a command: `python -m tests.servers manage.py migrate` runs `manage.py migrate`
with the servers on.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from embedded.account import unprivileged_account
from embedded.postgres import Postgres
from embedded.valkey import Valkey


@contextmanager
def servers(*, is_durable: bool = False) -> Iterator[dict[str, str]]:
    """Run the servers that the environment does not name; yield the variables that it lacks.

    What a power cut would lose is thrown away anyway: PostgreSQL syncs to the disk only on demand.
    """
    account = unprivileged_account()
    # Root's own temporary folder may be closed to the account of PostgreSQL.
    home = Path(tempfile.mkdtemp(prefix="paceline-tests-", dir="/tmp" if account else None))
    home.chmod(0o711 if account else 0o700)
    variables = {"PACELINE_HOME": str(home), "SECRET_KEY": secrets.token_urlsafe(48)}
    running: list[Postgres | Valkey] = []
    try:
        if "DATABASE_URL" not in os.environ:
            folder = home / "pg"
            folder.mkdir(mode=0o700)
            if account:
                account.own(folder)
            log = home / "postgres.log"
            running.append(Postgres(folder=folder, log=log, account=account, is_durable=is_durable))
            variables["DATABASE_URL"] = running[-1].url
        if "REDIS_URL" not in os.environ:
            folder = home / "valkey"
            folder.mkdir(mode=0o700)
            running.append(Valkey(folder=folder, log=home / "valkey.log"))
            variables["REDIS_URL"] = running[-1].url
        for server in running:
            server.start()
        for server in running:
            server.wait_until_ready()
        yield variables
    finally:
        for server in reversed(running):
            server.process.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Start the servers before any other plugin reads the settings.

    A wrapper, since it runs before those that merely want to be first, as pytest-django does.
    """
    # The workers of xdist inherit the environment, and with it the servers. Each has a part of
    # Valkey to itself, since tests empty it.
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        url, number = urlsplit(os.environ["REDIS_URL"]), int(worker.removeprefix("gw"))
        os.environ["REDIS_URL"] = url._replace(path=f"/{2 + number % 14}").geturl()
    else:
        end_in_order_when_terminated()
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        os.environ.update(stack.enter_context(servers()))
    return (yield)


def end_in_order_when_terminated() -> None:
    """Take SIGTERM, with which a CI gives up, for a Ctrl-C: what runs is stopped and removed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def main() -> int:
    """Run Python on the arguments of the command line with the servers on."""
    end_in_order_when_terminated()
    try:
        with servers() as variables:
            command = [sys.executable, *sys.argv[1:]]
            return subprocess.run(command, env=os.environ | variables, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
