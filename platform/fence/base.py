"""django-tenants' PostgreSQL backend with a stricter fence (design: "Fences between agencies").

- A connection starts in no context: SQL raises `NoContextError` until one is entered, `public` too.
- In an agency's context the search_path is that agency's schema alone, without `public`, so a
  table that the agency lacks "does not exist" instead of answering with everybody's rows.
- And it runs as that agency's own database role, which has rights on nothing else: a statement
  that names another schema in full is refused by PostgreSQL. The platform's context has a role of
  its own in the same way. Only `as_owner` is what logged in: migrations and the making of agencies.
- Path and role are sent in one statement, once per change of context and not before every cursor,
  and a failure reaches the caller. (django-tenants 4.0.1 swallows it and runs the next query on
  the old path.)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import ProgrammingError
from django.db.backends.base.base import NO_DB_ALIAS
from django_tenants.postgresql_backend import base
from django_tenants.utils import get_public_schema_name, quote_schema_name
from psycopg.pq import TransactionStatus

from .roles import NO_ROLE, agency_role, platform_role


class NoContextError(ProgrammingError):
    """SQL on a connection that was put into no agency's context, nor the platform's."""


POSTGRESQL_OLDEST = (15,)

FakeTenant = base.FakeTenant
NOWHERE = FakeTenant(schema_name=None)


class DatabaseFeatures(base.DatabaseWrapper.features_class):  # type: ignore[misc]
    # Django asks with the first connection of each process, and refuses older servers by name.
    minimum_database_version = POSTGRESQL_OLDEST


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that is in one schema, or in none."""

    features_class = DatabaseFeatures
    _setting_search_path: bool
    search_path_set_schemas: list[str] | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The maintenance connection that makes and drops test databases has no agencies.
        self._is_owner = self.alias == NO_DB_ALIAS
        if not self._is_owner:
            self.leave()

    def leave(self) -> None:
        """Put the connection into no context: the next statement raises."""
        self.set_tenant(NOWHERE)

    @contextmanager
    def as_owner(self) -> Iterator[None]:
        """Do what is done inside as the role that logged in, in whatever schema is entered."""
        was_owner = self._is_owner
        self._is_owner, self.search_path_set_schemas = True, None
        try:
            yield
        finally:
            self._is_owner, self.search_path_set_schemas = was_owner, None

    def _handle_search_path(self, cursor: Any = None) -> None:
        # The parent forgets search_path_set_schemas on close, rollback and savepoint rollback,
        # each of which takes a SET back, so path and role are sent again then.
        if self._setting_search_path or self.search_path_set_schemas:
            return
        if not self.schema_name:
            raise NoContextError(
                "No agency's context was entered: use tenant_context(agency) or platform_context()."
            )
        # In a failed transaction nothing can be sent, and nothing runs before the rollback,
        # which asks for them again.
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return
        base._check_schema_name(self.schema_name)
        self._setting_search_path = True
        own = self.connection.cursor() if cursor is None else cursor
        try:
            # Our own cursor is psycopg's: its errors would pass by whoever catches Django's.
            with self.wrap_database_errors:
                own.execute(
                    "SELECT set_config('role', %s, false), set_config('search_path', %s, false)",
                    [self._role(), quote_schema_name(self.schema_name)],
                )
                own.fetchall()
            # Only now: a SET that was cancelled half-way is sent again, before anything else is.
            self.search_path_set_schemas = [self.schema_name]
        finally:
            self._setting_search_path = False
            if cursor is None:
                own.close()

    def _role(self) -> str:
        if self._is_owner or not settings.DATABASE_ROLES:
            return NO_ROLE
        if self.schema_name == get_public_schema_name():
            return platform_role(self.settings_dict["NAME"])
        return agency_role(str(self.schema_name))
