"""Every agency's schema is brought up to date, whatever becomes of one of them or of us."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, get_commands
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django_tenants.management.commands.migrate_schemas import MigrateSchemasCommand as Stock

from campaigns.models import Campaign
from tenants.contexts import owner_context, platform_context, tenant_context
from tests.conftest import make_brand, make_campaign
from tests.tenants.catalogue import described
from tests.tenants.later import add_migration, made
from tests.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def three(own_agency):
    """Three agencies, by their slugs in this order."""
    with made("m-1") as first, made("m-2") as second, made("m-3") as third:
        yield first, second, third


def migrate(**options):
    """Migrate the agencies; return what was told."""
    out = io.StringIO()
    with platform_context():
        call_command("migrate_schemas", tenant=True, stdout=out, stderr=out, **options)
    return out.getvalue()


def is_later(agency):
    with tenant_context(agency):
        recorded = MigrationRecorder.Migration.objects.filter(name="9999_later").exists()
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('campaigns_later') IS NOT NULL")
            [made_table] = cursor.fetchone()
            cursor.execute("SELECT count(*) FROM django_content_type WHERE model = 'later'")
            [content_types] = cursor.fetchone()
    assert recorded == made_table == (content_types == 1), "half a migration"
    return recorded


def test_our_commands_stand_for_django_tenants():
    commands = get_commands()
    assert (commands["migrate"], commands["migrate_schemas"]) == ("tenants", "tenants")


@pytest.mark.parametrize("atomic", [True, False])
def test_it_leaves_what_django_tenants_leaves(three, later, atomic):
    first, second, _ = three
    later(atomic=atomic)
    with owner_context():
        call_command(Stock(), tenant=True, schema_name=first.schema_name, verbosity=0)
    told = migrate()
    assert "m-1" not in told
    assert "m-2: campaigns.9999_later" in told
    assert described(second) == described(first)


def test_with_nothing_to_do_it_changes_nothing(three):
    before = [described(agency) for agency in three]
    assert "0 migrated, 0 failed" in migrate()
    assert [described(agency) for agency in three] == before


def test_a_migration_of_data_meets_each_agencys_own_rows(three, later):
    for agency in three:
        with tenant_context(agency):
            make_campaign(make_brand(), f"{agency.slug} search")
    later(code="apps.get_model('campaigns.Campaign').objects.update(name='later')")
    migrate()
    for agency in three:
        with tenant_context(agency):
            assert [campaign.name for campaign in Campaign.objects.all()] == ["later"]


def test_agencies_that_lack_different_migrations_each_get_theirs(three, later):
    first, second, third = three
    with owner_context(), tenant_context(second), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations"
            " WHERE app = 'campaigns' AND name = '0004_trail_of_changes'"
        )
        cursor.execute("DROP TRIGGER pgtrigger_trail_row_c2c4f ON campaigns_campaign")
    later()
    told = migrate()
    assert "m-1: campaigns.9999_later" in told
    assert "m-2: campaigns.0004_trail_of_changes, campaigns.9999_later" in told
    assert described(third) == described(first)


def test_one_that_fails_is_named_and_the_others_go_on(three, later):
    first, second, third = three
    later()
    with owner_context(), tenant_context(second), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE campaigns_later ()")
    out = io.StringIO()
    with (
        platform_context(),
        pytest.raises(CommandError, match=r"Not up to date: m-2\.") as failure,
    ):
        call_command("migrate_schemas", tenant=True, stdout=out, stderr=out)
    assert failure.value.returncode == 1
    assert 'm-2: ProgrammingError: relation "campaigns_later" already exists' in out.getvalue()
    assert is_later(first)
    assert is_later(third)
    with owner_context(), tenant_context(second), connection.cursor() as cursor:
        cursor.execute("DROP TABLE campaigns_later")
    assert not is_later(second)
    migrate()
    assert is_later(second)


def test_one_without_a_schema_is_named_and_the_others_go_on(three, later):
    first, second, third = three
    later()
    with owner_context(), connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{second.schema_name}" CASCADE')
    with pytest.raises(CommandError, match=r"Not up to date: m-2\."):
        migrate()
    assert is_later(first)
    assert is_later(third)


def test_one_that_is_being_made_is_its_makers(three, later):
    with platform_context():
        three[1].is_ready = False
        three[1].save()
    later()
    migrate()
    assert [is_later(agency) for agency in three] == [True, False, True]


def test_check_names_who_lacks_what_and_changes_nothing(three, later):
    migrate(check_unapplied=True)
    later()
    out = io.StringIO()
    with platform_context(), pytest.raises(CommandError, match="m-1, m-2, m-3, own-"):
        call_command("migrate_schemas", tenant=True, check_unapplied=True, stdout=out, stderr=out)
    assert "m-2: CommandError: lacks campaigns.9999_later" in out.getvalue()
    assert not any(map(is_later, three))


def test_one_schema_alone(three, later):
    later()
    migrate(schema_name=three[1].schema_name)
    assert [is_later(agency) for agency in three] == [False, True, False]
    with pytest.raises(CommandError, match="No agency has the schema 'nobody'"):
        migrate(schema_name="nobody")


def test_the_rare_options_are_djangos_own(three, later):
    later()
    # Django tells the plan of each schema: of these three, and of what else there is.
    assert migrate(plan=True).count("Create model Later") >= len(three)
    migrate(app_label="campaigns", fake=True)
    for agency in three:
        with tenant_context(agency):
            assert MigrationRecorder.Migration.objects.filter(name="9999_later").exists()
    with pytest.raises(CommandError, match="one executor"):
        migrate(executor="multiprocessing")


def test_killed_half_way_a_second_run_finishes_it(three, later, tmp_path):
    """With SIGKILL, while the migration runs in the second agency, and in a process of its own."""
    own = tmp_path / "own"
    own.mkdir()
    code = "import os, time; os.path.exists('{0}') and time.sleep(600); open('{0}', 'w')"
    name, _ = add_migration(own, code=code.format(tmp_path / "second"))
    (own / "later_settings.py").write_text(
        f"from config.settings import *\nMIGRATION_MODULES = {{'campaigns': '{name}'}}\n"
    )
    at = connection.settings_dict
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}"
        f"/{at['NAME']}",
        "DJANGO_SETTINGS_MODULE": "later_settings",
        "PYTHONPATH": os.pathsep.join([str(own), *sys.path]),
    }
    command = [sys.executable, "manage.py", "migrate_schemas", "--tenant"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        end = time.monotonic() + PATIENCE_SECONDS
        while sum(map(is_later, three)) < 1:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    assert [is_later(agency) for agency in three] == [True, False, False]
    later()
    migrate()
    assert all(map(is_later, three))
