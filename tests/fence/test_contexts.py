"""A connection is in one schema or in none, and an agency's has no `public` in its path."""

from contextlib import nullcontext, suppress

import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, OperationalError, ProgrammingError, connection, transaction

from accounts.models import User
from budgets.models import Brand
from fence.base import NoContextError
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency
from tests.conftest import make_brand
from tests.fence.conftest import in_a_thread


def test_a_connection_that_was_put_nowhere_refuses_sql(db):
    assert isinstance(in_a_thread(Brand.objects.count), NoContextError)
    assert isinstance(in_a_thread(Agency.objects.count), NoContextError)


def test_leaving_a_context_that_was_entered_from_nowhere_ends_nowhere(world):
    def enter_and_leave():
        with tenant_context(world.acme):
            Brand.objects.count()
        return Brand.objects.count()

    assert isinstance(in_a_thread(enter_and_leave), NoContextError)


def test_an_agencys_path_is_its_schema_alone(acme):
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchone() == (f'"{acme.schema_name}"',)


def test_a_table_that_the_agency_lacks_does_not_exist(acme):
    with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
        Agency.objects.count()


def test_users_are_the_agencys_own(acme, zeta):
    assert User.objects.filter(email="ann@acme.example").exists()
    with tenant_context(zeta):
        assert not User.objects.filter(email="ann@acme.example").exists()
    with platform_context():
        assert not User.objects.exists()


def test_a_rolled_back_switch_is_sent_again(acme, zeta):
    make_brand()
    with suppress(ZeroDivisionError), transaction.atomic(), tenant_context(zeta):
        assert Brand.objects.count() == 0
        raise ZeroDivisionError
    assert Brand.objects.count() == 1


def test_an_unknown_schema_is_an_error_and_not_the_platform(world):
    ghost = Agency(schema_name="agency_ghost", name="Ghost", slug="ghost")
    with tenant_context(ghost), pytest.raises(DatabaseError), transaction.atomic():
        ContentType.objects.count()


class SlowToSwitch(psycopg.Cursor):
    """Sets the path, and then does not come to an end."""

    def execute(self, query, *args, **options):
        if isinstance(query, str) and "set_config" in query:
            query += ", pg_sleep(10)"
        return super().execute(query, *args, **options)


@pytest.mark.parametrize("is_named", [False, True])
@pytest.mark.parametrize("is_in_transaction", [False, True])
def test_a_switch_that_is_cancelled_raises_and_leaves_the_old_path_unused(
    own_agency, is_named, is_in_transaction
):
    make_brand("Own brand")
    with connection.cursor() as cursor:
        # Long enough for every statement but the one that sleeps.
        cursor.execute("SET statement_timeout = '2s'")
    connection.connection.cursor_factory = SlowToSwitch
    brands = Brand.objects.all()
    around = transaction.atomic() if is_in_transaction else nullcontext()
    with platform_context():
        with pytest.raises(OperationalError, match="statement timeout"), around:
            list(brands.iterator(chunk_size=1) if is_named else brands)
        connection.connection.cursor_factory = psycopg.Cursor
        # The path that was cancelled is not in force, and the next statement sends its own.
        assert connection.connection.execute("SHOW search_path").fetchone() != ("public",)
        assert Agency.objects.filter(pk=own_agency.pk).exists()
    assert [brand.name for brand in brands] == ["Own brand"]
    connection.close()


def test_an_agency_is_no_context_manager(world):
    with pytest.raises(TypeError, match="tenant_context"), world.acme:
        pass


def test_the_standard_librarys_platform_is_not_shadowed():
    import platform

    assert platform.python_version()
