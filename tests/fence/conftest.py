"""Two agencies with rows that are really committed, and a word of each that nobody else may read.

Sabotage needs more than one connection, and errors that would end a test's own transaction.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django_tenants.postgresql_backend import base as stock_backend

from budgets.models import Brand
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency
from tenants.services import create_agency, remove_agency
from tests.conftest import make_brand, make_campaign


@dataclass(frozen=True)
class Neighbours:
    """Ours, and the one whose `secret` must never be read in ours."""

    ours: Agency
    theirs: Agency
    own = "Own brand"
    secret = "Canary of the other agency"


@pytest.fixture(scope="module")
def neighbours(django_db_setup, django_db_blocker) -> Iterator[Neighbours]:
    with django_db_blocker.unblock():
        with platform_context():
            made = [create_agency(name=slug.title(), slug=slug) for slug in ("ours", "theirs")]
        both = Neighbours(*made)
        for agency, name in ((both.ours, both.own), (both.theirs, both.secret)):
            with tenant_context(agency):
                make_campaign(make_brand(name, daily="10.00"), name)
        try:
            yield both
        finally:
            connection.close()
            for agency in made:
                remove_agency(agency)


@pytest.fixture
def unblocked(django_db_blocker) -> Iterator[None]:
    """Let the test speak to the database, in no transaction, on a connection of its own."""
    with django_db_blocker.unblock():
        entered = connection.tenant  # type: ignore[attr-defined]
        connection.close()
        connection.leave()  # type: ignore[attr-defined]
        yield
        connection.close()
        connection.set_tenant(entered)  # type: ignore[attr-defined]


@pytest.fixture
def stock(neighbours, unblocked) -> Iterator[stock_backend.DatabaseWrapper]:
    """Put django-tenants' own backend, as it comes, in the place of ours."""
    with stock_connection() as own:
        yield own


@contextmanager
def stock_connection() -> Iterator[stock_backend.DatabaseWrapper]:
    ours = connections["default"]
    own = stock_backend.DatabaseWrapper(dict(ours.settings_dict), "default")
    connections["default"] = own
    try:
        yield own
    finally:
        own.close()
        connections["default"] = ours


@pytest.fixture
def set_before_each_cursor(monkeypatch) -> None:
    """As django-tenants comes: without TENANT_LIMIT_SET_CALLS."""
    monkeypatch.setattr(settings, "TENANT_LIMIT_SET_CALLS", False)


def brand_names() -> list[str]:
    return list(Brand.objects.order_by("name").values_list("name", flat=True))


def in_a_thread(call: Callable[[], Any]) -> Any:
    """Run `call` on a connection of its own, and return what it returned or raised."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(call())
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]
