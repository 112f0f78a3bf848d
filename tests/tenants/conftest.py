from collections.abc import Iterator

import pytest

from tenants.contexts import platform_context
from tenants.models import SchemaScript
from tests.tenants.later import Later, add_migration


@pytest.fixture
def later(own_agency, tmp_path, monkeypatch, settings) -> Iterator[Later]:
    """Return a function that adds a migration to the campaigns app, and returns its file."""
    with platform_context():
        known = set(SchemaScript.objects.values_list("key", flat=True))

    def add(**options):
        name, path = add_migration(tmp_path, **options)
        monkeypatch.syspath_prepend(tmp_path)
        settings.MIGRATION_MODULES = {"campaigns": name}
        return path

    yield add
    with platform_context():
        SchemaScript.objects.exclude(key__in=known).delete()
