"""The platform's staff comes in by support access only: for a while, with a reason that is seen."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core import mail
from django.test import Client

from accounts.models import SupportAccess, User
from accounts.support import begin
from budgets.models import Brand
from campaigns.models import StatusChange
from kernel.errors import InvalidValue, NotAllowed
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency
from tests.conftest import NOON, PASSWORD

REASON = "Their budgets look wrong."
SAID = {"reason": REASON, "minutes": "30"}


@pytest.fixture
def pat(world, noon) -> User:
    """One of the platform's staff."""
    with platform_context():
        return User.objects.create_superuser("pat@paceline.example", PASSWORD, name="Pat")


@pytest.fixture
def staff(pat) -> Client:
    """Pat's browser, logged in at the platform."""
    client = Client(HTTP_HOST="localhost:8000")
    with platform_context():
        client.force_login(pat, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def link(pat, acme) -> Callable[..., str]:
    """Return a function that opens an access, and returns the path of its link."""

    def ask(**changes) -> str:
        said = {"reason": REASON, "minutes": 30, "may_edit": False, "now": NOON, **changes}
        with platform_context():
            _, url = begin(agency=acme, staff=pat, **said)
        return urlsplit(url).path

    return ask


@pytest.fixture
def browser(world, noon) -> Client:
    return Client(HTTP_HOST="acme.localhost:8000")


@pytest.fixture
def inside(link, browser) -> Client:
    """A browser that is in Acme to look."""
    browser.post(link())
    return browser


def test_staff_enters_with_a_reason_and_owners_are_told(staff, browser, acme):
    form = f"/admin/tenants/agency/{acme.pk}/support/"
    assert form in staff.get(f"/admin/tenants/agency/{acme.pk}/change/").content.decode()
    moved = staff.post(form, SAID)
    assert moved["Location"].startswith("http://acme.localhost:8000/support/enter/")
    assert "form-action 'self' http://acme.localhost:8000" in moved["Content-Security-Policy"]
    [told] = mail.outbox
    assert told.to == ["ann@acme.example"]
    assert all(word in told.body for word in ("Pat", REASON, "12:30 UTC", "change nothing"))
    path = urlsplit(moved["Location"]).path
    assert REASON in browser.get(path).content.decode()
    assert browser.get("/").status_code == 302
    assert browser.post(path)["Location"] == "/"
    page = browser.get("/").content.decode()
    assert "Support access" in page
    assert REASON in page
    assert "by Pat until" in page


@pytest.mark.parametrize(
    ("changes", "field"), [({"reason": "help"}, "reason"), ({"minutes": "9999"}, "minutes")]
)
def test_without_a_reason_and_an_end_nobody_enters(staff, acme, changes, field):
    page = staff.post(f"/admin/tenants/agency/{acme.pk}/support/", {**SAID, **changes})
    assert list(page.context["form"].errors) == [field]
    assert not SupportAccess.objects.exists()
    assert mail.outbox == []


def test_only_staff_opens_it(pat, acme, world, browser):
    with platform_context():
        User.objects.filter(id=pat.id).update(is_superuser=False)
        pat.refresh_from_db()
        with pytest.raises(NotAllowed):
            begin(agency=acme, staff=pat, reason=REASON, minutes=30, may_edit=False, now=NOON)
    nobody = Client(HTTP_HOST="localhost:8000")
    assert nobody.post(f"/admin/tenants/agency/{acme.pk}/support/", SAID).status_code == 302
    with tenant_context(acme):
        assert not SupportAccess.objects.exists()


def test_a_reason_of_spaces_is_none(link):
    with pytest.raises(InvalidValue):
        link(reason=" " * 40)


def test_a_link_enters_once(link, browser, world):
    path = link()
    assert browser.post(path).status_code == 302
    other = Client(HTTP_HOST="acme.localhost:8000")
    assert other.get(path).status_code == 404
    assert other.post(path).status_code == 404


def test_a_link_is_dead_after_a_minute(link, browser):
    path = link()
    with time_machine.travel(NOON + timedelta(seconds=62), tick=False):
        assert browser.post(path).status_code == 404


def test_a_link_of_one_agency_is_nothing_at_another(link, world):
    path = link()
    elsewhere = Client(HTTP_HOST="zeta.localhost:8000")
    assert elsewhere.get(path).status_code == 404
    assert elsewhere.post(path).status_code == 404


@pytest.mark.parametrize("path", ["/support/enter/nonsense/", "/support/enter/a:b:c/"])
def test_a_made_up_link_is_nothing(browser, path):
    assert browser.get(path).status_code == 404


def test_support_looks_and_changes_nothing(inside, brand, campaign):
    assert inside.get(f"/brands/{brand.id}/").status_code == 200
    assert inside.get("/api/brands/").status_code == 200
    assert inside.post("/brands/new/", {"name": "New"}).status_code == 403
    command = f"/campaigns/{campaign.id}/command/"
    assert inside.post(command, {"status": "PAUSED"}).status_code == 403
    assert inside.post("/api/brands/", {"name": "New"}, "application/json").status_code == 403
    assert Brand.objects.count() == 1


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/accounts/password/change/",
        "/accounts/email/",
        "/accounts/2fa/",
        "/accounts/2fa/totp/activate/",
        "/accounts/reauthenticate/",
        "/people/",
        "/people/keys/new/",
        "/security/",
    ],
)
@pytest.mark.parametrize("may_edit", [False, True])
def test_support_has_no_account_and_lets_nobody_in(link, browser, acme, path, may_edit):
    browser.post(link(may_edit=may_edit))
    count = User.objects.count()
    assert browser.get(path, follow=True).status_code == 403
    assert browser.post(path, {"password1": "x"}, follow=True).status_code == 403
    assert User.objects.count() == count


def test_what_support_edits_is_told_as_supports(link, browser, campaign):
    browser.post(link(may_edit=True))
    assert "with edits" in browser.get("/").content.decode()
    browser.post(f"/campaigns/{campaign.id}/command/", {"status": "PAUSED"})
    change = StatusChange.objects.latest("version")
    assert (change.by_kind, change.by_label) == ("support", "Paceline support: Pat")


def test_it_ends_by_itself_in_the_middle_of_a_session(inside):
    before, end = NOON + timedelta(minutes=29, seconds=59), NOON + timedelta(minutes=30)
    with time_machine.travel(before, tick=False):
        assert inside.get("/").status_code == 200
    with time_machine.travel(end, tick=False):
        assert inside.get("/")["Location"] == "/accounts/login/?next=/"
        assert inside.get("/api/brands/").status_code in (401, 403)


def test_an_owner_sees_it_and_ends_it(inside, owner, acme):
    page = owner.get("/security/").content.decode()
    assert REASON in page
    access = SupportAccess.objects.get()
    owner.post(f"/security/support/{access.id}/end/")
    assert inside.get("/").status_code == 302
    access.refresh_from_db()
    assert (access.ended_at, access.ended_by_label) == (NOON, "Ann")
    page = owner.post(f"/security/support/{access.id}/end/", follow=True)
    assert "over already" in page.content.decode()


def test_support_ends_it(inside, acme):
    inside.post("/support/leave/")
    assert inside.get("/").status_code == 302
    assert SupportAccess.objects.get().ended_by_label == "Paceline support: Pat"


def test_others_neither_see_nor_end_it(inside, manager, stranger, acme):
    access = SupportAccess.objects.get()
    for client, status in ((manager, 403), (stranger, 404)):
        assert client.post(f"/security/support/{access.id}/end/").status_code == status
    assert manager.get("/security/").status_code == 403
    assert inside.get("/").status_code == 200


def test_an_agency_switches_it_off_and_whoever_is_in_is_out(inside, owner, staff, link, acme):
    path = link()
    owner.post("/security/", {})
    assert inside.get("/").status_code == 302
    assert inside.post(path).status_code == 404
    with platform_context():
        acme.refresh_from_db()
    with pytest.raises(NotAllowed):
        link()
    page = staff.post(f"/admin/tenants/agency/{acme.pk}/support/", SAID)
    assert "has switched support access off" in page.content.decode()
    # What the agency decided, the platform's admin shows and does not change.
    said = {"name": acme.name, "is_active": "on", "allows_support": "on"}
    staff.post(f"/admin/tenants/agency/{acme.pk}/change/", said)
    with platform_context():
        assert not Agency.objects.get(pk=acme.pk).allows_support


def test_it_ends_with_the_staffs_own_access(inside, pat):
    with platform_context():
        User.objects.filter(id=pat.id).update(is_active=False)
    assert inside.get("/").status_code == 302


def test_a_session_of_it_is_nothing_at_another_agency(inside):
    assert inside.get("/", headers={"host": "zeta.localhost:8000"}).status_code == 302
    assert inside.get("/admin/", headers={"host": "localhost:8000"}).status_code == 302


def test_the_second_factor_of_owners_is_not_asked_of_it(inside, acme):
    with platform_context():
        Agency.objects.filter(pk=acme.pk).update(requires_second_factor=True)
    assert inside.get("/").status_code == 200


def test_logging_out_ends_its_session(inside):
    inside.post("/accounts/logout/")
    assert inside.get("/").status_code == 302
