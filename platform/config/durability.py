"""Does the database keep what it has acknowledged? Some settings trade that for speed.

With one of them off, a crash of the machine may lose spend that was answered with 201. Told at the
start of web and workers, by `manage.py check --database default`, and by `health`.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connection

from tenants.contexts import platform_context

logger = logging.getLogger("config.durability")

SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")


def not_durable() -> str:
    """Return the settings that may cost what was acknowledged, as `fsync=off, …`; else nothing.

    Call it in a context. Raises DatabaseError.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE current_setting(name) = 'off'",
            [list(SETTINGS)],
        )
        return ", ".join(f"{name}=off" for (name,) in cursor.fetchall())


@checks.register(checks.Tags.database)
def check_durability(
    *, databases: Sequence[str] | None = None, **options: Any
) -> list[checks.CheckMessage]:
    """Warn where the database is not durable; asked only where checks may ask databases."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    with platform_context():
        found = not_durable()
    return [checks.Warning(_sentence(found), id="config.W001")] if found else []


def warn_in_background() -> None:
    """Log a warning where the database is not durable, without making a start wait for it."""
    threading.Thread(target=_warn, daemon=True).start()


def _warn() -> None:
    try:
        with platform_context():
            found = not_durable()
    except Exception as failure:
        # Whatever it is, it is no reason not to start, and health tells more of it.
        logger.warning("the database can't be asked yet: %s", type(failure).__name__)
    else:
        if found:
            logger.warning(_sentence(found))
    finally:
        connection.close()


def _sentence(found: str) -> str:
    return f"The database may lose in a crash what was recorded: {found}."
