"""An agency is there whole or not at all, whatever dies while it is made."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from kernel import clock
from kernel.errors import NameTaken
from tenants import services
from tenants.contexts import platform_context
from tenants.models import Agency


def schemas():
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'agency%%'")
        return {name for (name,) in cursor.fetchall()}


def test_a_schema_that_cannot_be_filled_leaves_nothing(own_agency, monkeypatch):
    def fail(*args, **options):
        raise RuntimeError("no space")

    with platform_context():
        before = schemas(), Agency.objects.count()
        monkeypatch.setattr(services, "fill_schema", fail)
        with pytest.raises(RuntimeError):
            services.create_agency(name="Broken", slug="broken")
        assert (schemas(), Agency.objects.count()) == before


def test_what_a_killed_process_left_is_taken_over_by_the_next_try(own_agency, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*args, **options):
        raise Killed

    with platform_context():
        monkeypatch.setattr(services, "fill_schema", die)
        monkeypatch.setattr(services, "_remove", lambda agency: None)
        with pytest.raises(Killed):
            services.create_agency(name="Half", slug="half")
        monkeypatch.undo()
        # It is no agency yet.
        call_command("migrate_schemas", verbosity=0)
        with pytest.raises(NameTaken):
            services.create_agency(name="Half", slug="half")
        hour_ago = clock.read() - timedelta(hours=1)
        Agency.objects.filter(slug="half").update(created_at=hour_ago)
        whole = services.create_agency(name="Whole", slug="half")
        try:
            assert (whole.is_ready, whole.name, whole.order_key) == (True, "Whole", None)
            assert list(whole.domains.values_list("domain", flat=True)) == ["half"]
            assert whole.created_at > hour_ago
            assert whole.schema_name in schemas()
        finally:
            services._remove(whole)
