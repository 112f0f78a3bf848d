"""An agency goes with all that it had, after its export; and whatever dies meanwhile, no half of it
is left.
"""

import json
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from zipfile import ZipFile

import pytest
from django.contrib.admin.models import LogEntry
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client
from django_celery_beat.models import PeriodicTask

from accounts.models import User, create_api_key
from accounts.roles import Role
from budgets.models import Brand
from campaigns import sweep, tasks
from kernel.errors import Busy, Conflict, InvalidValue, NameTaken
from tenants import exports, removals
from tenants import tasks as tenants_tasks
from tenants.claims import claim_due
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency, AgencyRun, Domain, Removal
from tenants.queries import agency_by_slug
from tenants.remembered import forget
from tenants.removals import begin_removal, keep, remove, try_again
from tenants.services import create_agency, remove_agency
from tests.conftest import NOON, make_brand, make_campaign
from tests.tenants.leftovers import PAT, asked, nothing_but
from tests.waiting import PATIENCE_SECONDS, SOMEBODY_WAITS

pytestmark = pytest.mark.usefixtures("home")
HOUR = timedelta(hours=1)


class Killed(BaseException):
    """What a killed process does: nothing more."""


@pytest.fixture
def gone(platform):
    """An agency with some of everything, which a test deletes."""
    agency = create_agency(name="Gone Ads", slug="gone")
    Domain.objects.create(domain="ads.gone.example", tenant=agency, is_primary=False)
    AgencyRun.objects.create(agency=agency)
    with tenant_context(agency):
        User.objects.create_user("gus@gone.example", "correct horse battery", role=Role.OWNER)
        create_api_key(name="Script", role=Role.MANAGER)
        make_campaign(make_brand("Northwind", daily="10"))
        cache.set("front", "page")
    yield agency
    for left in Agency.objects.filter(slug="gone"):
        remove_agency(left)
    forget(agency.schema_name)


def is_whole(agency) -> bool:
    with tenant_context(agency):
        return Brand.objects.count() == 1 and User.objects.count() == 1


def test_nothing_of_it_is_left_but_its_export(before, gone, home):
    (home / "demo").mkdir()
    (home / "demo" / "gone.key").write_text("secret")
    removal = asked(gone)
    export = remove(removal.pk, now=NOON)
    assert export
    assert nothing_but(before)
    assert [file.name for file in home.rglob("*") if file.is_file()] == [
        "gone-20260302T120000Z.zip"
    ]
    assert export.path.stat().st_mode & 0o777 == 0o600
    assert export.path.parent.stat().st_mode & 0o777 == 0o700
    with ZipFile(export.path) as archive:
        [brand] = archive.read("tables/budgets_brand.jsonl").splitlines()
    assert json.loads(brand)["name"] == "Northwind"


def test_the_journal_of_who_asked_tells_where_the_export_is(gone):
    pat = User.objects.create_superuser("pat@paceline.example", name="Pat")
    try:
        order = begin_removal(agency_id=gone.pk, typed_slug="gone", now=NOON, by=pat.actor)
        export = remove(order.pk, now=NOON)
        assert export
        told = LogEntry.objects.get(user_id=pat.pk)
        assert (told.object_repr, told.object_id) == ("Gone Ads", str(gone.pk))
        assert str(export.path) in told.change_message
        assert export.sha256 in told.change_message
    finally:
        pat.delete()


def test_a_new_agency_of_the_same_address_sees_nothing_of_it(gone):
    remove(asked(gone).pk, now=NOON)
    new = create_agency(name="New", slug="gone")
    assert new.schema_name != gone.schema_name
    with tenant_context(new):
        assert (Brand.objects.count(), User.objects.count(), cache.get("front")) == (0, 0, None)


def test_from_the_order_on_nobody_is_there(gone):
    asked(gone)
    assert Client().get("/healthz", headers={"host": "gone.localhost"}).status_code == 404
    assert gone.pk not in [claim.agency_id for claim in claim_due(now=NOON + HOUR)]
    assert agency_by_slug("gone") is None
    with pytest.raises(NameTaken):
        create_agency(name="Other", slug="gone")


@pytest.mark.parametrize("typed", ["", "Gone", "acme", "gone.localhost"])
def test_the_address_has_to_be_typed(gone, typed):
    with pytest.raises(InvalidValue) as refused:
        begin_removal(agency_id=gone.pk, typed_slug=typed, now=NOON, by=PAT)
    assert refused.value.field == "slug"
    assert Agency.objects.get(pk=gone.pk).is_active


def test_it_is_ordered_once(gone):
    asked(gone)
    with pytest.raises(Conflict, match="already"):
        asked(gone)


def test_it_can_be_kept_until_somebody_works_on_it(gone):
    removal = asked(gone)
    keep(agency_id=gone.pk)
    assert remove(removal.pk, now=NOON) is None
    assert is_whole(gone)
    assert not Agency.objects.get(pk=gone.pk).is_active
    with pytest.raises(Conflict, match="not being deleted"):
        keep(agency_id=gone.pk)


def test_while_somebody_works_on_it_others_leave_it_alone(gone):
    removal = asked(gone)
    held, done = Event(), Event()

    def work():
        with platform_context(), removals._alone(removal):
            held.set()
            assert done.wait(PATIENCE_SECONDS)
        connections.close_all()

    worker = Thread(target=work)
    worker.start()
    assert held.wait(PATIENCE_SECONDS)
    try:
        with pytest.raises(Conflict, match="right now"):
            keep(agency_id=gone.pk)
        with pytest.raises(Busy):
            remove(removal.pk, now=NOON)
    finally:
        done.set()
        worker.join()
    assert is_whole(gone)
    assert remove(removal.pk, now=NOON)


def fail(*args, **options):
    raise OSError(28, "No space left on device")


def die(*args, **options):
    raise Killed


def test_an_export_that_fails_deletes_nothing_and_says_why(gone, monkeypatch, home):
    removal = asked(gone)
    with monkeypatch.context() as patch:
        patch.setattr(exports, "_write_table", fail)
        with pytest.raises(OSError, match="No space"):
            remove(removal.pk, now=NOON)
    removal.refresh_from_db()
    assert "No space left" in removal.error
    assert is_whole(gone)
    assert not list(home.rglob("*.zip*"))
    assert removals.due() == []
    assert try_again(gone.pk) == removal.pk
    assert removals.due() == [removal.pk]
    assert remove(removal.pk, now=NOON)


def test_an_export_that_is_not_what_the_database_holds_deletes_nothing(gone, monkeypatch):
    counted = exports._counted
    monkeypatch.setattr(exports, "_counted", lambda *a: {**counted(*a), "budgets_brand": 7})
    removal = asked(gone)
    with pytest.raises(exports.UnableToExport):
        remove(removal.pk, now=NOON)
    assert is_whole(gone)
    assert "the database has 7" in Removal.objects.get().error


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (removals, "_lock"),
        (exports, "_write_table"),
        (exports, "check_export"),
        (exports, "_sync_folder"),
        (removals, "_write_journal"),
        (removals, "remove_agency"),
        (removals, "_remove_files"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_killed_before_the_commit_all_of_it_is_there_and_the_next_try_ends_it(
    before, gone, monkeypatch, place, name
):
    removal = asked(gone)
    with monkeypatch.context() as patch:
        patch.setattr(place, name, die)
        with pytest.raises(Killed):
            remove(removal.pk, now=NOON)
    assert is_whole(gone)
    assert removals.due() == [removal.pk]
    assert remove(removal.pk, now=NOON + HOUR)
    assert nothing_but(before)


def test_killed_after_the_commit_only_what_redis_knows_is_left_to_do(before, gone, monkeypatch):
    removal = asked(gone)
    with monkeypatch.context() as patch:
        patch.setattr(removals, "forget", die)
        with pytest.raises(Killed):
            remove(removal.pk, now=NOON)
    assert not Agency.objects.filter(slug="gone").exists()
    assert removals.due() == [removal.pk]
    # The address is free, and its new agency is not what the rest is about.
    new = create_agency(name="New", slug="gone")
    assert remove(removal.pk, now=NOON + HOUR) is None
    with tenant_context(new):
        assert not Brand.objects.exists()
    remove_agency(new)
    assert nothing_but(before)


def test_while_redis_is_away_the_rest_waits(gone, settings):
    removal = asked(gone)
    url, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    assert not tenants_tasks.remove_agency(removal.pk)
    assert not Agency.objects.filter(slug="gone").exists()
    settings.REDIS_URL = url
    assert tenants_tasks.remove_agency(removal.pk)
    assert removals.due() == []


# Who is still there -------------------------------------------------------------------------------


def test_what_is_written_until_the_last_moment_is_in_the_export(gone):
    removal = asked(gone)
    found: list[Path] = []

    def delete():
        with platform_context():
            export = remove(removal.pk, now=NOON)
            assert export
            found.append(export.path)
        connections.close_all()

    deleter = Thread(target=delete)
    with tenant_context(gone), transaction.atomic():
        make_brand("Late")
        deleter.start()
        with connection.cursor() as cursor:
            waits = False
            while not waits and deleter.is_alive():
                cursor.execute(SOMEBODY_WAITS)
                [waits] = cursor.fetchone()
    deleter.join()
    with ZipFile(found[0]) as archive:
        names = [json.loads(row)["name"] for row in archive.open("tables/budgets_brand.jsonl")]
    assert sorted(names) == ["Late", "Northwind"]


def test_a_sweep_that_comes_too_late_leaves_nothing_behind(before, gone):
    asked_for = asked(gone)
    remove(asked_for.pk, now=NOON)
    outcome = sweep.sweep_agency(gone, is_full=True, now=NOON)
    assert outcome.errors == 1
    assert tasks.sweep_agencies([gone.pk], [gone.pk]) == 0
    assert nothing_but(before)


def test_a_request_that_comes_too_late_reaches_nothing(gone):
    remove(asked(gone).pk, now=NOON)
    with tenant_context(gone), pytest.raises(DatabaseError):
        Brand.objects.count()


# Messages and commands ----------------------------------------------------------------------------


def test_a_message_that_comes_twice_deletes_once(gone):
    removal = asked(gone)
    assert tenants_tasks.remove_agency(removal.pk)
    assert tenants_tasks.remove_agency(removal.pk)


def test_the_tick_rings_again_for_what_is_not_done(gone, monkeypatch):
    rung: list[int] = []
    monkeypatch.setattr(tenants_tasks.remove_agency, "delay", rung.append)
    removal = asked(gone)
    assert tenants_tasks.remove_agencies() == 1
    Removal.objects.update(error="OSError: no space")
    assert tenants_tasks.remove_agencies() == 0
    assert rung == [removal.pk]
    task = PeriodicTask.objects.get(task=tenants_tasks.remove_agencies.name)
    assert (task.enabled, str(task.interval)) == (True, "every 60 seconds")


def test_the_command_deletes_it_at_once_and_tells_where_the_export_is(before, gone, home, capsys):
    call_command("delete_agency", "gone", export=home / "gone.zip")
    said = capsys.readouterr().out
    assert "gone is deleted." in said
    assert str(home / "gone.zip") in said
    assert nothing_but(before)
    with pytest.raises(CommandError, match="No agency has the slug"):
        call_command("delete_agency", "gone")


def test_the_command_finishes_what_failed(gone, home):
    removal = asked(gone)
    Removal.objects.filter(pk=removal.pk).update(error="OSError: no space")
    call_command("delete_agency", "gone", export=home)
    assert [file.suffix for file in home.iterdir()] == [".zip"]


def test_the_command_that_cannot_export_deletes_nothing(gone, home):
    with pytest.raises(CommandError, match="Nothing is deleted"):
        call_command("delete_agency", "gone", export=home / "none" / "gone.zip")
    assert is_whole(gone)
    call_command("delete_agency", "gone", export=home / "gone.zip")
