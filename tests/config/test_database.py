"""A database that may forget what it acknowledged is told of, and works all the same."""

import logging

import pytest
from django.core.management import call_command
from django.db import connection

from config import database
from config.database import DURABILITY_SETTINGS, Finding, check_database, findings
from config.health import check_health
from tenants.contexts import platform_context
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
