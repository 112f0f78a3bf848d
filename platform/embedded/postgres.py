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

NAME = "paceline"  # Of the database, and of the role that owns it.
SUPERUSER = "postgres"  # Makes that role, and is needed for nothing else.
SUPERUSER_FILE = "superuser"  # With its password.
# What a managed PostgreSQL gives as well. It may take the roles that it makes, and inherits nothing
# of theirs; new databases are for tests.
OWNER_RIGHTS = "LOGIN CREATEROLE CREATEDB NOINHERIT"
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
        return self._url(NAME, self._owner_password(), NAME)

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

    def _url(self, role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{password}@{LOOPBACK}:{self.port}/{database}"

    def _owner_password(self) -> str:
        return kept_secret(self._folder / "password")

    def _make_cluster(self) -> None:
        new = self._folder / "data.new"  # Renamed when whole, so a kill leaves no half cluster.
        shutil.rmtree(new, ignore_errors=True)
        password = self._folder / SUPERUSER_FILE
        kept_secret(password)
        if self._account:
            self._account.own(password)
        failure = run_to_end(
            [
                *(self._programs / "initdb", "--pgdata", new, "--username", SUPERUSER),
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
        try:
            # Also where the owner is the superuser, as in clusters made before there were two.
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return self._can_make_database() and self._has_database()
        return True

    def _can_make_database(self) -> bool:
        """Make the database and its owner where the server answers; return whether it does."""
        try:
            password = kept_secret(self._folder / SUPERUSER_FILE)
            url = self._url(SUPERUSER, password, "postgres")
            connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
        except psycopg.OperationalError:
            return False  # Not listening yet, or still replaying its log.
        try:
            with connection:
                self._make_database(connection)
        except psycopg.Error as error:
            what = "PostgreSQL could not make its database"
            raise start_error(what, output=str(error), folder=self._folder) from error
        return True

    def _make_database(self, connection: psycopg.Connection) -> None:
        """Make what is missing: a killed start may have left the role without its database."""
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME]).fetchone():
            # The password is of letters, digits, - and _.
            password = self._owner_password()
            connection.execute(f"CREATE ROLE {NAME} {OWNER_RIGHTS} PASSWORD '{password}'")
        known = "SELECT 1 FROM pg_database WHERE datname = %s"
        if not connection.execute(known, [NAME]).fetchone():
            connection.execute(f"CREATE DATABASE {NAME} OWNER {NAME}")
