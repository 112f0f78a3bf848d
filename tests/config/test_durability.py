"""A database that may forget what it acknowledged is told of, and works all the same."""

import logging

import pytest
from django.core.management import call_command
from django.db import connection

from config import durability
from config.durability import SETTINGS, check_durability, not_durable
from config.health import check_health
from tenants.contexts import platform_context
from tests.conftest import NOON


def give(monkeypatch, answer):
    monkeypatch.setattr(durability, "not_durable", lambda: answer)


def test_it_names_what_is_off(world):
    with platform_context(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = 'on'")
        assert "synchronous_commit" not in not_durable()
        cursor.execute("SET LOCAL synchronous_commit = 'off'")
        assert "synchronous_commit=off" in not_durable()
        cursor.execute("SELECT count(*) FROM pg_settings WHERE name = ANY(%s)", [list(SETTINGS)])
        assert cursor.fetchone() == (len(SETTINGS),)


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


@pytest.mark.parametrize(("found", "warnings"), [("fsync=off", 1), ("", 0)])
def test_a_start_logs_a_warning_where_there_is_something_to_warn_of(
    django_db_setup, django_db_blocker, monkeypatch, caplog, found, warnings
):
    give(monkeypatch, found)
    with django_db_blocker.unblock(), caplog.at_level(logging.WARNING):
        durability._warn()
    assert [record.levelname for record in caplog.records] == ["WARNING"] * warnings
    assert caplog.text.count("fsync=off") == warnings


def test_a_start_without_the_database_goes_on(django_db_setup, monkeypatch, caplog):
    def fail():
        raise OSError("away")

    monkeypatch.setattr(durability, "not_durable", fail)
    durability._warn()
    assert "can't be asked yet" in caplog.text


def test_a_durable_database_is_no_finding(world, monkeypatch):
    give(monkeypatch, "")
    assert check_durability(databases=["default"]) == []
