"""Does an agency's schema lag behind the code? Then nobody may sweep it with that code."""

from functools import cache

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader


@cache
def _known() -> frozenset[tuple[str, str]]:
    """The migrations that the code has for an agency's schema, by app and name."""
    labels = {name.rpartition(".")[2] for name in settings.TENANT_APPS}
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(key for key in loader.disk_migrations if key[0] in labels)


def missing_migrations() -> list[str]:
    """Return the migrations that the current agency's schema lacks, such as `budgets.0003_…`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = set(cursor.fetchall())
    return sorted(f"{app}.{name}" for app, name in _known() - applied)
