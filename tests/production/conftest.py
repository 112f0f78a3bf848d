"""The platform as an operator sets it up by the README, on PostgreSQL 15 and 18."""

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from embedded.ports import LOOPBACK, free_port
from embedded.processes import Process
from tests.production.clusters import (
    DEBIAN_15,
    DEBIAN_REDIS,
    bare_postgres,
    debian_redis,
    lacks,
)

ROOT = Path(__file__).resolve().parents[2]
COMMAND_SECONDS_MAX = 600


def readme_block(first_words: str) -> list[str]:
    """Return the lines of the indented block of the README that begins with these words."""
    found = re.search(
        rf"^(?:    {re.escape(first_words)}.*\n)(?:    .*\n)*",
        (ROOT / "README.md").read_text(),
        re.M,
    )
    assert found, first_words
    return [line.strip() for line in found[0].splitlines()]


@dataclass(frozen=True, slots=True)
class Production:
    """A platform that was set up by hand: its version of PostgreSQL, and its environment."""

    version: str
    superuser_url: str
    environment: dict[str, str]
    home: Path
    port: int

    def run(self, line: str, *, answers: int = 0) -> str:
        """Run a command line, and return all that it wrote; it ends with `answers`."""
        done = subprocess.run(
            shlex.split(line),
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        assert done.returncode == answers, f"{line}\n{done.stdout}"
        return done.stdout

    def process(self, line: str) -> Process:
        """Return a program that runs until it is stopped."""
        name = line.split()[-1]
        return Process(
            name,
            shlex.split(line),
            folder=ROOT,
            log=self.home / f"{name}.log",
            environment=self.environment,
            patience_seconds=30,
        )

    def superuser(self) -> psycopg.Connection:
        """Connect to the platform's database as who may do everything."""
        url = urlsplit(self.superuser_url)._replace(path="/paceline").geturl()
        return psycopg.connect(url, autocommit=True)


@pytest.fixture(scope="module", params=["15", "18"])
def production(request: pytest.FixtureRequest) -> Iterator[Production]:
    """Do what the README says "in production", up to the first command."""
    missing = lacks(DEBIAN_REDIS, *([DEBIAN_15 / "postgres"] if request.param == "15" else []))
    if missing and os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(f"Not there: {missing}; .ci/run installs it.")
    if missing:
        pytest.skip(f"Not there: {missing}, of Debian's packages postgresql-15 and redis-server.")
    with ExitStack() as stack:
        superuser_url = stack.enter_context(bare_postgres(request.param))
        redis_url = stack.enter_context(debian_redis())
        home = Path(tempfile.mkdtemp(prefix="paceline-production-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            for line in readme_block("CREATE ROLE"):
                connection.execute(line.replace("…", password).encode())
        port = free_port()
        server = urlsplit(superuser_url)
        environment = {
            name: value
            for name, value in os.environ.items()
            # What the tests of this run were given is none of its.
            if not name.startswith(("PYTEST", "PACELINE", "DATABASE", "DJANGO", "COV"))
        } | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DATABASE_URL": f"postgresql://paceline:{password}@{server.netloc.rpartition('@')[2]}"
            "/paceline",
            "REDIS_URL": redis_url,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "PACELINE_HOME": str(home),
            "PACELINE_URL": f"http://localhost:{port}",
            "GUNICORN_CMD_ARGS": f"--bind={LOOPBACK}:{port}",
        }
        made = Production(request.param, superuser_url, environment, home, port)
        made.run(readme_block("python manage.py migrate")[0])
        yield made
