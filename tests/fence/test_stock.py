"""django-tenants 4.0.1 as it comes, trap by trap, and what stands in its place here.

Each test is two: what the package does (so that a newer one that no longer does it is noticed),
and what happens here.
"""

import threading
from contextlib import suppress

import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django_tenants.models import TenantMixin
from django_tenants.utils import schema_context

from accounts.models import User
from fence.base import NoContextError
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency
from tests.fence.conftest import brand_names, in_a_thread, stock_connection
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("unblocked")


def statements_of_three_queries(agency):
    with tenant_context(agency), CaptureQueriesContext(connection) as seen:
        for _ in range(3):
            brand_names()
    return len(seen)


def test_it_sends_the_path_before_every_cursor_and_we_once(neighbours, set_before_each_cursor):
    with stock_connection():
        assert statements_of_three_queries(neighbours.ours) == 6
    assert statements_of_three_queries(neighbours.ours) == 4


def after_a_cancelled_switch(neighbours):
    """Read the brands in our context, whose switch is cancelled after we were in theirs."""
    with tenant_context(neighbours.theirs):
        brand_names()
    with tenant_context(neighbours.ours):
        refuse_the_next_switch()
        return brand_names()


def refuse_the_next_switch():
    """Have PostgreSQL refuse the next statement that sets a path, as a timeout would cancel it."""
    refused: list[object] = []

    class Refusing(psycopg.Cursor):
        def execute(self, query, *args, **options):
            if "search_path" in str(query) and not refused:
                refused.append(query)
                query, args = "SELECT 1 / 0", ()
            return super().execute(query, *args, **options)

    connection.connection.cursor_factory = Refusing


def test_it_swallows_a_switch_that_failed_and_we_raise(neighbours, set_before_each_cursor):
    with stock_connection():
        assert after_a_cancelled_switch(neighbours) == [neighbours.secret]
    with pytest.raises(DatabaseError):
        after_a_cancelled_switch(neighbours)


GHOST = Agency(schema_name="agency_ghost", name="Ghost", slug="ghost")


def test_in_an_unknown_schema_it_reads_the_platforms_and_we_raise(neighbours):
    with stock_connection(), tenant_context(GHOST):
        assert ContentType.objects.filter(model="agency").exists()
        assert not User.objects.exists()
    with tenant_context(GHOST), pytest.raises(DatabaseError):
        ContentType.objects.count()


def test_a_schema_name_that_is_nobodys_is_no_error_to_it_and_is_to_us(neighbours):
    with stock_connection(), schema_context("agency_nobody"):
        assert ContentType.objects.exists()
    with schema_context("agency_nobody"), pytest.raises(DatabaseError):
        ContentType.objects.exists()


def test_a_table_that_the_agency_lacks_is_everybodys_to_it_and_none_to_us(neighbours):
    with stock_connection(), tenant_context(neighbours.ours):
        assert Agency.objects.filter(slug="theirs").exists()
    with tenant_context(neighbours.ours), pytest.raises(ProgrammingError, match="does not exist"):
        Agency.objects.count()


def test_a_new_thread_starts_in_public_with_it_and_nowhere_with_us(neighbours):
    def stock_query():
        with stock_connection():
            return ContentType.objects.filter(model="agency").exists()

    with tenant_context(neighbours.ours):
        assert in_a_thread(stock_query) is True
        assert isinstance(in_a_thread(ContentType.objects.exists), NoContextError)


def test_a_qualified_name_crosses_its_path_and_not_our_roles(neighbours):
    query = f'SELECT name FROM "{neighbours.theirs.schema_name}".budgets_brand'

    def read():
        with tenant_context(neighbours.ours), connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    with stock_connection():
        assert read() == [(neighbours.secret,)]
    with pytest.raises(ProgrammingError, match="permission denied for schema"):
        read()


def test_its_with_agency_leaves_another_threads_agency_behind_and_ours_raises(neighbours):
    """Two threads that enter one `Agency` object share the stack on which it keeps what was."""
    entered, left = threading.Event(), threading.Event()
    stock_enter = TenantMixin.__enter__
    agency = neighbours.ours

    def second():
        with stock_connection() as own:
            own.set_tenant(neighbours.theirs)
            stock_enter(agency)
            entered.set()
            assert left.wait(PATIENCE_SECONDS)
            return True

    def first():
        with stock_connection() as own:
            stock_enter(agency)
            worker = threading.Thread(target=second)
            worker.start()
            assert entered.wait(PATIENCE_SECONDS)
            agency.__exit__(None, None, None)
            found = own.schema_name
            left.set()
            worker.join()
            return found

    # It came from `public`, and is left in the other agency.
    assert in_a_thread(first) == neighbours.theirs.schema_name
    with pytest.raises(TypeError, match="tenant_context"), agency:
        pass


def test_a_rolled_back_switch_is_sent_again_by_both(neighbours):
    for around in (stock_connection, platform_context):
        with around(), tenant_context(neighbours.ours):
            with suppress(ZeroDivisionError), transaction.atomic():
                with tenant_context(neighbours.theirs):
                    assert brand_names() == [neighbours.secret]
                raise ZeroDivisionError
            assert brand_names() == [neighbours.own]


def test_without_a_schema_it_is_a_setting_that_is_wrong_and_to_us_an_error_of_sql(neighbours):
    with stock_connection() as own:
        own.schema_name = None
        with pytest.raises(ImproperlyConfigured):
            brand_names()
    with pytest.raises(NoContextError):
        brand_names()
