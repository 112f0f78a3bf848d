"""What each context's database role may do, and where that isn't so yet.

An agency's role reaches its own schema and nothing else, and there only what each table needs: a
model may say `database_rights` (the ledger is SELECT and INSERT). The platform's role has the same
in `public`. Both can log in nowhere; who logs in may become them, and inherits nothing of theirs.

Roles are the cluster's, rights are in the catalogs of this database: what stands there is compared
with what should, so that a restored dump or a killed migration is noticed by itself.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import connection
from django_tenants.utils import get_public_schema_name
from psycopg import sql

from fence.roles import agency_role, platform_role
from kernel.rights import EVERYTHING

_SEQUENCE_RIGHTS = "USAGE"
# Kept by Django, and written by migrations alone.
_WITHOUT_MODEL = {"django_migrations": "SELECT"}
_SCHEMAS_AT_ONCE = 500
_VERSION_OF_GRANT_OPTIONS = 160_000
_RELATIONS = """
    SELECT n.nspname, r.rolname IS NOT NULL
           AND has_schema_privilege(r.oid, n.oid, 'USAGE')
           AND pg_has_role(%s, r.oid, %s),
           c.relname, c.relkind = 'S',
           (SELECT coalesce(string_agg(privilege_type, ', ' ORDER BY privilege_type), '')
            FROM aclexplode(c.relacl) WHERE grantee = r.oid)
    FROM unnest(%s::text[], %s::text[]) AS wanted (schema_name, role_name)
    JOIN pg_namespace n ON n.nspname = wanted.schema_name
    LEFT JOIN pg_roles r ON r.rolname = wanted.role_name
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'S')
"""


# Two that make the platform's role at once both find it missing.
_MAKE_ROLE = """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) THEN
            CREATE ROLE {role} NOLOGIN NOINHERIT;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$"""


# `public` belongs to pg_database_owner. Before version 16 a NOINHERIT owner of the database has its
# rights only after SET ROLE. One statement, so that no role is left on the connection.
_TAKE_PUBLIC = """
    DO $$ BEGIN
        SET LOCAL ROLE pg_database_owner;
        GRANT USAGE, CREATE ON SCHEMA public TO SESSION_USER WITH GRANT OPTION;
        SET LOCAL ROLE none;
    END $$"""
_MAY_CREATE = "SELECT has_schema_privilege('public', 'CREATE')"
_OWNS_DATABASE = "SELECT pg_has_role('pg_database_owner', 'MEMBER')"


class _Relation(NamedTuple):
    """A table or a sequence, and what the schema's role may do with it."""

    name: str
    is_sequence: bool
    rights: str


class _Found(NamedTuple):
    """Whether a schema's role is there and can be taken, and what there is in the schema."""

    is_reached: bool
    relations: list[_Relation]


class UnableToCreate(Exception):
    """The log-in role can't create tables in `public`, and can't give itself the right to."""


def take_public_schema() -> None:
    """Give the database's owner the right to create tables in `public`, where it lacks it.

    Call it as the owner. Raises UnableToCreate where that role owns neither `public` nor the
    database.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MAY_CREATE)
        [may_create] = cursor.fetchone()
        if may_create:
            return
        cursor.execute(_OWNS_DATABASE)
        [owns_database] = cursor.fetchone()
        if owns_database:
            cursor.execute(_TAKE_PUBLIC)
            cursor.execute(_MAY_CREATE)
            [may_create] = cursor.fetchone()
    if not may_create:
        name, role = connection.settings_dict["NAME"], connection.settings_dict["USER"]
        raise UnableToCreate(
            f"{role} may not create tables in the schema public of the database {name}: let it own"
            f" the database (ALTER DATABASE {name} OWNER TO {role}) or the schema (there, ALTER"
            f" SCHEMA public OWNER TO {role})."
        )


def grant_rights(schema_name: str) -> None:
    """Make the role of a schema if there is none, and give it exactly its rights on what is there.

    Call it as the owner. Raises DatabaseError where who logged in may not make roles.
    """
    if not settings.DATABASE_ROLES:
        return
    with connection.cursor() as cursor:
        cursor.execute(_script(schema_name))


def schemas_without_rights(schema_names: Sequence[str]) -> set[str]:
    """Return those of the schemas whose role is missing, or has other rights than it should."""
    if not settings.DATABASE_ROLES:
        return set()
    lacking = set()
    for start in range(0, len(schema_names), _SCHEMAS_AT_ONCE):
        for schema_name, found in _found(schema_names[start : start + _SCHEMAS_AT_ONCE]).items():
            if not found.is_reached or any(r.rights != _wanted(r) for r in found.relations):
                lacking.add(schema_name)
    return lacking


def drop_role(schema_name: str) -> None:
    """Drop an agency's role, whose schema is gone; none is no error. Call it as the owner."""
    if settings.DATABASE_ROLES:
        with connection.cursor() as cursor:
            role = sql.Identifier(agency_role(schema_name))
            cursor.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(role))


def log_in_role() -> str:
    """Return the role as which the application logs in, which is not always the owner."""
    return str(settings.DATABASES["default"]["USER"])


def _role_of(schema_name: str) -> str:
    if schema_name == get_public_schema_name():
        return platform_role(str(connection.settings_dict["NAME"]))
    return agency_role(schema_name)


def _wanted(relation: _Relation) -> str:
    if relation.is_sequence:
        return _SEQUENCE_RIGHTS
    return _table_rights().get(relation.name, EVERYTHING)


def _table_rights() -> dict[str, str]:
    models = apps.get_models(include_auto_created=True)
    said = {model._meta.db_table: getattr(model, "database_rights", None) for model in models}
    return {table: rights for table, rights in said.items() if rights} | _WITHOUT_MODEL


def _found(schema_names: Collection[str]) -> dict[str, _Found]:
    """Return what there is in each schema; one that does not exist is left out."""
    found: dict[str, _Found] = {}
    with connection.cursor() as cursor:
        may = "SET" if _has_grant_options() else "MEMBER"
        names = list(schema_names)
        cursor.execute(_RELATIONS, [log_in_role(), may, names, [_role_of(name) for name in names]])
        for schema_name, is_reached, *relation in cursor.fetchall():
            entry = found.setdefault(schema_name, _Found(bool(is_reached), []))
            if relation[0] is not None:
                entry.relations.append(_Relation(*relation))
    return found


def _script(schema_name: str) -> sql.Composed:
    """Return the statements that give the role exactly its rights, whatever it has now."""
    named: dict[tuple[str, bool], list[str]] = {}
    for relation in _found([schema_name])[schema_name].relations:
        named.setdefault((_wanted(relation), relation.is_sequence), []).append(relation.name)
    schema, role = sql.Identifier(schema_name), sql.Identifier(_role_of(schema_name))
    options = " WITH INHERIT FALSE, SET TRUE" if _has_grant_options() else ""
    parts: list[sql.Composable] = [
        sql.SQL(_MAKE_ROLE).format(name=sql.Literal(_role_of(schema_name)), role=role),
        sql.SQL("GRANT {} TO {}" + options).format(role, sql.Identifier(log_in_role())),
        sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role),
    ]
    for (rights, is_sequence), names in named.items():
        # By their names: for "all tables in schema" PostgreSQL reads its whole catalog, each time.
        what = sql.SQL("SEQUENCE " if is_sequence else "TABLE ") + sql.SQL(", ").join(
            [sql.Identifier(schema_name, name) for name in names]
        )
        parts.append(sql.SQL("REVOKE ALL ON {} FROM {}").format(what, role))
        parts.append(sql.SQL(f"GRANT {rights} ON {{}} TO {{}}").format(what, role))
    return sql.SQL(";\n").join(parts)


def _has_grant_options() -> bool:
    """Whether this PostgreSQL tells becoming a role from inheriting its rights (16 and newer)."""
    return bool(connection.pg_version >= _VERSION_OF_GRANT_OPTIONS)  # type: ignore[attr-defined]
