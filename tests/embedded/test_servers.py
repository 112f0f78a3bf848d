"""PostgreSQL and Valkey as they are configured, and the command that starts them for the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from redis.backoff import NoBackoff
from redis.retry import Retry

from embedded.postgres import SUPERUSER, SUPERUSER_FILE
from tests.servers import servers


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("REDIS_URL", raising=False)
        with servers() as running:
            yield running


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("max_connections", "100"),
        ("max_locks_per_transaction", "256"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ],
)
def test_postgres_is_set_up(variables: dict[str, str], name: str, value: str) -> None:
    with psycopg.connect(superuser_url(variables)) as connection:
        found = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert found == (value,)


def test_postgres_sorts_the_same_on_every_machine(variables: dict[str, str]) -> None:
    with psycopg.connect(variables["DATABASE_URL"]) as connection:
        found = connection.execute(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'paceline'"
        ).fetchone()
    assert found == ("b", "C.UTF-8")


def test_postgres_wants_the_password(variables: dict[str, str]) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(variables["DATABASE_URL"], password="wrong")


def test_the_database_is_its_owners_who_is_no_superuser(variables: dict[str, str]) -> None:
    with psycopg.connect(variables["DATABASE_URL"]) as connection:
        found = connection.execute(
            "SELECT rolname, rolsuper, rolcreaterole, rolinherit, rolbypassrls"
            " FROM pg_roles JOIN pg_database ON datdba = pg_roles.oid WHERE datname = 'paceline'"
        ).fetchone()
    assert found == ("paceline", False, True, False, False)


def test_the_owners_password_is_not_the_superusers(variables: dict[str, str]) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(variables["DATABASE_URL"], user=SUPERUSER)
    psycopg.connect(superuser_url(variables)).close()


def superuser_url(variables: dict[str, str]) -> str:
    password = (Path(variables["PACELINE_HOME"]) / "pg" / SUPERUSER_FILE).read_text().strip()
    return make_conninfo(variables["DATABASE_URL"], user=SUPERUSER, password=password)


def test_a_superuser_who_logs_in_is_warned_of(variables: dict[str, str]) -> None:
    asked = conninfo_to_dict(superuser_url(variables))
    superuser = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format_map(asked)
    told = {}
    for url in (superuser, variables["DATABASE_URL"]):
        told[url] = subprocess.run(
            [sys.executable, "manage.py", "check", "--database", "default"],
            cwd=Path(__file__).parents[2],
            env={**os.environ, **variables, "DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=True,
        ).stderr
    assert "(config.W002) The database's log-in role postgres is a superuser" in told[superuser]
    assert "config.W002" not in told[variables["DATABASE_URL"]]


def test_valkey_wants_the_password_and_keeps_what_it_is_told(variables: dict[str, str]) -> None:
    client = redis.Redis.from_url(variables["REDIS_URL"])
    wanted = {
        "bind": "127.0.0.1",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory": str(256 * 1024 * 1024),
        "maxmemory-policy": "noeviction",
    }
    assert {name: client.config_get(name)[name] for name in wanted} == wanted
    port = client.connection_pool.connection_kwargs["port"]
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=port, retry=Retry(NoBackoff(), retries=0)).ping()


def test_a_command_runs_with_the_servers_on_and_hands_back_its_exit_code() -> None:
    code = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']); raise SystemExit(3)"
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    command = [sys.executable, "-m", "tests.servers", "-c", code]
    root = Path(__file__).parents[2]
    assert subprocess.run(command, cwd=root, env=environment, check=False).returncode == 3
