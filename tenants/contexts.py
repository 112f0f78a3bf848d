"""Enter an agency, or the platform's own schema. There is no other way to a table.

`with agency:` and `schema_context` as a decorator share state between threads in django-tenants
4.0.1: only `with tenant_context(agency)`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.transaction import TransactionManagementError
from django_tenants.utils import get_public_schema_name, tenant_context

from fence.base import FakeTenant

from .models import Agency


def platform_context() -> AbstractContextManager[None]:
    """Enter the platform's schema: agencies, domains, periodic tasks, the platform's staff."""
    context: AbstractContextManager[None] = tenant_context(FakeTenant(get_public_schema_name()))
    return context


@contextmanager
def owner_context() -> Iterator[None]:
    """Enter the platform's schema as the owner of all schemas: to migrate, make and remove them.

    Whatever is entered inside is entered as the owner too. With a `DATABASE_OWNER_URL` it is a
    connection of its own, which can't be opened within a transaction of the other.
    """
    owner = settings.OWNER_DATABASE
    if owner is None or connection.settings_dict["USER"] == owner["USER"]:
        with connection.as_owner(), platform_context():  # type: ignore[attr-defined]
            yield
        return
    if connection.in_atomic_block:
        raise TransactionManagementError("The owner's connection is none of this transaction's.")
    # Everything asks `connections` for the one of this thread.
    other = connections[DEFAULT_DB_ALIAS]
    own = connections.create_connection(DEFAULT_DB_ALIAS)
    own.settings_dict = {**other.settings_dict, **owner, "NAME": other.settings_dict["NAME"]}
    connections[DEFAULT_DB_ALIAS] = own
    try:
        with own.as_owner(), platform_context():  # type: ignore[attr-defined]
            yield
    finally:
        own.close()
        connections[DEFAULT_DB_ALIAS] = other


def current_agency() -> Agency:
    """Return the agency whose context this thread is in."""
    agency = connection.tenant  # type: ignore[attr-defined]
    assert isinstance(agency, Agency), "no agency's context was entered"
    return agency


__all__ = ["current_agency", "owner_context", "platform_context", "tenant_context"]
