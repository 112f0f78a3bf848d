"""Who waits in vain for a brand's lock is told so, and may try again; nothing was stored."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from budgets.services import lock_brand
from campaigns.models import Hold
from tenants.contexts import tenant_context
from tests.conftest import ANN, make_brand, make_campaign
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture
def locked_brand(own_agency):
    """A brand that another connection keeps locked."""
    brand = make_brand(now=datetime.now(UTC))
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with tenant_context(own_agency), transaction.atomic():
            lock_brand(brand.id, by=ANN)
            held.set()
            assert done.wait(PATIENCE_SECONDS)
        connection.close()

    campaign = make_campaign(brand, now=datetime.now(UTC))
    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(PATIENCE_SECONDS)
    yield campaign
    done.set()
    thread.join()


def test_a_command_that_finds_the_brand_locked_is_answered_503(own_agency, locked_brand):
    client = Client(HTTP_HOST=f"{own_agency.slug}.localhost:8000")
    ann = User.objects.create_user("ann@own.example", "x", role=Role.OWNER)
    client.force_login(ann, "django.contrib.auth.backends.ModelBackend")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    page = client.post(f"/campaigns/{locked_brand.id}/command/", {"status": "PAUSED"})
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert "Nothing of yours was stored" in page.content.decode()
    assert not Hold.objects.exists()
