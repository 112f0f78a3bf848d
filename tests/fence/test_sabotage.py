"""What happens where our own code errs: each ends in an error, and never in the other's rows."""

from collections.abc import Callable
from contextlib import suppress

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from budgets.models import Brand, SpendEntry
from campaigns.models import Campaign, StatusChange
from campaigns.tasks import sweep_agencies
from fence.base import NoContextError
from fence.roles import platform_role
from kernel import clock
from tenants.contexts import owner_context, platform_context, tenant_context
from tenants.services import create_agency, remove_agency
from tests.fence.conftest import Neighbours, brand_names, in_a_thread

pytestmark = pytest.mark.usefixtures("unblocked")


def run(query: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


def leave() -> None:
    connection.leave()  # type: ignore[attr-defined]


# Each runs in our context, and returns what it could read.


def path_set_by_hand(world: Neighbours) -> object:
    run(f'SET search_path TO "{world.theirs.schema_name}"')
    return brand_names()


def path_set_by_hand_to_all(world: Neighbours) -> object:
    run(f'SET search_path TO "{world.theirs.schema_name}", public, pg_catalog')
    return run("SELECT email FROM accounts_user")


def schema_named_in_the_query(world: Neighbours) -> object:
    return run(f'SELECT name FROM "{world.theirs.schema_name}".budgets_brand')


def schema_named_in_an_insert(world: Neighbours) -> object:
    return run(
        "INSERT INTO budgets_limitversion SELECT * FROM"
        f' "{world.theirs.schema_name}".budgets_limitversion RETURNING *'
    )


def public_named_in_the_query(world: Neighbours) -> object:
    return run("SELECT slug FROM public.tenants_agency")


def publics_users(world: Neighbours) -> object:
    return run("SELECT email FROM public.accounts_user")


def publics_sessions(world: Neighbours) -> object:
    return run("SELECT session_data FROM public.django_session")


def context_forgotten(world: Neighbours) -> object:
    leave()
    return brand_names()


def lazy_query_after_the_context(world: Neighbours) -> object:
    with tenant_context(world.theirs):
        lazy = Brand.objects.all()
    leave()
    return [brand.name for brand in lazy]


def half_read_answer_after_the_context(world: Neighbours) -> object:
    leave()
    names = Brand.objects.values_list("name", flat=True).iterator(chunk_size=1)
    return list(names)


def thread_started_inside(world: Neighbours) -> object:
    return elsewhere(brand_names)


def switch_cancelled_by_a_timeout(world: Neighbours) -> object:
    with tenant_context(world.theirs):
        brand_names()
        run("SET statement_timeout = '30ms'")
    connection.connection.cursor_factory = SlowToSwitch
    with tenant_context(world.ours):
        return brand_names()


def agency_whose_role_is_gone(world: Neighbours) -> object:
    with platform_context():
        agency = create_agency(name="Gone", slug="gone")
    remove_agency(agency)
    with tenant_context(agency):
        return brand_names()


def schema_dropped_under_a_request(world: Neighbours) -> object:
    with platform_context():
        agency = create_agency(name="Dropped", slug="dropped")
    with tenant_context(agency):
        brand_names()
        elsewhere(lambda: remove_agency(agency))
        return brand_names()


def schema_dropped_but_not_its_role(world: Neighbours) -> object:
    with platform_context():
        agency = create_agency(name="Half", slug="half-dropped")
    try:
        with owner_context():
            run(f'DROP SCHEMA "{agency.schema_name}" CASCADE')
        with tenant_context(agency):
            return brand_names()
    finally:
        remove_agency(agency)


def ledger_changed(world: Neighbours) -> object:
    return SpendEntry.objects.update(amount=0)


def ledger_emptied(world: Neighbours) -> object:
    return run("DELETE FROM budgets_spendentry")


def ledger_truncated(world: Neighbours) -> object:
    return run("TRUNCATE budgets_spendentry")


def history_changed(world: Neighbours) -> object:
    return StatusChange.objects.update(by_label="nobody")


def own_table_dropped(world: Neighbours) -> object:
    return run("DROP TABLE campaigns_hold")


def own_trigger_switched_off(world: Neighbours) -> object:
    return run("ALTER TABLE budgets_spendentry DISABLE TRIGGER ALL")


def migrations_forged(world: Neighbours) -> object:
    return run("DELETE FROM django_migrations")


def function_left_for_others(world: Neighbours) -> object:
    return run("CREATE FUNCTION public.trap() RETURNS int LANGUAGE sql AS 'SELECT 1'")


def rights_given_away(world: Neighbours) -> object:
    run(f'GRANT SELECT ON budgets_brand TO "{world.theirs.schema_name}"')
    with tenant_context(world.theirs):
        return run(f'SELECT name FROM "{world.ours.schema_name}".budgets_brand')


SABOTAGE: list[Callable[[Neighbours], object]] = [
    path_set_by_hand,
    path_set_by_hand_to_all,
    schema_named_in_the_query,
    schema_named_in_an_insert,
    public_named_in_the_query,
    publics_users,
    publics_sessions,
    context_forgotten,
    lazy_query_after_the_context,
    half_read_answer_after_the_context,
    thread_started_inside,
    switch_cancelled_by_a_timeout,
    agency_whose_role_is_gone,
    schema_dropped_under_a_request,
    schema_dropped_but_not_its_role,
    ledger_changed,
    ledger_emptied,
    ledger_truncated,
    history_changed,
    own_table_dropped,
    own_trigger_switched_off,
    migrations_forged,
    function_left_for_others,
    rights_given_away,
]


class SlowToSwitch(psycopg.Cursor):
    """Sets path and role, and then does not come to an end."""

    def execute(self, query, *args, **options):
        if isinstance(query, str) and "set_config" in query:
            query += ", pg_sleep(10)"
        return super().execute(query, *args, **options)


def elsewhere(call: Callable[[], object]) -> object:
    """Return what `call` returns in a thread of its own; raise what it raises."""
    found = in_a_thread(call)
    if isinstance(found, Exception):
        raise found
    return found


def ends_in_an_error(sabotage, world: Neighbours) -> bool:
    with tenant_context(world.ours):
        try:
            sabotage(world)
        except DatabaseError:
            return True
        finally:
            connection.close()
    return False


@pytest.mark.parametrize("sabotage", SABOTAGE, ids=lambda sabotage: sabotage.__name__)
def test_it_ends_in_an_error(neighbours, sabotage):
    assert ends_in_an_error(sabotage, neighbours), "a silent success"
    # And nothing of it is left behind, for whoever gets the connection next.
    with tenant_context(neighbours.ours):
        assert brand_names() == [neighbours.own]
    with tenant_context(neighbours.theirs):
        assert brand_names() == [neighbours.secret]


def test_the_silent_successes_are_counted(neighbours, capsys):
    silent = [s.__name__ for s in SABOTAGE if not ends_in_an_error(s, neighbours)]
    with capsys.disabled():
        print(f"\nsabotage: {len(SABOTAGE)} ways tried, silent successes {len(silent)}")
    assert not silent


def test_from_the_platform_nothing_of_an_agency_is_reached(neighbours):
    for query in (
        f'SELECT name FROM "{neighbours.theirs.schema_name}".budgets_brand',
        f'DROP SCHEMA "{neighbours.theirs.schema_name}" CASCADE',
        "CREATE TABLE spare ()",
        "CREATE SCHEMA spare",
        "DELETE FROM django_migrations",
    ):
        with platform_context(), pytest.raises(DatabaseError, match=r"permission denied|must be"):
            run(query)


def test_a_connection_that_its_last_user_left_elsewhere_is_put_right(neighbours):
    """As it is kept from one request to the next: still with the role and path of the first."""
    with tenant_context(neighbours.theirs):
        brand_names()
    kept = connection.connection
    assert kept.execute("SELECT current_user").fetchone() == (neighbours.theirs.schema_name,)
    with pytest.raises(NoContextError):
        brand_names()
    with tenant_context(neighbours.ours):
        assert brand_names() == [neighbours.own]
    assert connection.connection is kept


@pytest.mark.parametrize("is_nested", [False, True])
def test_a_rolled_back_switch_leaves_nobody_elsewhere(neighbours, is_nested):
    with tenant_context(neighbours.ours), transaction.atomic():
        with suppress(ZeroDivisionError), transaction.atomic():
            if is_nested:
                brand_names()
            with tenant_context(neighbours.theirs):
                assert brand_names() == [neighbours.secret]
            raise ZeroDivisionError
        assert brand_names() == [neighbours.own]
        assert run("SELECT current_user")[0][0] == neighbours.ours.schema_name


def test_a_task_for_an_agency_that_is_gone_touches_nobody(neighbours):
    with platform_context():
        agency = create_agency(name="Gone", slug="gone-before-its-task")
    remove_agency(agency)
    assert sweep_agencies([agency.pk], [agency.pk]) == 0


def test_a_task_that_was_inside_when_the_agency_went_fails(neighbours):
    with platform_context():
        agency = create_agency(name="Going", slug="going")
    with tenant_context(agency):
        elsewhere(lambda: remove_agency(agency))
        with pytest.raises(DatabaseError):
            Campaign.objects.update(status="active", updated_at=clock.read())


def test_each_context_has_its_own_role(neighbours):
    query = "SELECT current_user, session_user"
    with tenant_context(neighbours.ours):
        [(role, log_in)] = run(query)
        assert role == neighbours.ours.schema_name
    with platform_context():
        assert run(query) == [(platform_role(connection.settings_dict["NAME"]), log_in)]
    with owner_context():
        assert run(query) == [(log_in, log_in)]


def test_switched_off_the_path_is_the_fence(neighbours, settings):
    settings.DATABASE_ROLES = False
    with tenant_context(neighbours.ours):
        [(role, log_in)] = run("SELECT current_user, session_user")
        assert role == log_in
        assert brand_names() == [neighbours.own]
        with pytest.raises(DatabaseError, match="does not exist"):
            run("SELECT slug FROM tenants_agency")


def test_a_timeout_in_the_switch_is_told_as_what_it_is(neighbours):
    with pytest.raises(OperationalError, match="statement timeout"):
        switch_cancelled_by_a_timeout(neighbours)
