from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from tenants.contexts import platform_context
from tenants.models import Removal, SchemaScript
from tenants.services import create_agency, remove_agency
from tests.tenants.later import Later, add_migration
from tests.tenants.leftovers import everything, noting_roles


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


@pytest.fixture
def home(settings, tmp_path):
    settings.PACELINE_HOME = tmp_path
    return tmp_path


@pytest.fixture
def platform(django_db_setup, django_db_blocker):
    """The platform's schema, entered; what is written there is really committed."""
    with django_db_blocker.unblock(), platform_context(), noting_roles():
        yield
        Removal.objects.all().delete()


@pytest.fixture
def before(platform) -> dict[str, object]:
    """What there was before the agency was made. Ask for it first."""
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        # What earlier tests left there goes by itself within the minute.
        server.flushdb()
        server.set("somebody else's", "1")
    # Whatever the first of all agencies leaves for the others is there.
    remove_agency(create_agency(name="Earlier", slug="earlier"))
    return everything()
