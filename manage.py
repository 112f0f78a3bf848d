#!/usr/bin/env python
"""Run a management command. Commands start on the platform's schema and enter an agency's
explicitly.
"""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import connection

    try:
        django.setup()
    except ImproperlyConfigured as problem:
        sys.exit(f"Paceline: {problem}")
    connection.set_schema_to_public()  # type: ignore[attr-defined]
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
