"""Each role has exactly its rights, whatever became of them; and the owner may be somebody else."""

import io
from contextlib import contextmanager

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.db.transaction import TransactionManagementError, atomic

from accounts.tasks import open_agency
from budgets.models import Brand
from fence.base import DatabaseWrapper
from fence.roles import platform_role
from tenants import openings
from tenants.contexts import owner_context, platform_context, tenant_context
from tenants.models import Agency, Opening
from tenants.rights import grant_rights, schemas_without_rights
from tenants.services import create_agency, remove_agency
from tests.conftest import make_brand
from tests.fence.conftest import brand_names

pytestmark = pytest.mark.usefixtures("unblocked")

PASSWORD = "a word of a test"


def run(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


def lacking(*agencies):
    with platform_context():
        return schemas_without_rights([agency.schema_name for agency in agencies])


def migrate():
    out = io.StringIO()
    with platform_context():
        call_command("migrate_schemas", tenant=True, stdout=out, stderr=out)


def test_what_was_just_made_has_its_rights(neighbours):
    assert lacking(neighbours.ours, neighbours.theirs) == set()


@pytest.mark.parametrize(
    "damage",
    [
        "REVOKE SELECT ON budgets_brand FROM {role}",
        "REVOKE ALL ON ALL TABLES IN SCHEMA {role} FROM {role}",
        "GRANT UPDATE ON budgets_spendentry TO {role}",
        "GRANT TRUNCATE ON budgets_brand TO {role}",
        "REVOKE USAGE ON SCHEMA {role} FROM {role}",
        "REVOKE ALL ON ALL SEQUENCES IN SCHEMA {role} FROM {role}",
        "CREATE TABLE budgets_later (id serial PRIMARY KEY)",
        "REVOKE {role} FROM CURRENT_USER",
        "ALTER ROLE {role} RENAME TO {role}_of_old",
    ],
)
def test_what_was_damaged_is_noticed_and_mended_by_the_next_migrate(neighbours, damage):
    ours, theirs = neighbours.ours, neighbours.theirs
    with owner_context(), tenant_context(ours):
        run(damage.format(role=ours.schema_name))
    connection.close()
    assert lacking(ours, theirs) == {ours.schema_name}
    migrate()
    assert lacking(ours, theirs) == set()
    with tenant_context(ours):
        assert brand_names() == [neighbours.own]
    with owner_context(), tenant_context(ours):
        run("DROP TABLE IF EXISTS budgets_later")
        if "RENAME" in damage:
            role = ours.schema_name
            for what in ("TABLES IN SCHEMA", "SEQUENCES IN SCHEMA"):
                run(f"REVOKE ALL ON ALL {what} {role} FROM {role}_of_old")
            run(f"REVOKE ALL ON SCHEMA {role} FROM {role}_of_old; DROP ROLE {role}_of_old")


def test_without_roles_there_is_nothing_to_mend(neighbours, settings):
    settings.DATABASE_ROLES = False
    assert lacking(neighbours.ours) == set()
    with platform_context():
        agency = create_agency(name="Roleless", slug="roleless")
    try:
        with tenant_context(agency):
            make_brand("Own")
        with owner_context():
            known = f"SELECT FROM pg_roles WHERE rolname = '{agency.schema_name}'"
            assert run(known) == []
    finally:
        remove_agency(agency)


def test_an_agency_that_is_removed_leaves_neither_schema_nor_role(neighbours):
    with platform_context():
        agency = create_agency(name="Passing", slug="passing")
    remove_agency(agency)
    with owner_context():
        for question in (
            "SELECT 1 FROM pg_roles WHERE rolname = '{}'",
            "SELECT 1 FROM pg_namespace WHERE nspname = '{}'",
            "SELECT 1 FROM tenants_agency WHERE schema_name = '{}'",
            "SELECT 1 FROM pg_auth_members WHERE roleid::regrole::text = '{}'",
        ):
            assert run(question.format(agency.schema_name)) == []


# An owner of its own ------------------------------------------------------------------------------


def log_in_role():
    """Roles are the cluster's: another process of the tests has one of its own."""
    return f"log_in_of_{connection.settings_dict['NAME']}"


@contextmanager
def logged_in_as(role, owner):
    """Let the application log in as `role`, which owns nothing."""
    ours = connections["default"]
    own = DatabaseWrapper({**ours.settings_dict, "USER": role, "PASSWORD": PASSWORD}, "default")
    databases = {"default": {**django_settings.DATABASES["default"], "USER": role}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(django_settings, "DATABASES", databases)
        patch.setattr(django_settings, "OWNER_DATABASE", owner)
        connections["default"] = own
        try:
            with owner_context():
                grant_rights("public")
            yield
        finally:
            own.close()
            connections["default"] = ours


@pytest.fixture
def with_an_owner(neighbours):
    owner = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    platform, log_in = platform_role(connection.settings_dict["NAME"]), log_in_role()
    with owner_context():
        run(f'DROP ROLE IF EXISTS "{log_in}"')
        run(f"CREATE ROLE \"{log_in}\" LOGIN NOINHERIT PASSWORD '{PASSWORD}'")
    try:
        with logged_in_as(log_in, owner):
            yield owner
    finally:
        with owner_context():
            run(f'REVOKE "{platform}" FROM "{log_in}"')
            run(f'DROP ROLE "{log_in}"')


def test_who_logs_in_may_own_nothing_at_all(with_an_owner):
    with platform_context():
        agency = create_agency(name="Owned", slug="owned")
    try:
        with tenant_context(agency):
            make_brand("Own brand")
            assert brand_names() == ["Own brand"]
            [(role, log_in)] = run("SELECT current_user, session_user")
            assert (role, log_in) == (agency.schema_name, log_in_role())
        with connection.as_owner(), platform_context():  # type: ignore[attr-defined]
            # Even as itself it reaches nothing: what it may, it may as one of its roles.
            for query in (
                f'SELECT * FROM "{agency.schema_name}".budgets_brand',
                "SELECT * FROM tenants_agency",
                "CREATE SCHEMA spare",
                "CREATE ROLE spare",
            ):
                with pytest.raises(DatabaseError, match="permission denied"):
                    run(query)
    finally:
        remove_agency(agency)
    with platform_context():
        assert not Agency.objects.filter(slug="owned").exists()


def test_an_agency_is_ordered_without_the_owner_and_made_with_him(with_an_owner, mailoutbox):
    # As the admin does it: in a transaction.
    with platform_context(), atomic():
        agency = openings.order(name="Ordered", slug="ordered", owner_email="olga@own.example")
        openings.order(name="Other", slug="other", owner_email="olga@own.example")
    try:
        assert open_agency(agency.pk)
        with tenant_context(agency):
            make_brand("Own brand")
        assert [mail.to for mail in mailoutbox] == [["olga@own.example"]]
        # What failed is ordered anew, by another name.
        with platform_context(), atomic():
            Opening.objects.filter(agency__slug="other").update(error="no disk")
            again = openings.order(name="Again", slug="other", owner_email="gus@own.example")
        assert open_agency(again.pk)
        with platform_context():
            assert Agency.objects.get(slug="other", is_ready=True).name == "Again"
            remove_agency(again)
    finally:
        remove_agency(agency)


def test_an_owners_connection_is_none_of_a_running_transaction(with_an_owner):
    with (
        platform_context(),
        pytest.raises(TransactionManagementError, match="owner's connection"),
        atomic(),
        owner_context(),
    ):
        pass


def test_what_an_agency_needs_of_each_table(neighbours):
    with tenant_context(neighbours.ours):
        found = run(
            "SELECT table_name, string_agg(privilege_type, ', ' ORDER BY privilege_type)"
            " FROM information_schema.role_table_grants WHERE grantee = current_user GROUP BY 1"
        )
        assert Brand.objects.exists()
    once = {name for name, rights in found if rights == "INSERT, SELECT"}
    assert once == {"budgets_spendentry", "campaigns_statuschange", "trail_entry"}
    assert dict(found)["django_migrations"] == "SELECT"
    assert dict(found)["budgets_budgetchange"] == "DELETE, INSERT, SELECT"
    assert {rights for _, rights in found} == {
        "SELECT",
        "INSERT, SELECT",
        "DELETE, INSERT, SELECT",
        "DELETE, INSERT, SELECT, UPDATE",
    }
