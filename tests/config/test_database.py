"""A database that may forget what it acknowledged is told of, and works all the same."""

import logging
import os
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.db import NotSupportedError, connection, connections

from config import database
from config.broker import Server, ask_server
from config.database import DURABILITY_SETTINGS, Finding, check_database, findings
from config.health import check_health
from tenants.contexts import platform_context
from tests.config.container_files import ROOT
from tests.conftest import NOON


def give(monkeypatch, answer):
    monkeypatch.setattr(database, "findings", lambda: answer)


def words():
    return " ".join(finding.words for finding in findings())


def test_it_names_what_is_off(world):
    with platform_context(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = 'on'")
        assert "synchronous_commit" not in words()
        cursor.execute("SET LOCAL synchronous_commit = 'off'")
        assert "synchronous_commit=off" in words()
        cursor.execute(
            "SELECT count(*) FROM pg_settings WHERE name = ANY(%s)", [list(DURABILITY_SETTINGS)]
        )
        assert cursor.fetchone() == (len(DURABILITY_SETTINGS),)


def test_health_tells_it_and_is_ok(world):
    with platform_context(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = 'off'")
        database = check_health(now=NOON).checks["database"]
    assert database.status == "ok"
    assert "WARNING: not durable: " in database.detail
    assert "synchronous_commit=off" in database.detail


def test_the_check_asks_only_where_databases_are_checked(world, capsys):
    with platform_context(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = 'off'")
        call_command("check")
        assert "config.W001" not in capsys.readouterr().err
        call_command("check", databases=["default"])
    assert "config.W001" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("found", "warnings"), [([Finding("config.W001", "fsync=off", "Lost: fsync=off.")], 1), ([], 0)]
)
def test_a_start_logs_a_warning_where_there_is_something_to_warn_of(
    django_db_setup, django_db_blocker, monkeypatch, caplog, found, warnings
):
    give(monkeypatch, found)
    with django_db_blocker.unblock(), caplog.at_level(logging.WARNING):
        database._warn()
    assert [record.levelname for record in caplog.records] == ["WARNING"] * warnings
    assert caplog.text.count("fsync=off") == warnings


def test_a_start_without_the_database_goes_on(django_db_setup, monkeypatch, caplog):
    def fail():
        raise OSError("away")

    monkeypatch.setattr(database, "findings", fail)
    database._warn()
    assert "can't be asked yet" in caplog.text


def test_a_strong_database_is_no_finding(world, monkeypatch):
    give(monkeypatch, [])
    assert check_database(databases=["default"]) == []


def test_doing_without_roles_is_a_warning(world, settings):
    settings.DATABASE_ROLES = False
    assert "config.W003" in [message.id for message in check_database(databases=["default"])]


# Versions -----------------------------------------------------------------------------------------

LOG_IN = "paceline"


@pytest.fixture
def on_version(monkeypatch):
    """Return a function that lets the server be another version, such as 15_00_18."""

    def be(number):
        monkeypatch.setitem(connections["default"].__dict__, "pg_version", number)

    return be


def test_an_older_postgresql_is_refused_by_name(world, on_version):
    on_version(14_00_09)
    with pytest.raises(NotSupportedError, match=r"15 or later is required \(found 14\.9"):
        connection.check_database_version_supported()
    on_version(15_00_00)
    connection.check_database_version_supported()


def test_a_command_refuses_an_older_postgresql_in_one_line():
    code = (
        "import django, sys; django.setup()\n"
        "from fence import base\n"
        "base.DatabaseFeatures.minimum_database_version = (99,)\n"
        "import manage; sys.argv = ['manage.py', 'migrate']; manage.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Paceline: PostgreSQL 99 or later is required (found ")
    assert len(done.stderr.splitlines()) == 1


def test_a_start_says_which_version_is_refused(django_db_setup, monkeypatch, caplog):
    def refuse():
        raise NotSupportedError("PostgreSQL 15 or later is required (found 14.9).")

    monkeypatch.setattr(database, "findings", refuse)
    database._warn()
    [record] = [record for record in caplog.records if record.levelname == "CRITICAL"]
    assert "PostgreSQL 15 or later is required (found 14.9)." in record.getMessage()


@pytest.mark.parametrize(
    ("version", "inherits", "may_make_roles", "ids"),
    [
        (15_00_18, False, True, ["config.W005"]),
        (15_00_18, True, True, ["config.W004", "config.W005"]),
        (15_00_18, False, False, []),
        (16_00_00, True, True, []),
        (18_00_06, True, True, []),
    ],
)
def test_what_a_version_cannot_keep_apart_is_named(
    world, on_version, version, inherits, may_make_roles, ids
):
    on_version(version)
    log_in = database.LogIn(LOG_IN, False, may_make_roles, inherits)
    found = database._findings_of_log_in(log_in)
    assert [finding.id for finding in found] == ids
    assert all("PostgreSQL 15" in finding.sentence for finding in found)
    assert all(LOG_IN in finding.sentence for finding in found)


@pytest.mark.parametrize(
    ("server", "is_named"),
    [
        (Server("Redis", "6.2.14"), True),
        (Server("Redis", "7.0.15"), False),
        (Server("Valkey", "7.2.5"), True),
        (Server("Valkey", "8.0.0"), False),
        (Server("Redis", ""), False),
    ],
)
def test_a_redis_that_is_too_old_is_named_at_a_start(
    django_db_setup, django_db_blocker, monkeypatch, caplog, server, is_named
):
    give(monkeypatch, [])
    monkeypatch.setattr(database, "ask_server", lambda: server)
    with django_db_blocker.unblock():
        database._warn()
    assert (f"{server.name} {server.version} is older" in caplog.text) is is_named


def test_a_valkey_is_asked_for_its_own_version():
    name, version = ask_server()
    assert name == "Valkey"
    assert int(version.partition(".")[0]) >= 8


def test_a_start_without_redis_goes_on(django_db_setup, django_db_blocker, settings, caplog):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with django_db_blocker.unblock():
        database._warn()
    assert "Redis can't be asked yet: ConnectionError" in caplog.text
