"""Enter an agency, or the platform's own schema. There is no other way to a table.

`with agency:` and `schema_context` as a decorator share state between threads in django-tenants
4.0.1: only `with tenant_context(agency)`.
"""

from contextlib import AbstractContextManager

from django.db import connection
from django_tenants.utils import get_public_schema_name, tenant_context

from fence.base import FakeTenant

from .models import Agency


def platform_context() -> AbstractContextManager[None]:
    """Enter the platform's schema: agencies, domains, periodic tasks, the platform's staff."""
    context: AbstractContextManager[None] = tenant_context(FakeTenant(get_public_schema_name()))
    return context


def current_agency() -> Agency:
    """Return the agency whose context this thread is in."""
    agency = connection.tenant  # type: ignore[attr-defined]
    assert isinstance(agency, Agency), "no agency's context was entered"
    return agency


__all__ = ["current_agency", "platform_context", "tenant_context"]
