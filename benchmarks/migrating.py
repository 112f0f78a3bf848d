"""One pending migration over 200 agencies, against django-tenants' own `migrate_schemas`.

Aim: at most a third for each agency. The migration is the benchmark's own: an index and a table.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.bench import ready_platform
from benchmarks.creation import took

AGENCIES = 200


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ready_platform():
        from django.conf import settings
        from django.core.management import call_command
        from django_tenants.management.commands.migrate_schemas import MigrateSchemasCommand

        from tenants.services import create_agency
        from tests.tenants.later import add_migration

        for number in range(AGENCIES):
            create_agency(name=f"Agency {number}", slug=f"agency-{number}")
        settings.MIGRATION_MODULES = {"campaigns": add_migration(Path(folder))[0]}
        sys.path.insert(0, folder)
        times = {}
        ways = {"django-tenants": MigrateSchemasCommand(), "ours": "migrate_schemas"}
        for name, command in ways.items():
            times[name] = took(partial(call_command, command, tenant=True, verbosity=0))
            each_ms = times[name] / AGENCIES * 1000
            print(f"{name}: {each_ms:.1f} ms for each of {AGENCIES} agencies", flush=True)
            assert unapplied() == AGENCIES
        print(f"ratio {times['ours'] / times['django-tenants']:.2f} (aim 0.33)")


def unapplied() -> int:
    """Take the migration back everywhere, and return in how many agencies it was applied."""
    from django.db import connection

    from tenants.contexts import owner_context, platform_context, tenant_context
    from tenants.queries import agencies_to_serve

    count = 0
    with platform_context():
        agencies = agencies_to_serve()
    for agency in agencies:
        with owner_context(), tenant_context(agency), connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE name = '9999_later'")
            count += cursor.rowcount
            cursor.execute("DROP TABLE campaigns_later; DROP INDEX later_by_name")
            cursor.execute("DELETE FROM django_content_type WHERE model = 'later'")
    connection.set_schema_to_public()  # type: ignore[attr-defined]
    return count


if __name__ == "__main__":
    main()
