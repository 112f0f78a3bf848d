"""The tables of a new agency: migrated once for each state of the code, then sent as one script.

To migrate an empty schema is mostly Python at work: it renders the models as they were before each
migration. What it sends to PostgreSQL in the end is the same each time. So the first agency under
a set of migrations is migrated, and what was sent is kept word for word (`SchemaScript`, in
`public`); every later one is sent that again, in one message and one transaction. Same statements,
same order: the same names, types, rows and numbers. `tests/tenants/test_schemas.py` holds them
against a migrated schema's, so a migration that writes another thing into each new agency does not
pass.

The script's key follows from the migrations themselves, so that new ones are noticed by themselves.
Nothing else is kept: no schema to copy from, and nothing that a crash could leave half made.
"""

import logging
import re
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.migrate import Command as Migrate
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django_tenants.utils import quote_schema_name

from .contexts import owner_context, platform_context, tenant_context
from .models import Agency, SchemaScript
from .rights import drop_role, grant_rights

logger = logging.getLogger("tenants.schemas")


# Raise it where the same statements are kept in another way, so that they are recorded anew.
_EDITION = 2
_MAY_CHANGE = re.compile(r"\b(set_config|setval|nextval|pg_\w*lock)\s*\(", re.IGNORECASE)


class UnableToReplay(Exception):
    """What migrations sent to one agency's schema is not what another's would be sent."""


def fill_schema(agency: Agency, *, now: datetime) -> None:
    """Give the agency its schema with all of its tables and its role, from nothing: what is in it
    is dropped.
    """
    with owner_context():
        _fill(agency, now=now)


def drop_schema(agency: Agency) -> None:
    """Drop the agency's schema with all that is in it, and its role; none is no error."""
    with owner_context():
        with connection.cursor() as cursor:
            schema = quote_schema_name(agency.schema_name)
            cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        drop_role(agency.schema_name)


def _fill(agency: Agency, *, now: datetime) -> None:
    key = migrations_key()
    script = SchemaScript.objects.filter(key=key).values_list("sql", flat=True).first()
    if script is not None:
        try:
            _replay(agency, script, now=now)
        except DatabaseError:
            logger.exception(
                "agency=%s is migrated step by step: the script of its tables failed", agency.slug
            )
        else:
            return
    recorded = _migrate(agency)
    if script is not None:
        return
    try:
        script = recorded()
    except UnableToReplay:
        logger.exception(
            "every new agency is migrated step by step, which takes several times as long"
        )
        return
    SchemaScript.objects.bulk_create(
        # Two processes may have made the first two agencies at once; both recorded the same.
        [SchemaScript(key=key, sql=script, recorded_at=now)],
        ignore_conflicts=True,
    )


def migrations_key() -> str:
    """Return a digest of all that decides which tables a new agency gets.

    That is every migration, word for word, and what reads them: Django and the lists of apps. The
    files are read each time (some milliseconds), as Django looks for migrations each time.
    """
    said = (_EDITION, django.VERSION, settings.INSTALLED_APPS, settings.TENANT_APPS)
    digest = sha256(repr(said).encode())
    for app in apps.get_app_configs():
        package, _ = MigrationLoader.migrations_module(app.label)
        spec = find_spec(package) if package else None
        for folder in (spec and spec.submodule_search_locations) or []:
            for path in sorted(Path(folder).glob("*.py")):
                digest.update(f"\n{package} {path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


@transaction.atomic
def _replay(agency: Agency, script: str, *, now: datetime) -> None:
    """Make the schema by what migrations sent to another one, all or nothing."""
    _begin_anew(agency)
    with tenant_context(agency), connection.cursor() as cursor:
        # Each migration ended with a commit of its own, which checked what it had deferred.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(script)
        cursor.execute("UPDATE django_migrations SET applied = %s", [now])
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    grant_rights(agency.schema_name)


def _migrate(agency: Agency) -> Callable[[], str]:
    """Make the schema by running every migration; return what tells the statements as a script."""
    _begin_anew(agency)
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        # Afterwards: what was refused, and perhaps tried in another way, is no part of it.
        for values in params if many else [params]:
            statements.append(sql if values is None else _composed(sql, values))
        return result

    with tenant_context(agency), connection.execute_wrapper(note):
        call_command(Migrate(), interactive=False, verbosity=0)
    grant_rights(agency.schema_name)
    return lambda: _script(statements, schema_name=agency.schema_name)


def _composed(sql: str, values: Any) -> str:
    return connection.ops.compose_sql(sql, values)  # type: ignore[attr-defined, no-any-return]


def _script(statements: list[str], *, schema_name: str) -> str:
    """Join the statements. Raises UnableToReplay where one of them is about this schema alone."""
    kept = []
    for statement in statements:
        if _is_question(statement):
            continue
        # pgtrigger takes a trigger away while a column that it looks at is altered, and puts back
        # what PostgreSQL tells of it, schema included. The path leads to the same table.
        if statement.startswith("CREATE TRIGGER "):
            statement = statement.replace(f" ON {schema_name}.", " ON ", 1)
        if schema_name not in statement:
            kept.append(statement)
        elif not statement.lstrip().upper().startswith(("SELECT", "SET SEARCH_PATH")):
            raise UnableToReplay(f"{schema_name} is named in: {statement[:500]}")
        # Else the schema was entered, as the script's reader has done.
    # A line of its own for each semicolon: a statement may end with a comment.
    return "\n;\n".join(kept)


def _is_question(statement: str) -> bool:
    """Return whether a statement changes nothing: what was answered is in what was sent then.

    Questions about the catalog take the longer the more agencies there are.
    """
    return statement.lstrip().upper().startswith("SELECT") and not _MAY_CHANGE.search(statement)


def _begin_anew(agency: Agency) -> None:
    schema = quote_schema_name(agency.schema_name)
    with platform_context(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        cursor.execute(f"CREATE SCHEMA {schema}")
