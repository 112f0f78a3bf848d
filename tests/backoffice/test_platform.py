"""The platform's admin: agencies, their hosts, what beat does, and the staff."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts import tasks
from accounts.models import User
from accounts.services import open_agency
from backoffice.sites import platform_site
from tenants.models import Agency, AgencyRun, Domain, Heartbeat, Opening
from tests.backoffice.conftest import errors_of, messages_of
from tests.backoffice.conftest import page as agency_page
from tests.backoffice.rows import PLATFORM
from tests.conftest import NOON, PASSWORD

MODELS = sorted(platform_site._registry, key=lambda model: model.__name__)
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
NEW = {"name": "Nova Media", "slug": "nova", "email": "Nina@Nova.example"}


def page(*args):
    return agency_page(*args, site=platform_site)


@every_model
def test_each_model_has_a_maker_of_rows(model):
    assert model in PLATFORM, f"tests/backoffice/rows.py lacks a maker for {model.__name__}"


@every_model
def test_staff_sees_every_list_and_row(pat, model):
    row = PLATFORM[model](3)
    for address in (
        page(model, "changelist"),
        page(model, "change", row.pk),
        page(model, "history", row.pk),
    ):
        assert pat.get(address).status_code == 200, address
    expected = 403 if model is Heartbeat else 200
    assert pat.get(page(model, "add")).status_code == expected


@every_model
def test_others_see_none(platform, client, model):
    client.defaults["HTTP_HOST"] = "localhost:8000"
    address = page(model, "changelist")
    assert client.get(address).headers["Location"] == f"/admin/login/?next={address}"


@every_model
def test_a_list_takes_the_same_statements_for_any_number_of_rows(pat, model):
    pat.get(page(model, "changelist"))
    counts = set()
    for count in (2, 40):
        savepoint = transaction.savepoint()
        PLATFORM[model](count)
        with CaptureQueriesContext(connection) as captured:
            response = pat.get(page(model, "changelist"))
        assert len(response.context["cl"].result_list) >= count
        transaction.savepoint_rollback(savepoint)
        counts.add(len(captured))
    assert len(counts) == 1, counts


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    """The agencies of which a worker was told."""
    told: list[int] = []
    monkeypatch.setattr(tasks.open_agency, "delay", told.append)
    return told


def test_an_agency_is_ordered_and_its_page_tells_how_far_it_is(pat, rung, committed, mailoutbox):
    with committed():
        response = pat.post(page(Agency, "add"), NEW, follow=True)
    agency = Agency.objects.get(slug="nova")
    assert rung == [agency.pk]
    assert "Nova Media is ordered." in messages_of(response)
    assert (response.headers["Refresh"], agency.is_ready) == ("2", False)
    assert ">Waiting</span>" in response.content.decode()
    Opening.objects.update(begun_at=NOON)
    shown = pat.get(page(Agency, "change", agency.pk))
    assert ">Being made</span>" in shown.content.decode()
    assert shown.headers["Refresh"] == "2"
    # What is being made is not edited.
    pat.post(page(Agency, "change", agency.pk), {"name": "Other", "is_active": ""})
    agency.refresh_from_db()
    assert (agency.name, agency.is_active) == ("Nova Media", True)

    Opening.objects.update(begun_at=None)
    assert open_agency(agency_id=agency.pk, now=NOON)
    shown = pat.get(page(Agency, "change", agency.pk))
    assert ">Active</span>" in shown.content.decode()
    assert "Refresh" not in shown.headers
    assert [mail.to for mail in mailoutbox] == [["nina@nova.example"]]


def test_an_agency_that_could_not_be_made_says_why_and_is_tried_again(pat, rung, committed):
    pat.post(page(Agency, "add"), NEW)
    agency = Agency.objects.get(slug="nova")
    Opening.objects.update(error="OperationalError: no space")
    shown = pat.get(page(Agency, "change", agency.pk))
    assert ">Failed</span>" in shown.content.decode()
    assert "OperationalError: no space" in shown.content.decode()
    assert "Refresh" not in shown.headers
    rung.clear()
    said = {"action": "try_again", "_selected_action": [agency.pk]}
    with committed():
        response = pat.post(page(Agency, "changelist"), said, follow=True)
    assert "Tried again: 1." in messages_of(response)
    assert rung == [agency.pk]
    assert Opening.objects.get().error == ""
    response = pat.post(page(Agency, "changelist"), said, follow=True)
    assert "Of none of them" in messages_of(response)


def test_a_broker_that_is_away_does_not_stop_an_order(pat, monkeypatch, committed):
    def fail(agency_id):
        raise OSError("no broker")

    monkeypatch.setattr(tasks.open_agency, "delay", fail)
    with committed():
        response = pat.post(page(Agency, "add"), NEW, follow=True)
    assert "Nova Media is ordered." in messages_of(response)
    assert Opening.objects.get().agency.slug == "nova"


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"slug": "acme"}, "slug", "is in use"),
        ({"slug": "admin"}, "slug", "is reserved"),
        ({"slug": "No Slug"}, "slug", "lower-case letters"),
        ({"email": "nobody"}, "email", "valid email"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_a_bad_agency_is_an_error_on_its_field(world, pat, changes, field, sentence):
    before = Agency.objects.count()
    response = pat.post(page(Agency, "add"), {**NEW, **changes})
    assert sentence in errors_of(response)[field][0]
    assert Agency.objects.count() == before


def test_only_the_name_is_edited_on_its_page(world, pat):
    Agency.objects.filter(pk=world.acme.pk).update(check_generation=7)
    said = {"name": "Acme Group", "slug": "hacked", "is_active": ""}
    pat.post(page(Agency, "change", world.acme.pk), said)
    agency = Agency.objects.get(pk=world.acme.pk)
    assert (agency.name, agency.slug, agency.is_active) == ("Acme Group", "acme", True)
    # What the sweep writes is not touched.
    assert agency.check_generation == 7


def test_an_agency_is_not_deleted_as_other_rows_are(world, pat):
    address = page(Agency, "delete", world.acme.pk)
    assert pat.post(address, {"post": "yes"}).status_code == 403


def test_the_list_tells_who_is_late_and_why(world, pat):
    AgencyRun.objects.create(
        agency=world.acme,
        last_sweep_at=NOON - timedelta(minutes=11),
        error="Traceback\nKeyError: 'x'",
        quarantined_at=NOON,
    )
    AgencyRun.objects.create(agency=world.zeta, last_sweep_at=NOON, seconds=0.25, checked=3)
    listed = pat.get(page(Agency, "changelist")).content.decode()
    assert listed.count("Late") == 1
    assert "KeyError: &#x27;x&#x27;" in listed
    assert listed.count("Quarantined") == 1
    assert "0.250 s, 0 of 3 changed" in listed
    assert 'href="http://acme.localhost:8000/"' in listed


def test_a_further_host_leads_to_the_agency(world, pat, client):
    said = {"tenant": world.acme.pk, "domain": " Ads.Acme.COM. "}
    pat.post(page(Domain, "add"), said)
    domain = Domain.objects.get(domain="ads.acme.com")
    assert (domain.tenant, domain.is_primary) == (world.acme, False)
    assert Domain.objects.get(domain="acme").is_primary
    assert client.get("/admin/", headers={"host": "ads.acme.com"}).status_code == 302


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("zeta", "leads to an agency already"),
        ("www", "is reserved"),
        ("no host", "lower-case letters"),
        ("https://acme.com", "without scheme"),
        ("acme.com:8000", "without scheme"),
        ("10.0.0.1", "without scheme"),
        ("-a.acme.com", "without scheme"),
        ("zeta.localhost", "give the label alone"),
        ("a.zeta.localhost", "give the label alone"),
        ("a." * 130 + "com", "253"),
    ],
)
def test_a_bad_host_is_an_error_on_its_field(world, pat, host, sentence):
    response = pat.post(page(Domain, "add"), {"tenant": world.acme.pk, "domain": host})
    assert sentence in errors_of(response)["domain"][0]


def test_a_further_host_can_go_and_the_agencys_own_can_not(world, pat):
    own = Domain.objects.get(domain="acme")
    further = Domain.objects.create(domain="ads.acme.com", tenant=world.acme, is_primary=False)
    for domain, status in ((own, 403), (further, 302)):
        address = page(Domain, "delete", domain.pk)
        assert pat.post(address, {"post": "yes"}).status_code == status
    assert list(Domain.objects.filter(tenant=world.acme)) == [own]


def test_a_periodic_task_is_edited(pat):
    task = PLATFORM[PeriodicTask](1)
    assert isinstance(task, PeriodicTask)
    hour = IntervalSchedule.objects.create(every=1, period="hours")
    said = {"name": "Hourly", "task": "campaigns.tick", "interval": hour.pk, "enabled": "on"}
    said |= {"args": "[]", "kwargs": "{}"}
    pat.post(page(PeriodicTask, "change", task.pk), said)
    task.refresh_from_db()
    assert (task.name, task.interval) == ("Hourly", hour)
    shown = pat.get(page(PeriodicTask, "change", task.pk)).content.decode()
    assert "periodic-task-overrides" not in shown, "an inline script, which the CSP forbids"


def test_staff_is_added_and_logs_in(pat, client):
    said = {"email": "Sue@Paceline.example", "name": "Sue"}
    pat.post(page(User, "add"), {**said, "password1": PASSWORD, "password2": PASSWORD})
    client.defaults["HTTP_HOST"] = "localhost:8000"
    said = {"login": "sue@paceline.example", "password": PASSWORD}
    assert client.post("/accounts/login/", said).headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"password2": "other"}, "password2", "differ"),
        ({"password1": "12345678", "password2": "12345678"}, "password1", "too common"),
        ({"email": "PAT@paceline.example"}, "email", "is here already"),
    ],
)
def test_bad_staff_is_an_error_on_its_field(pat, changes, field, sentence):
    said = {"email": "sue@paceline.example", "password1": PASSWORD, "password2": PASSWORD}
    response = pat.post(page(User, "add"), {**said, **changes})
    assert sentence in errors_of(response)[field][0]
    assert User.objects.count() == 1


def test_the_last_active_staff_stays(pat):
    staff = User.objects.get()
    response = pat.post(page(User, "change", staff.pk), {"name": "Pat"})
    assert "Somebody must be left" in errors_of(response)["is_active"][0]
    User.objects.create_superuser("sue@paceline.example")
    pat.post(page(User, "change", staff.pk), {"name": "Pat"})
    assert not User.objects.get(pk=staff.pk).is_active


def test_staff_changes_the_own_password_at_the_platforms_own_door(pat):
    moved = pat.get("/admin/password_change/")
    assert moved.headers["Location"] == "/accounts/password/change/"


def test_a_silent_beat_is_seen(pat):
    Heartbeat.objects.create(name="tick", beat_at=NOON - timedelta(minutes=4))
    assert "Silent" in pat.get(page(Heartbeat, "changelist")).content.decode()
