"""The known world: two agencies with real schemas. Ann owns Acme, Max manages it, Vic only looks;
Zoe owns Zeta, and must see nothing of Acme.

Tests run in a transaction that is rolled back; those that need commits make an agency of their own
(`own_agency`).
"""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import hypothesis
import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import setup_databases, teardown_databases

from accounts.models import User, create_api_key
from accounts.roles import Role
from budgets.models import Brand
from campaigns.models import Campaign
from campaigns.services import brands, campaigns
from config import broker
from kernel import caches, counters, valkey
from kernel.actor import Actor, ActorKind
from kernel.counters import Count
from tenants.contexts import owner_context, platform_context, tenant_context
from tenants.models import Agency
from tenants.services import create_agency, remove_agency

# How long an example takes is the machine's matter.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # A Monday.
ANN = Actor(ActorKind.PERSON, "ann", "Ann")
PASSWORD = "correct horse battery"
# An id that nothing carries; a random one would differ between the processes of one run.
NOBODY = "76ab6a1d-e637-49a1-bcef-ed66b60f0375"


@dataclass(frozen=True)
class World:
    acme: Agency
    zeta: Agency


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment, django_db_modify_db_settings, django_db_blocker
) -> Iterator[None]:
    """Make the test database and the two agencies.

    Ours rather than pytest-django's, which makes none where only tests that really commit run:
    those ask for `own_agency`, which it does not know, and would write to the real database.
    """
    with django_db_blocker.unblock():
        with owner_context():
            made = setup_databases(verbosity=0, interactive=False, aliases={"default": True})
        connection.set_schema_to_public()  # type: ignore[attr-defined]
        for name, slug, people in (
            ("Acme Media", "acme", ["ann:owner", "max:manager", "vic:viewer"]),
            ("Zeta Ads", "zeta", ["zoe:owner"]),
        ):
            agency = create_agency(name=name, slug=slug)
            with tenant_context(agency):
                for person in people:
                    who, role = person.split(":")
                    User.objects.create_user(
                        f"{who}@{slug}.example", PASSWORD, role=Role(role), name=who.title()
                    )
    yield
    with django_db_blocker.unblock():
        # Roles outlive the database.
        with platform_context():
            for agency in Agency.objects.all():
                remove_agency(agency)
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def patient_with_valkey() -> Iterator[None]:
    """A server that is slow on a busy machine is not one that is away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(valkey, "PATIENCE_SECONDS", 10.0)
        patch.setattr(caches, "PATIENCE_SECONDS", 10.0)
        patch.setattr(broker, "PATIENCE_SECONDS", 10.0)
        yield


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]


@pytest.fixture
def world(db) -> World:
    with platform_context():
        return World(*(Agency.objects.get(slug=slug) for slug in ("acme", "zeta")))


@pytest.fixture
def acme(world: World) -> Iterator[Agency]:
    """Acme, with its context entered."""
    with tenant_context(world.acme):
        yield world.acme


@pytest.fixture
def zeta(world: World) -> Agency:
    """Zeta, whose context a test enters itself."""
    return world.zeta


@pytest.fixture
def own_agency(django_db_setup, django_db_blocker) -> Iterator[Agency]:
    """An agency whose rows are really committed, for tests with several connections."""
    with django_db_blocker.unblock():
        with platform_context():
            agency = create_agency(name="Own", slug=f"own-{datetime.now(UTC):%H%M%S%f}")
        try:
            with tenant_context(agency):
                yield agency
        finally:
            remove_agency(agency)


def make_brand(
    name: str = "Northwind",
    *,
    daily: str | None = None,
    monthly: str | None = None,
    now: datetime = NOON,
    **fields: Any,
) -> Brand:
    """Make a brand with its limits, as of `now`."""
    return brands.create_brand(
        name=name,
        daily_budget=None if daily is None else Decimal(daily),
        monthly_budget=None if monthly is None else Decimal(monthly),
        now=now,
        by=ANN,
        **fields,
    )


def make_campaign(
    brand: Brand,
    name: str = "Search",
    *,
    daily: str | None = None,
    monthly: str | None = None,
    now: datetime = NOON,
    **fields: Any,
) -> Campaign:
    """Make a campaign of a brand, decided on as of `now`."""
    return campaigns.create_campaign(
        brand_id=brand.id,
        name=name,
        daily_budget=None if daily is None else Decimal(daily),
        monthly_budget=None if monthly is None else Decimal(monthly),
        now=now,
        by=ANN,
        **fields,
    )


@pytest.fixture
def log_in(world: World) -> Callable[[str], Client]:
    """Return a function that logs a person in on the own agency's host:
    `log_in("ann@acme.example")`.
    """

    def enter(email: str) -> Client:
        slug = email.partition("@")[2].partition(".")[0]
        client = Client(HTTP_HOST=f"{slug}.localhost:8000")
        with tenant_context(getattr(world, slug)):
            client.force_login(
                User.objects.get(email=email), "django.contrib.auth.backends.ModelBackend"
            )
        return client

    return enter


@pytest.fixture
def api(world: World) -> Callable[..., Client]:
    """Return a function that makes a client with a fresh API key: `api("manager", "zeta")`."""

    def connect(role: str = "manager", slug: str = "acme") -> Client:
        with tenant_context(getattr(world, slug)):
            _, secret = create_api_key(name=f"{role} of {slug}", role=Role(role))
        return Client(HTTP_HOST=f"{slug}.localhost:8000", HTTP_AUTHORIZATION=f"Api-Key {secret}")

    return connect


@pytest.fixture
def counted(settings, monkeypatch) -> Callable[[], dict[Count, float]]:
    """Counters of the test's own; return a function that tells what was counted so far."""
    # Another database than the cache's, which other tests empty meanwhile.
    settings.REDIS_URL = urlsplit(settings.REDIS_URL)._replace(path="/1").geturl()
    monkeypatch.setattr(counters, "KEY", f"test:{uuid4()}")
    monkeypatch.setattr(valkey.Silence, "until", 0.0)
    return lambda: {count: number for count, number in counters.read().items() if number}


@pytest.fixture
def mute_redis(settings, monkeypatch) -> Iterator[socket.socket]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        # Waited for shortly, and left alone for as long as the test takes.
        monkeypatch.setattr(valkey, "PATIENCE_SECONDS", 0.05)
        monkeypatch.setattr(valkey, "SILENCE_SECONDS", 3600.0)
        monkeypatch.setattr(valkey, "SLOW_SILENCE_SECONDS", 3600.0)
        monkeypatch.setattr(valkey.Silence, "until", 0.0)
        yield server


@pytest.fixture
def clean_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
