"""A secret that is shown once stands nowhere else: in no row, in no log, not in Valkey."""

import io
import logging

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from accounts.models import ApiKey
from accounts.sessions import SessionStore
from backoffice.sites import agency_site
from tenants.contexts import owner_context, tenant_context
from tests.backoffice.conftest import page


def stored() -> str:
    """Return all that is stored, as text: every row of every table, and Valkey."""
    with owner_context(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        tables = [table for (table,) in cursor.fetchall()]
        rows = []
        for table in tables:
            cursor.execute(f"SELECT t::text FROM {table} t")
            rows += [row for (row,) in cursor.fetchall()]
    server = redis.Redis.from_url(settings.REDIS_URL)
    rows += [repr(server.dump(key)) for key in server.scan_iter()]
    assert len(tables) > 60
    return "\n".join(rows)


def in_the_admin(client) -> str:
    said = {"name": "Probe", "role": "manager", "expires_at_0": "", "expires_at_1": ""}
    answer = client.post(page(ApiKey, "add", site=agency_site), said)
    assert "secret" in answer.context, answer.content
    return answer.context["secret"]


def in_the_portal(client) -> str:
    answer = client.post("/people/keys/new/", {"name": "Probe", "role": "manager"})
    return answer.context["secret"]


def by_command(client) -> str:
    told = io.StringIO()
    call_command("create_api_key", "--agency", "acme", "--name", "Probe", stdout=told)
    return told.getvalue().split()[-1]


@pytest.mark.parametrize("make", [in_the_admin, in_the_portal, by_command])
def test_a_key_is_shown_and_stored_nowhere(world, log_in, caplog, make):
    client = log_in("ann@acme.example")
    with caplog.at_level(logging.DEBUG):
        secret = make(client)
    with tenant_context(world.acme):
        assert ApiKey.objects.filter(name="Probe", prefix=secret.partition(".")[0]).exists()
    assert len(secret) > 30
    found = stored()
    # Or its absence would prove nothing: a session's row is encoded, and says what it holds.
    assert secret.partition(".")[0] in found
    assert secret not in found
    assert secret.partition(".")[2] not in found
    assert secret not in caplog.text
    with tenant_context(world.acme):
        for key in SessionStore().model.objects.values_list("session_key", flat=True):
            assert secret not in str(dict(SessionStore(key).items()))
