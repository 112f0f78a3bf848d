"""The system under test: the product's own processes, kept running by its own supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from celery import Celery

from embedded.environment import read_env_file
from embedded.ports import free_port
from embedded.postgres import SUPERUSER, SUPERUSER_FILE
from embedded.processes import dies_with_us
from tests.crash.connection import Connection, UnansweredError

ROOT = Path(__file__).resolve().parents[2]
OURS = ("PACELINE_", "SECRET_KEY", "EMAIL_URL", "LOG_LEVEL", "DEBUG", "TRUSTED_PROXIES")
READY_SECONDS_MAX = 240.0
# The supervisor waits up to 30 s before it starts again what died often.
RECOVERY_SECONDS_MAX = 240.0
STOP_SECONDS_MAX = 90.0
POLL_SECONDS = 0.1
QUIET_SECONDS = 1.0
SETTINGS = {
    # The small disk has no room for a gigabyte of log.
    "max_wal_size": "128MB",
    "min_wal_size": "64MB",
}


class System:
    """`python -m embedded` in a home of its own: gunicorn, Celery, beat, PostgreSQL, Valkey."""

    def __init__(self, home: Path) -> None:
        """Describe a run in `home`, an empty folder that every account can pass through."""
        self._home = home
        self.port = free_port()
        self.output = home / "supervisor.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self._environment = kept | {
            "PACELINE_HOME": str(home),
            "PACELINE_PORT": str(self.port),
            "PACELINE_DEMO": "0",
            "LOG_LEVEL": "WARNING",
            # The clients of a long run ask more often than anybody may.
            "RATE_LIMIT_PER_KEY": "0",
            "RATE_LIMIT_PER_AGENCY": "0",
            # Empty counts as unset: neither the tests' servers nor those of somebody's .env.
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
        }
        self._guard: subprocess.Popen[bytes] | None = None
        self.urls: dict[str, str] = {}

    @property
    def pid(self) -> int:
        """The process above all others of this run."""
        assert self._guard is not None
        return self._guard.pid

    def start(self) -> None:
        """Start everything, from the main thread, and return when it is ready."""
        with self.output.open("wb") as output:
            self._guard = subprocess.Popen(
                [sys.executable, "-m", "embedded"],
                cwd=ROOT,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=dies_with_us(signal.SIGTERM),
            )
        self._wait(lambda: "Ready: " in self.output.read_text(), READY_SECONDS_MAX, "to be ready")
        self.urls = read_env_file(self._home / "run.env")
        self.set_postgres(**SETTINGS)

    def stop(self) -> None:
        """Stop everything in order."""
        if self._guard is not None and self._guard.poll() is None:
            self._guard.terminate()
            self._guard.wait(STOP_SECONDS_MAX)

    def manage(self, *words: str) -> str:
        """Run a management command and return what it printed. Raises CalledProcessError."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise subprocess.CalledProcessError(
                done.returncode, words, done.stdout, done.stderr[-4000:]
            )
        return done.stdout

    def database(self) -> psycopg.Connection:
        """Return a superuser's connection, which no rule of the product stands between."""
        return psycopg.connect(
            self.urls["DATABASE_URL"],
            user=SUPERUSER,
            password=(self._home / "pg" / SUPERUSER_FILE).read_text().strip(),
            autocommit=True,
            connect_timeout=10,
        )

    def set_postgres(self, **settings: str) -> None:
        """Change settings of PostgreSQL for good."""
        with self.database() as database:
            for name, value in settings.items():
                database.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            database.execute("SELECT pg_reload_conf()")

    def wait_until_well(self, slug: str, key: str) -> dict[str, str]:
        """Return once every part is well; else, after long, what each sick part says."""
        deadline = time.monotonic() + RECOVERY_SECONDS_MAX
        while (sick := self._sick(slug, key)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return sick

    def _sick(self, slug: str, key: str) -> dict[str, str]:
        connection = Connection(self.port, slug, key, patience_seconds=10)
        try:
            _, body = connection.call("GET", "/api/health/")
        except UnansweredError as error:
            return {"web": str(error)}
        finally:
            connection.close()
        checks = body.get("checks", {"web": {"status": "error", "detail": str(body)}})
        # How many campaigns there are is told among the parts.
        states = {name: check for name, check in checks.items() if "status" in check}
        return {n: str(c["detail"]) for n, c in states.items() if c["status"] != "ok"}

    def wait_until_quiet(self) -> None:
        """Return when no statement of anybody has run for a while: what hung has ended."""
        quiet_since = time.monotonic()
        deadline = quiet_since + RECOVERY_SECONDS_MAX
        with self.database() as database:
            while time.monotonic() < min(quiet_since + QUIET_SECONDS, deadline):
                busy = database.execute(
                    "SELECT FROM pg_stat_activity WHERE backend_type = 'client backend'"
                    " AND pid <> pg_backend_pid() AND state <> 'idle' LIMIT 1"
                ).fetchone()
                if busy is not None:
                    quiet_since = time.monotonic()
                time.sleep(POLL_SECONDS)

    def tick(self) -> bool:
        """Ring for a tick through the broker; return whether a worker did it."""
        with self.database() as database:
            before = _last_tick(database)
            with Celery(broker=self.urls["REDIS_URL"]) as app:
                app.send_task("campaigns.tick")
            deadline = time.monotonic() + RECOVERY_SECONDS_MAX
            while _last_tick(database) == before and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
            return _last_tick(database) != before

    def _wait(self, happens: Callable[[], bool], seconds: float, what: str) -> None:
        assert self._guard is not None
        deadline = time.monotonic() + seconds
        while not happens():
            if self._guard.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Paceline failed {what}:\n{self.output.read_text()}")
            time.sleep(POLL_SECONDS)


def _last_tick(database: psycopg.Connection) -> object:
    return database.execute("SELECT max(beat_at) FROM public.tenants_heartbeat").fetchone()
