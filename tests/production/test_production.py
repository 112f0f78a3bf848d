"""The README's lines for production, taken from the README and run on PostgreSQL 15 and 18."""

import http.client
import json
import re
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import psycopg
import pytest

from embedded.ports import LOOPBACK, http_status
from tests.crash.world import noon_zone
from tests.production.clusters import wait_for
from tests.production.conftest import Production, readme_block
from tests.waiting import wait_until


def call(production: Production, method: str, path: str, key: str, body: Any = None) -> Any:
    connection = http.client.HTTPConnection(LOOPBACK, production.port, timeout=60)
    headers = {
        "Host": f"trial.localhost:{production.port}",
        "Authorization": f"Api-Key {key}",
        "Content-Type": "application/json",
    }
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        told = answer.read()
        assert answer.status < 300, (answer.status, told)
        return json.loads(told)
    finally:
        connection.close()


@pytest.fixture(scope="module")
def trial(production):
    """The agency Trial; returns a key of it."""
    production.run("python manage.py create_agency Trial --slug trial --owner you@example.com")
    told = production.run(
        "python manage.py create_api_key --agency trial --role manager --name Script"
    )
    [key] = re.findall(r"^\w+\.\w+$", told, re.MULTILINE)
    return key


def test_the_commands_run_and_the_ledger_is_whole(production, trial):
    assert "6 brands" in production.run("python manage.py seed_data")
    assert "errors=0" in production.run("python manage.py enforce_budgets").splitlines()[-1]
    assert "total: violations=0" in production.run("python manage.py audit_ledger")


def test_what_the_version_cannot_do_is_named(production):
    told = production.run("python manage.py check --database default")
    names_it = "PostgreSQL 15 lets the log-in role paceline" in told
    assert names_it is (production.version == "15")
    assert "superuser, which no right binds" not in told
    assert "has the rights of every agency at once" not in told


def test_the_log_in_has_no_agencys_rights_until_it_takes_its_role(production, trial):
    with (
        production.superuser() as superuser,
        psycopg.connect(production.environment["DATABASE_URL"]) as log_in,
    ):
        [(schema,)] = superuser.execute(
            "SELECT schema_name FROM tenants_agency WHERE slug = 'trial'"
        )
        asked = "SELECT pg_has_role('paceline', %s, 'USAGE'), pg_has_role('paceline', %s, 'MEMBER')"
        assert superuser.execute(asked, [schema, schema]).fetchone() == (False, True)
        # As the agency's role it reaches that agency alone.
        log_in.execute(f'SET ROLE "{schema}"')
        log_in.execute(f'SELECT count(*) FROM "{schema}".budgets_brand')
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            log_in.execute("SELECT * FROM public.tenants_agency")


def test_nobody_but_the_owner_may_create_in_public(production):
    with production.superuser() as superuser:
        may = superuser.execute(
            "SELECT rolname FROM pg_roles WHERE NOT rolsuper AND rolname NOT LIKE 'pg\\_%%'"
            " AND has_schema_privilege(oid, 'public', 'CREATE')"
        ).fetchall()
    assert may == [("paceline",)]


def test_a_log_in_that_owns_nothing_is_told_what_it_lacks(production):
    with production.superuser() as superuser:
        superuser.execute("CREATE DATABASE other")
    url = production.environment["DATABASE_URL"]
    stranger = replace(
        production,
        environment=production.environment
        | {"DATABASE_URL": urlsplit(url)._replace(path="/other").geturl()},
    )
    told = stranger.run("python manage.py migrate", answers=1)
    assert "paceline may not create tables in the schema public of the database other" in told
    assert "Traceback" not in told


def test_web_worker_and_beat_hold_a_campaign_and_report_healthy(production, trial):
    migrate, *lines = readme_block("python manage.py migrate")
    assert [line.split()[0] for line in lines] == ["gunicorn", "celery", "celery"]
    production.run(migrate)
    with ExitStack() as stack:
        started = []
        for line in lines:
            process = production.process(line)
            stack.callback(process.stop)
            process.start()
            started.append(process)
        url = production.environment["PACELINE_URL"]
        wait_for(
            lambda: http_status(bind=LOOPBACK, port=production.port, url=url) == 200,
            process=started[0],
        )
        now = datetime.now(UTC)
        zone = noon_zone(now)
        limited = {"name": "Northwind", "daily_budget": "100.00", "time_zone": zone}
        brand = call(production, "POST", "/api/brands/", trial, limited)
        campaign = call(
            production, "POST", "/api/campaigns/", trial, {"brand": brand["id"], "name": "Search"}
        )
        today = now.astimezone(ZoneInfo(zone)).date()
        spend = {"campaign": campaign["id"], "amount": "100.00", "spend_date": f"{today}"}
        call(production, "POST", "/api/spends/", trial, spend)
        after = call(production, "GET", f"/api/campaigns/{campaign['id']}/", trial)
        assert after["status"] == "PAUSED"

        def health() -> dict[str, str]:
            checks = call(production, "GET", "/api/health/", trial)["checks"]
            return {name: check["status"] for name, check in checks.items() if "status" in check}

        wait_until(lambda: set(health().values()) == {"ok"})
        told = call(production, "GET", "/api/health/", trial)["checks"]
    assert told["database"]["detail"].startswith(f"PostgreSQL {production.version}.")
    assert told["redis"]["detail"].startswith("Redis 7.")
    assert [process.exit_code() for process in started] == [0, 0, 0]


def test_a_deletion_writes_its_export_first(production, trial):
    production.run("python manage.py create_agency Gone --slug gone --owner gus@example.com")
    production.run("python manage.py seed_data --agency gone --days 2")
    with production.superuser() as superuser:
        [(schema,)] = superuser.execute(
            "SELECT schema_name FROM tenants_agency WHERE slug = 'gone'"
        )
    export = production.home / "gone.zip"
    told = production.run(f"python manage.py delete_agency gone --export {export}")
    assert "gone is deleted." in told
    with ZipFile(export) as archive:
        assert len(archive.read("tables/budgets_brand.jsonl").splitlines()) == 3
    with production.superuser() as superuser:
        left = superuser.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname = %(it)s"
            " UNION SELECT rolname FROM pg_roles WHERE rolname = %(it)s"
            " UNION SELECT slug FROM tenants_agency WHERE slug = 'gone'",
            {"it": schema},
        ).fetchall()
    assert left == []


def test_the_rights_suite_passes(production):
    with production.superuser() as superuser:
        # The suite makes a database of its own.
        superuser.execute("ALTER ROLE paceline CREATEDB")
    told = production.run("python -m pytest -q -p no:cacheprovider tests/fence/test_rights.py")
    assert " passed" in told
    assert "skipped" not in told
