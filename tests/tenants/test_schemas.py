"""A new agency's tables come from a script, and are what migrations would have made."""

import threading
from contextlib import ExitStack

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tenants import schemas, services
from tenants.contexts import owner_context, platform_context, tenant_context
from tenants.models import Agency, SchemaScript
from tests.conftest import NOON
from tests.tenants.catalogue import described
from tests.tenants.later import made


def scripts():
    with platform_context():
        return SchemaScript.objects.count()


def test_what_the_script_makes_is_what_migrations_make(own_agency):
    by_script = described(own_agency)
    with owner_context():
        schemas._migrate(own_agency)
    assert by_script == described(own_agency)
    # Each of them was really looked at.
    assert len(by_script["columns"]) > 150
    assert len(by_script["constraints"]) > 60
    assert by_script["rows of django_content_type"]
    assert any("campaigns" in row for row in by_script["rows of django_migrations"])


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE campaigns_campaign RENAME CONSTRAINT campaigns_campaign_pkey TO pk",
        "ALTER INDEX campaigns_campaign_pkey RENAME TO pk",
        "ALTER TABLE campaigns_campaign ALTER name DROP NOT NULL",
        "ALTER TABLE campaigns_campaign ALTER name SET DEFAULT ''",
        "ALTER TABLE campaigns_hold ALTER note TYPE varchar(999)",
        "ALTER TABLE campaigns_statuschange ALTER id SET GENERATED ALWAYS",
        "ALTER TABLE campaigns_statuschange ALTER id DROP IDENTITY",
        "SELECT nextval('campaigns_statuschange_id_seq')",
        "ALTER TABLE campaigns_campaign ADD spare int",
        "COMMENT ON TABLE campaigns_campaign IS 'ours'",
        "CREATE INDEX spare ON campaigns_campaign (name)",
        "GRANT SELECT ON campaigns_campaign TO PUBLIC",
        "CREATE TYPE spare AS ENUM ('a')",
        "CREATE VIEW spare AS SELECT 1",
        "DELETE FROM django_content_type WHERE model = 'campaign'",
        "UPDATE django_content_type SET id = id + 1000",
        "DELETE FROM django_migrations WHERE app = 'campaigns'",
    ],
)
def test_the_comparison_sees_a_difference(acme, change):
    before = described(acme)
    with owner_context(), tenant_context(acme), connection.cursor() as cursor:
        cursor.execute(change)
    assert described(acme) != before


def test_migrations_were_applied_when_the_agency_was_made(own_agency):
    with platform_context():
        schemas.fill_schema(own_agency, now=NOON)
    with tenant_context(own_agency):
        assert set(MigrationRecorder.Migration.objects.values_list("applied", flat=True)) == {NOON}


def test_a_new_migration_is_noticed_and_in_the_next_script(later):
    before = scripts()
    later()
    with made("first") as first, made("second") as second:
        assert scripts() == before + 1
        assert any("later_by_name" in line for line in described(second)["indexes"])
        assert described(first) == described(second)


def test_a_migration_edited_in_place_is_another_one(later):
    migration = later()
    before = schemas.migrations_key()
    migration.write_text(migration.read_text().replace("later_by_name", "later_by_names"))
    assert schemas.migrations_key() != before


def test_a_migration_about_one_schema_alone_is_never_replayed(later, caplog):
    before = scripts()
    later(
        code="schema_editor.execute("
        "f'COMMENT ON SCHEMA {schema_editor.connection.schema_name} IS NULL')"
    )
    with made("first") as first, made("second") as second:
        assert scripts() == before
        assert described(first) == described(second)
    assert "every new agency is migrated step by step" in caplog.text


def test_a_migration_that_alters_a_tracked_column_is_replayed(later, caplog):
    before = scripts()
    later(
        code="""
    model = apps.get_model("campaigns", "Campaign")
    wider = models.CharField(max_length=300)
    wider.set_attributes_from_name("name")
    schema_editor.alter_field(model, model._meta.get_field("name"), wider)"""
    )
    with made("first") as first, made("second") as second:
        assert scripts() == before + 1
        assert described(first) == described(second)
        assert any("trail_change" in line for line in described(second)["triggers"])
    assert "step by step" not in caplog.text


def test_the_script_asks_nothing_of_a_catalog_that_grows_with_the_agencies(own_agency):
    with platform_context():
        script = SchemaScript.objects.get(key=schemas.migrations_key()).sql
    assert "CREATE TABLE" in script
    asked = [s for s in script.split("\n;\n") if s.lstrip().upper().startswith("SELECT")]
    assert asked == []


@pytest.mark.parametrize(
    ("statement", "is_kept"),
    [
        ("SELECT c.relname FROM pg_class c", False),
        ('select "id" FROM "django_content_type"', False),
        ("SELECT setval('x_id_seq', 5)", True),
        ("SELECT pg_catalog.set_config('search_path', '', false)", True),
        ("UPDATE t SET a = (SELECT 1)", True),
    ],
)
def test_what_changes_something_is_in_the_script(statement, is_kept):
    assert (schemas._script([statement], schema_name="agency_x") == statement) is is_kept


def test_a_script_that_fails_is_told_and_the_agency_is_migrated(own_agency, caplog):
    with platform_context():
        good = SchemaScript.objects.get(key=schemas.migrations_key())
        SchemaScript.objects.update(sql=good.sql + ";\nCREATE TABLE campaigns_campaign ()")
        try:
            with made("broken") as agency:
                assert described(agency) == described(own_agency)
        finally:
            SchemaScript.objects.update(sql=good.sql)
    assert "agency=broken is migrated step by step" in caplog.text


def test_what_a_killed_maker_left_in_the_schema_does_not_matter(own_agency):
    with made("half") as agency:
        whole = described(agency)
        with owner_context(), tenant_context(agency), connection.cursor() as cursor:
            cursor.execute("DROP TABLE campaigns_hold")
            cursor.execute("CREATE TABLE spare ()")
        schemas.fill_schema(agency, now=NOON)
        assert described(agency) == whole


def test_several_at_once_make_whole_agencies_and_one_script(own_agency):
    with platform_context():
        SchemaScript.objects.all().delete()
    failed = []

    def make(number):
        try:
            with platform_context():
                services.create_agency(name=f"At once {number}", slug=f"at-once-{number}")
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=make, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with platform_context(), ExitStack() as stack:
        agencies = list(Agency.objects.filter(slug__startswith="at-once"))
        for agency in agencies:
            stack.callback(services.remove_agency, agency)
        assert not failed
        assert SchemaScript.objects.count() == 1
        assert [described(agency) for agency in agencies] == [described(own_agency)] * 3
