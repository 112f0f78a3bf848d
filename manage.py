#!/usr/bin/env python
"""Run a management command. Commands start on the platform's schema and enter an agency's
explicitly.
"""

import os
import sys
from contextlib import nullcontext

# Django's own that ask before the first migration has made the platform's role, or change tables.
_AS_OWNER = {"flush", "inspectdb", "makemigrations", "showmigrations", "sqlmigrate"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import NotSupportedError, OperationalError, connection

    try:
        django.setup()
    except ImproperlyConfigured as problem:
        sys.exit(f"Paceline: {problem}")
    # An import, an audit, a migration may take its time: nobody waits for the answer of a page.
    settings.DATABASES["default"]["OPTIONS"]["options"] += " -c statement_timeout=0"
    connection.set_schema_to_public()  # type: ignore[attr-defined]
    is_owners = _AS_OWNER.intersection(sys.argv[1:2])
    try:
        with connection.as_owner() if is_owners else nullcontext():  # type: ignore[attr-defined]
            execute_from_command_line(sys.argv)
    except NotSupportedError as problem:
        # Raised for the version of PostgreSQL, which the message names; or by a mistake of ours.
        if "or later is required" not in str(problem):
            raise
        sys.exit(f"Paceline: {problem}")
    except OperationalError as problem:
        if connection.connection is not None:
            raise
        # No connection was ever had; the traceback would say no more than this.
        sys.exit(f"Paceline: {problem}".strip() + "\nStart ./run, or set DATABASE_URL.")


if __name__ == "__main__":
    main()
