"""django-tenants' PostgreSQL backend with a stricter fence (design: "Fences between agencies").

- A connection starts in no context: SQL raises `NoContextError` until one is entered, `public` too.
- In an agency's context the search_path is that agency's schema alone, without `public`, so a
  table that the agency lacks "does not exist" instead of answering with everybody's rows.
- The path is sent once per change of context, not before every cursor, and a failure to set it
  reaches the caller. (django-tenants 4.0.1 swallows it and runs the next query on the old path.)
"""

from typing import Any

from django.db import ProgrammingError
from django.db.backends.base.base import NO_DB_ALIAS
from django_tenants.postgresql_backend import base
from django_tenants.utils import quote_schema_name
from psycopg.pq import TransactionStatus


class NoContextError(ProgrammingError):
    """SQL on a connection that was put into no agency's context, nor the platform's."""


FakeTenant = base.FakeTenant
NOWHERE = FakeTenant(schema_name=None)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that is in one schema, or in none."""

    _setting_search_path: bool
    search_path_set_schemas: list[str] | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The maintenance connection that makes and drops test databases has no agencies.
        if self.alias != NO_DB_ALIAS:
            self.leave()

    def leave(self) -> None:
        """Put the connection into no context: the next statement raises."""
        self.set_tenant(NOWHERE)

    def _handle_search_path(self, cursor: Any = None) -> None:
        # The parent forgets search_path_set_schemas on close, rollback and savepoint rollback,
        # each of which takes a SET back, so the path is sent again then.
        if self._setting_search_path or self.search_path_set_schemas:
            return
        if not self.schema_name:
            raise NoContextError(
                "No agency's context was entered: use tenant_context(agency) or platform_context()."
            )
        # In a failed transaction nothing can be sent, and nothing runs before the rollback,
        # which asks for the path again.
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return
        base._check_schema_name(self.schema_name)
        self._setting_search_path = True
        own = self.connection.cursor() if cursor is None else cursor
        try:
            path = quote_schema_name(self.schema_name)
            # Our own cursor is psycopg's: its errors would pass by whoever catches Django's.
            with self.wrap_database_errors:
                own.execute("SELECT set_config('search_path', %s, false)", [path])
                own.fetchall()
            # Only now: a SET that was cancelled half-way is sent again, before anything else is.
            self.search_path_set_schemas = [self.schema_name]
        finally:
            self._setting_search_path = False
            if cursor is None:
                own.close()
