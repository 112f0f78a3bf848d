"""Is the database what it should be? What weakens it is told, and is no reason not to start.

With some settings off, a crash of the machine may lose spend that was answered with 201. And where
a superuser logs in, PostgreSQL's rights bind only whoever remembers to take a role. Told at the
start of web and workers, by `manage.py check --database default`, and by `health`.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connection

from tenants.contexts import owner_context, platform_context

logger = logging.getLogger("config.database")

DURABILITY_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")


class Finding(NamedTuple):
    """What weakens the database, in a few words and in a sentence."""

    id: str
    words: str
    sentence: str


def findings() -> list[Finding]:
    """Return what weakens the database. Call it in a context. Raises DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array(SELECT name FROM unnest(%s::text[]) AS name"
            "             WHERE current_setting(name) = 'off'),"
            " session_user, (SELECT rolsuper FROM pg_roles WHERE rolname = session_user)",
            [list(DURABILITY_SETTINGS)],
        )
        off, role, is_superuser = cursor.fetchone()
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
    if is_superuser:
        found.append(
            Finding(
                "config.W002",
                f"{role} is a superuser",
                f"The database's log-in role {role} is a superuser, which no right binds: let one"
                " log in that may make roles and owns the database (LOGIN CREATEROLE NOINHERIT).",
            )
        )
    if not settings.DATABASE_ROLES:
        found.append(
            Finding(
                "config.W003",
                "DATABASE_ROLES is off",
                "DATABASE_ROLES is off: between two agencies stands the search path alone.",
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
    """Log what weakens the database, without making a start wait for it."""
    threading.Thread(target=_warn, daemon=True).start()


def _warn() -> None:
    try:
        with platform_context():
            found = findings()
    except Exception as failure:
        # Whatever it is, it is no reason not to start, and health tells more of it.
        logger.warning("the database can't be asked yet: %s", type(failure).__name__)
    else:
        for finding in found:
            logger.warning(finding.sentence)
    finally:
        connection.close()
