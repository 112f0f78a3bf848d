"""Is the database what it should be? What weakens it is told, and is no reason not to start.

With some settings off, a crash of the machine may lose spend that was answered with 201. And where
a superuser logs in, PostgreSQL's rights bind only whoever remembers to take a role. Told at the
start of web and workers, by `manage.py check --database default`, and by `health`.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import redis
from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, NotSupportedError, connection

from config.broker import ask_server
from tenants.contexts import owner_context, platform_context

logger = logging.getLogger("config.database")

DURABILITY_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")


class Finding(NamedTuple):
    """What weakens the database, in a few words and in a sentence."""

    id: str
    words: str
    sentence: str


class LogIn(NamedTuple):
    """The role that logged in, whichever it has taken since."""

    name: str
    is_superuser: bool
    may_make_roles: bool
    inherits: bool


def findings() -> list[Finding]:
    """Return what weakens the database. Call it in a context. Raises DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array(SELECT name FROM unnest(%s::text[]) AS name"
            "             WHERE current_setting(name) = 'off'),"
            " rolname, rolsuper, rolcreaterole, rolinherit"
            " FROM pg_roles WHERE rolname = session_user",
            [list(DURABILITY_SETTINGS)],
        )
        off, *log_in = cursor.fetchone()
    found = []
    if off:
        listed = ", ".join(f"{name}=off" for name in off)
        found.append(
            Finding(
                "config.W001",
                f"not durable: {listed}",
                f"The database may lose in a crash what was recorded: {listed}.",
            )
        )
    found += _findings_of_log_in(LogIn(*log_in))
    if not settings.DATABASE_ROLES:
        found.append(
            Finding(
                "config.W003",
                "DATABASE_ROLES is off",
                "DATABASE_ROLES is off: between two agencies stands the search path alone.",
            )
        )
    return found


def _findings_of_log_in(log_in: LogIn) -> list[Finding]:
    """Return what lets the role that logged in do more than it should."""
    name = log_in.name
    if log_in.is_superuser:
        return [
            Finding(
                "config.W002",
                f"{name} is a superuser",
                f"The database's log-in role {name} is a superuser, which no right binds: let one"
                " log in that may make roles and owns the database (LOGIN CREATEROLE NOINHERIT).",
            )
        ]
    version = connection.pg_version // 10_000  # type: ignore[attr-defined]
    if version >= 16 or not settings.DATABASE_ROLES:
        return []
    found = []
    if log_in.inherits:
        found.append(
            Finding(
                "config.W004",
                f"{name} inherits the rights of its roles",
                f"The log-in role {name} has the rights of every agency at once, since"
                f" PostgreSQL {version} can't grant a role without its rights to a role that"
                f" inherits: ALTER ROLE {name} NOINHERIT.",
            )
        )
    if log_in.may_make_roles:
        found.append(
            Finding(
                "config.W005",
                f"PostgreSQL {version} lets {name} take any role",
                f"PostgreSQL {version} lets the log-in role {name}, which may make roles, take any"
                " role of the cluster but superusers; from version 16 on only those that it made."
                " Use a cluster of its own, or DATABASE_OWNER_URL.",
            )
        )
    return found


@checks.register(checks.Tags.database)
def check_database(
    *, databases: Sequence[str] | None = None, **options: Any
) -> list[checks.CheckMessage]:
    """Warn of what weakens the database; asked only where checks may ask databases."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    # Before the first migration there is no role for the platform's context.
    with owner_context():
        return [checks.Warning(finding.sentence, id=finding.id) for finding in findings()]


def warn_in_background() -> None:
    """Log what weakens the servers, without making a start wait for them."""
    threading.Thread(target=_warn, daemon=True).start()


def _warn() -> None:
    _warn_of_redis()
    try:
        with platform_context():
            found = findings()
    except NotSupportedError as refusal:
        logger.critical("nothing works with this database: %s", refusal)
    except Exception as failure:
        # Whatever it is, it is no reason not to start, and health tells more of it.
        logger.warning("the database can't be asked yet: %s", type(failure).__name__)
    else:
        for finding in found:
            logger.warning(finding.sentence)
    finally:
        connection.close()


def _warn_of_redis() -> None:
    try:
        warning = ask_server().warning
    except (redis.RedisError, OSError) as failure:
        logger.warning("Redis can't be asked yet: %s", type(failure).__name__)
    else:
        if warning:
            logger.warning(warning)
