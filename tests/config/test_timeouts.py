"""A statement that finds no end is cancelled and answered 503; commands may take their time."""

import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from budgets.models import Brand
from campaigns.services import brands
from embedded.ports import free_port
from kernel.errors import Busy
from kernel.transactions import atomic
from tenants.contexts import owner_context, platform_context
from tests.config.container_files import ROOT
from tests.conftest import make_brand


@atomic
def take_forever(*_, **__):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '50ms'")
        cursor.execute("SELECT pg_sleep(30)")


def test_web_and_workers_have_all_three(own_agency):
    seconds = {
        "statement_timeout": settings.STATEMENT_TIMEOUT_SECONDS,
        "lock_timeout": settings.LOCK_TIMEOUT_SECONDS,
        "idle_in_transaction_session_timeout": settings.IDLE_IN_TRANSACTION_TIMEOUT_SECONDS,
    }
    connection.close()
    with connection.cursor() as cursor:
        for name, expected in seconds.items():
            cursor.execute("SELECT setting::int FROM pg_settings WHERE name = %s", [name])
            assert cursor.fetchone() == (expected * 1000,), name
    # Who waits for a lock is told so, and not that the statement took too long.
    assert settings.LOCK_TIMEOUT_SECONDS < settings.STATEMENT_TIMEOUT_SECONDS


def test_a_command_may_take_its_time():
    code = (
        "from django.db import connection\n"
        # The database was never migrated: nobody else has a role yet.
        "with connection.as_owner(), connection.cursor() as cursor:\n"
        "    cursor.execute('SHOW statement_timeout'); print(cursor.fetchone()[0])"
    )
    argv = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "0\n", done.stderr


def test_the_api_answers_503_and_goes_on(acme, api, monkeypatch):
    client = api("manager")
    monkeypatch.setattr(brands, "create_brand", take_forever)
    response = client.post("/api/brands/", {"name": "N"}, "application/json")
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert response.json() == {
        "detail": "This took the database too long. Try again in a moment.",
    }
    monkeypatch.undo()
    assert client.post("/api/brands/", {"name": "N"}, "application/json").status_code == 201


@pytest.mark.parametrize(
    ("path", "slow"),
    [
        ("/brands/", "portal.views.brands.render"),
        ("/admin/budgets/brand/", "django.contrib.admin.ModelAdmin.get_queryset"),
    ],
)
def test_a_page_answers_503_in_words(acme, log_in, monkeypatch, path, slow):
    client = log_in("ann@acme.example")
    monkeypatch.setattr(slow, take_forever)
    response = client.get(path)
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "no-store" in response["Cache-Control"]
    assert "This took the database too long." in response.content.decode()
    monkeypatch.undo()
    assert client.get(path).status_code == 200


def test_the_platforms_site_answers_503_too(world, monkeypatch):
    monkeypatch.setattr("portal.views.landing.render", take_forever)
    response = Client(HTTP_HOST="localhost:8000").get("/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_another_failure_stays_our_mistake(acme, log_in, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("portal.views.brands.render", fail)
    client = log_in("ann@acme.example")
    client.raise_request_exception = False
    assert client.get("/brands/").status_code == 500


def test_a_cancelled_statement_leaves_the_connection_usable(own_agency):
    with connection.cursor() as cursor:
        # Long enough for every statement but the one that sleeps.
        cursor.execute("SET statement_timeout = '2s'")
        with pytest.raises(Exception, match="statement timeout"):
            cursor.execute("SELECT pg_sleep(30)")
    make_brand()
    with platform_context(), connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchone() == ('"public"',)
    connection.close()


@pytest.fixture
def nobody_at_home(own_agency, monkeypatch):
    """A database at whose port nobody listens."""
    connection.close()
    with monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict, "PORT", str(free_port()))
        yield own_agency
        connection.close()


@pytest.mark.parametrize("path", ["/api/brands/", "/", "/accounts/login/"])
def test_a_database_that_is_away_is_503_and_not_our_mistake(nobody_at_home, path):
    answer = Client(HTTP_HOST=f"{nobody_at_home.slug}.localhost:8000").get(path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "can't be reached" in answer.json()["detail"]


def test_a_connection_that_is_lost_on_the_way_is_refused_in_words(own_agency):
    with pytest.raises(Busy, match="can't be reached"):
        lose_the_connection()
    # The next one connects anew.
    connection.close()
    assert Brand.objects.count() == 0


@atomic
def lose_the_connection():
    with owner_context(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
