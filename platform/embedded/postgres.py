"""PostgreSQL from its wheel: made at the first start, on loopback, with a password."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg

from embedded.account import Account
from embedded.errors import start_error
from embedded.home import kept_secret
from embedded.ports import LOOPBACK, free_port
from embedded.processes import Process, run_to_end
from embedded.wheels import postgres_programs

NAME = "paceline"  # Of the database, and of the user that owns it.
READY_SECONDS_MAX = 120.0  # After a crash, it replays its log first.
PAUSE_SECONDS = 0.02
OPTIONS = {
    "listen_addresses": LOOPBACK,
    # A socket's path has at most 107 bytes, and a checkout's may have more.
    "unix_socket_directories": "",
    "max_connections": "100",
    # A migration of many agencies locks the tables of each.
    "max_locks_per_transaction": "256",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests only: what a power cut would lose is thrown away anyway.
FAST_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One PostgreSQL cluster in a folder, on the same port as long as this object lives."""

    def __init__(
        self,
        *,
        folder: Path,
        log: Path,
        account: Account | None,
        inherits: Sequence[int] = (),
        is_durable: bool = True,
    ) -> None:
        """Describe the cluster in `folder`, which `account` owns and can reach.

        Nobody else may run it: what a killed run left in the folder is taken for dead.
        """
        self._folder = folder
        self._data = folder / "data"
        self._account = account
        self._is_durable = is_durable
        self.port = free_port()
        self._programs = postgres_programs(account=account, copy_folder=folder / "programs")
        options = OPTIONS | ({} if is_durable else FAST_OPTIONS)
        self.process = Process(
            "postgres",
            [
                *(self._programs / "postgres", "-D", self._data, "-p", str(self.port)),
                *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
            ],
            folder=folder,
            log=log,
            account=account,
            # SIGINT is its fast shutdown; SIGTERM waits for every connection to end by itself.
            stop_signal=signal.SIGINT,
            patience_seconds=60,
            inherits=inherits,
        )

    @property
    def url(self) -> str:
        """The URL of the database, password included."""
        return self._url(NAME)

    def start(self) -> None:
        """Make the cluster if there is none yet, and run it. Raises StartError or OSError."""
        if not self._data.exists():
            self._make_cluster()
        # Left by a run that was killed. Its number may be another program's by now, which
        # PostgreSQL would take for itself and refuse to start.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        self.process.start()

    def wait_until_ready(self, pause: Callable[[float], None] = time.sleep) -> None:
        """Return when the database can be used. Raises StartError when it won't be."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self._has_database():
            if self.process.exit_code() is not None or time.monotonic() > deadline:
                raise start_error(
                    f"PostgreSQL did not start (see {self.process.log})",
                    output=self.process.output(),
                    folder=self._folder,
                )
            pause(PAUSE_SECONDS)

    def _url(self, database: str) -> str:
        password = kept_secret(self._folder / "password")
        return f"postgresql://{NAME}:{password}@{LOOPBACK}:{self.port}/{database}"

    def _make_cluster(self) -> None:
        new = self._folder / "data.new"  # Renamed when whole, so a kill leaves no half cluster.
        shutil.rmtree(new, ignore_errors=True)
        password = self._folder / "password"
        kept_secret(password)
        if self._account:
            self._account.own(password)
        failure = run_to_end(
            [
                *(self._programs / "initdb", "--pgdata", new, "--username", NAME),
                *("--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"),
                *(
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--locale=C",
                ),
                *("--data-checksums", "--no-clean", *(() if self._is_durable else ("--no-sync",))),
            ],
            folder=self._folder,
            account=self._account,
        )
        if failure is not None:
            # Asked while the half cluster still fills the disk, if it does.
            error = start_error("initdb failed", output=failure, folder=self._folder)
            shutil.rmtree(new, ignore_errors=True)
            raise error
        new.rename(self._data)

    def _has_database(self) -> bool:
        url = self._url("postgres")
        try:
            connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
        except psycopg.OperationalError:
            return False  # Not listening yet, or still replaying its log.
        try:
            with connection:
                known = "SELECT 1 FROM pg_database WHERE datname = %s"
                if not connection.execute(known, [NAME]).fetchone():
                    connection.execute(f"CREATE DATABASE {NAME}")
        except psycopg.Error as error:
            what = "PostgreSQL could not make its database"
            raise start_error(what, output=str(error), folder=self._folder) from error
        return True
