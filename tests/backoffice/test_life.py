"""Staff suspends, resumes and deletes agencies; nobody else comes near it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import User
from backoffice.journal import content_type_id
from backoffice.platform import life
from backoffice.sites import platform_site
from tenants import tasks
from tenants.contexts import platform_context
from tenants.models import Agency, Removal, Suspension
from tests.backoffice.conftest import messages_of
from tests.backoffice.conftest import page as agency_page

PAGES = ["suspend", "resume", "remove"]
every_page = pytest.mark.parametrize("name", PAGES)


def page(agency, name):
    return agency_page(Agency, name, agency.pk, site=platform_site)


def shown(client, agency, name="change") -> str:
    return client.get(page(agency, name)).content.decode()


@pytest.fixture
def swept(monkeypatch) -> list[int]:
    told: list[int] = []
    monkeypatch.setattr(life, "sweep_soon", told.append)
    return told


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    """The removals of which a worker was told."""
    told: list[int] = []
    monkeypatch.setattr(tasks.remove_agency, "delay", told.append)
    return told


def test_an_agency_is_suspended_with_a_reason_that_its_page_tells(world, pat):
    assert ">Active</span>" in shown(pat, world.acme)
    response = pat.post(page(world.acme, "suspend"), {"reason": "unpaid"}, follow=True)
    assert "Acme Media is suspended." in messages_of(response)
    told = response.content.decode()
    assert ">Suspended</span>" in told
    assert "2 Mar 2026 12:00 UTC by Pat: unpaid" in told
    assert Client().get("/healthz", headers={"host": "acme.localhost"}).status_code == 404
    assert LogEntry.objects.get().change_message == "Suspended: unpaid"


def test_without_a_reason_it_goes_on(world, pat):
    response = pat.post(page(world.acme, "suspend"), {"reason": " "})
    assert "This field is required." in response.content.decode()
    assert Agency.objects.get(slug="acme").is_active


def test_a_suspended_one_is_resumed_and_swept_at_once(world, pat, swept, committed):
    pat.post(page(world.acme, "suspend"), {"reason": "unpaid"})
    assert "Resume it" in shown(pat, world.acme)
    with committed():
        response = pat.post(page(world.acme, "resume"), follow=True)
    assert "Acme Media is served again." in messages_of(response)
    assert swept == [world.acme.pk]
    assert Suspension.objects.get().ended_by_label == "Pat"
    assert "by Pat." in shown(pat, world.acme)


def test_what_is_so_already_is_told(world, pat):
    assert "is not suspended." in pat.post(page(world.acme, "resume")).content.decode()
    pat.post(page(world.acme, "suspend"), {"reason": "unpaid"})
    again = pat.post(page(world.acme, "suspend"), {"reason": "unpaid"})
    assert "is suspended already." in again.content.decode()


def test_its_address_is_typed_to_delete_it(world, pat, rung, committed):
    with committed():
        response = pat.post(page(world.acme, "remove"), {"slug": "zeta"})
    assert "Type “acme”" in response.content.decode()
    assert Agency.objects.get(slug="acme").is_active
    with committed():
        response = pat.post(page(world.acme, "remove"), {"slug": "acme"}, follow=True)
    removal = Removal.objects.get()
    assert rung == [removal.pk]
    assert response.headers["Refresh"] == "2"
    told = response.content.decode()
    assert "within the minute" in told
    assert removal.export_path in told
    assert ">To be deleted</span>" in shown(pat, world.acme)
    assert not Agency.objects.get(slug="acme").is_active


def test_one_that_could_not_be_deleted_says_why_and_is_tried_again(world, pat, rung, committed):
    pat.post(page(world.acme, "remove"), {"slug": "acme"})
    Removal.objects.update(error="OSError: No space left on device")
    response = pat.get(page(world.acme, "remove"))
    assert "No space left on device" in response.content.decode()
    assert "Refresh" not in response.headers
    listed = pat.get(agency_page(Agency, "changelist", site=platform_site)).content.decode()
    assert ">Not deleted</span>" in listed
    with committed():
        pat.post(page(world.acme, "remove"), {"try_again": "Try again"})
    removal = Removal.objects.get()
    assert (removal.error, rung[-1:]) == ("", [removal.pk])


def test_it_can_still_be_kept(world, pat, rung):
    pat.post(page(world.acme, "remove"), {"slug": "acme"})
    response = pat.post(page(world.acme, "remove"), {"keep": "Keep"}, follow=True)
    assert "Acme Media is kept." in messages_of(response)
    assert not Removal.objects.exists()
    assert ">Suspended</span>" in shown(pat, world.acme)


def test_of_one_that_is_gone_the_journal_tells_where_its_export_is(world, pat):
    number = world.acme.pk
    LogEntry.objects.create(
        user_id=User.objects.get().pk,
        content_type_id=content_type_id(Agency),
        object_id="4711",
        object_repr="Gone Ads",
        action_flag=3,
        change_message="Deleted with all of its data. The export is /srv/exports/gone.zip.",
    )
    told = pat.get(page(world.acme, "remove").replace(f"/{number}/", "/4711/"))
    assert "Gone Ads is deleted" in told.content.decode()
    assert "/srv/exports/gone.zip" in told.content.decode()
    for name in PAGES:
        missing = page(world.acme, name).replace(f"/{number}/", "/999999/")
        assert pat.get(missing).status_code == 404


@every_page
def test_others_of_the_platform_are_led_to_the_log_in(world, platform, client, name):
    client.defaults["HTTP_HOST"] = "localhost:8000"
    address = page(world.acme, name)
    for answer in (client.get(address), client.post(address, {"slug": "acme", "reason": "x"})):
        assert answer.headers["Location"] == f"/admin/login/?next={address}"
    assert Agency.objects.get(slug="acme").is_active


@every_page
def test_people_of_an_agency_do_not_find_it(world, ann, max_, zoe, name):
    """Neither on their own host, nor with their session on the platform's."""
    with platform_context():
        address = page(world.acme, name)
    for client in (ann, max_, zoe):
        assert client.post(address, {"slug": "acme", "reason": "x"}).status_code == 404
        client.defaults["HTTP_HOST"] = "localhost:8000"
        answer = client.post(address, {"slug": "acme", "reason": "x"})
        assert answer.headers["Location"].startswith("/admin/login/")
    with platform_context():
        assert Agency.objects.get(slug="acme").is_active
        assert not Removal.objects.exists()
