"""Passkeys, in a Chromium that has an authenticator of its own, under the pages' policy."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from playwright.sync_api import Browser, expect

from accounts.models import User
from accounts.roles import Role
from tenants.models import Agency
from tests.conftest import PASSWORD

from .browsing import Visit, committed_agency, running_browser, running_server

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("clean_cache")]

EMAIL = "ann@own.example"
OWN = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
VERIFIES = {"hasUserVerification": True, "isUserVerified": True}


@pytest.fixture(scope="module")
def browser(django_db_setup: None) -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def port(browser: Browser) -> Iterator[int]:
    with running_server() as port:
        yield port


@pytest.fixture(scope="module")
def agency(port: int, django_db_blocker: Any) -> Iterator[Agency]:
    with django_db_blocker.unblock(), committed_agency(f"own-{port}") as agency:
        User.objects.create_user(EMAIL, PASSWORD, role=Role.OWNER, name="Ann")
        yield agency


@pytest.fixture
def visit(browser, port, agency, settings) -> Iterator[Visit]:
    """Ann's tab, logged in, on a computer that reads fingerprints."""
    settings.PACELINE_PORT_SUFFIX = f":{port}"
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        visit = Visit(context.new_page(), f"http://{agency.slug}.localhost:{port}")
        devtools = context.new_cdp_session(visit.page)
        devtools.send("WebAuthn.enable")
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**OWN, **VERIFIES}})
        visit.log_in(EMAIL)
        yield visit
        Authenticator.objects.all().delete()


def add_passkey(visit: Visit, *, passwordless: bool) -> None:
    page = visit.page
    visit.go("/accounts/2fa/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("heading", name="Add a passkey").wait_for()
    if passwordless:
        page.get_by_label("without the password").check()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()


def log_out(visit: Visit) -> None:
    visit.go("/accounts/logout/")
    visit.page.get_by_role("main").get_by_role("button", name="Log out").click()
    visit.page.get_by_role("heading", name="Log in").wait_for()


def test_a_passkey_is_the_second_step(visit, agency):
    add_passkey(visit, passwordless=False)
    log_out(visit)
    page = visit.page
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    assert visit.complaints == []


def test_a_passkey_lets_in_without_a_password(visit, agency):
    add_passkey(visit, passwordless=True)
    log_out(visit)
    page = visit.page
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    assert visit.complaints == []


def test_where_there_is_no_passkey_the_page_says_so(visit, agency):
    log_out(visit)
    page = visit.page
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("That did not work")
    assert visit.complaints == []


def test_every_page_about_factors_obeys_the_policy_and_fits_a_telephone(visit, agency):
    add_passkey(visit, passwordless=True)
    ann = User.objects.get()
    TOTP.activate(ann, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(ann)
    key = Authenticator.objects.get(type=Authenticator.Type.WEBAUTHN).pk
    page = visit.page
    page.set_viewport_size({"width": 390, "height": 844})
    wide = []
    for path in (
        "",
        "totp/deactivate/",
        "recovery-codes/",
        "recovery-codes/generate/",
        "webauthn/",
        "webauthn/add/",
        f"webauthn/keys/{key}/edit/",
        f"webauthn/keys/{key}/remove/",
        "reauthenticate/",
        "webauthn/reauthenticate/",
    ):
        visit.go(f"/accounts/2fa/{path}")
        if page.evaluate("document.documentElement.scrollWidth") > 390:
            wide.append(path)
    assert wide == []
    assert visit.complaints == []
