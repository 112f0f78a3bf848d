"""A second step at the door, and what owners decide about the door."""

import time
from io import StringIO

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency
from tests.conftest import PASSWORD

from .conftest import part

pytestmark = pytest.mark.usefixtures("clean_cache")

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(secret: str = SECRET, later: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))


def person(email: str) -> User:
    return User.objects.get(email=email)


@pytest.fixture
def nobody(world, noon) -> Client:
    return Client(HTTP_HOST="acme.localhost:8000")


@pytest.fixture
def vic(acme) -> User:
    """Vic, with an app and recovery codes."""
    vic = person("vic@acme.example")
    vic.set_password(PASSWORD)
    vic.save()
    TOTP.activate(vic, SECRET)
    RecoveryCodes.activate(vic)
    return vic


def log_in(client, email="vic@acme.example"):
    return client.post("/accounts/login/", {"login": email, "password": PASSWORD})


def confirm(client, password=PASSWORD):
    return client.post("/accounts/reauthenticate/", {"password": password})


def require(agency: Agency, wanted: bool = True) -> None:
    with platform_context():
        Agency.objects.filter(pk=agency.pk).update(requires_second_factor=wanted)


def test_a_password_is_not_enough_where_there_is_a_factor(vic, nobody):
    assert log_in(nobody)["Location"] == "/accounts/2fa/authenticate/"
    assert nobody.get("/").status_code == 302
    page = nobody.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "not right" in page.content.decode()
    assert nobody.post("/accounts/2fa/authenticate/", {"code": code()})["Location"] == "/"
    assert nobody.get("/").status_code == 200


def test_a_code_lets_in_once(vic, nobody, world):
    used = code()
    log_in(nobody)
    nobody.post("/accounts/2fa/authenticate/", {"code": used})
    # What keeps it is the database: a cache forgets.
    cache.clear()
    thief = Client(HTTP_HOST="acme.localhost:8000")
    log_in(thief)
    page = thief.post("/accounts/2fa/authenticate/", {"code": used})
    assert "not right" in page.content.decode()
    assert thief.get("/").status_code == 302


def test_a_recovery_code_lets_in_once(vic, nobody):
    recovery = RecoveryCodes.activate(vic).get_unused_codes()[0]
    log_in(nobody)
    assert nobody.post("/accounts/2fa/authenticate/", {"code": recovery})["Location"] == "/"
    nobody.post("/accounts/logout/")
    log_in(nobody)
    assert nobody.post("/accounts/2fa/authenticate/", {"code": recovery}).status_code == 200


def test_codes_are_not_guessed(vic, nobody):
    log_in(nobody)
    for number in range(5):
        nobody.post("/accounts/2fa/authenticate/", {"code": f"00000{number}"})
    page = nobody.post("/accounts/2fa/authenticate/", {"code": code()})
    assert "Too many failed" in page.content.decode()


def test_an_app_is_set_up_after_the_password_was_asked_once_more(vic, nobody):
    Authenticator.objects.all().delete()
    log_in(nobody)
    asked = nobody.get("/accounts/2fa/totp/activate/")
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    confirm(nobody)
    page = nobody.get("/accounts/2fa/totp/activate/")
    assert "no-store" in page["Cache-Control"]
    secret = part(r'class="secret">(\w+)<', page.content.decode())
    nobody.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    kinds = set(Authenticator.objects.values_list("type", flat=True))
    assert kinds == {"totp", "recovery_codes"}
    codes = nobody.get("/accounts/2fa/recovery-codes/")
    assert codes.content.decode().count("<li>") >= 10
    assert "no-store" in codes["Cache-Control"]


def test_who_is_asked_for_a_factor_sets_one_up_before_anything_else(owner, acme):
    require(acme)
    for path in ("/", "/people/", "/admin/", "/security/"):
        assert owner.get(path)["Location"] == "/accounts/2fa/", path
    assert "asks you for a second factor" in owner.get("/accounts/2fa/").content.decode()
    refused = owner.get("/api/brands/")
    assert refused.status_code == 403
    assert refused.json() == {"detail": "Your agency asks you to set up a second factor first."}
    TOTP.activate(person("ann@acme.example"), SECRET)
    for path in ("/", "/people/", "/admin/", "/api/brands/"):
        assert owner.get(path).status_code == 200, path


def test_a_fragment_leads_the_whole_page_there(owner, acme):
    require(acme)
    page = owner.get("/", headers={"hx-request": "true"})
    assert page["HX-Redirect"] == "/accounts/2fa/"


def test_others_and_keys_go_on_as_before(viewer, manager, api, acme):
    require(acme)
    for client in (viewer, manager):
        assert client.get("/").status_code == 200
    assert api("owner").get("/api/brands/").status_code == 200


def test_a_made_up_key_does_not_pass_the_session_by(owner, acme):
    require(acme)
    forged = owner.get("/api/brands/", headers={"authorization": "Api-Key no.key"})
    assert forged.status_code == 401
    other = owner.get("/api/brands/", headers={"authorization": "Bearer x"})
    assert other.status_code == 403


def test_another_agency_is_not_asked(stranger, acme):
    require(acme)
    assert stranger.get("/").status_code == 200


def test_owners_decide_for_their_agency_alone(owner, acme, zeta):
    owner.post("/security/", {"requires_second_factor": "on"})
    with platform_context():
        asked = {a.slug: (a.requires_second_factor, a.allows_support) for a in [acme, zeta]}
        for agency in (acme, zeta):
            agency.refresh_from_db()
            asked[agency.slug] = (agency.requires_second_factor, agency.allows_support)
    assert asked == {"acme": (True, False), "zeta": (False, True)}


def test_an_owner_helps_who_lost_the_telephone(vic, owner, viewer):
    owner.post(f"/people/{vic.id}/factors/")
    assert not Authenticator.objects.exists()
    assert viewer.get("/").status_code == 302
    assert mail.outbox[0].to == ["vic@acme.example"]


def test_an_owner_logs_somebody_out_everywhere(owner, viewer, acme):
    owner.post(f"/people/{person('vic@acme.example').id}/log-out/")
    assert viewer.get("/").status_code == 302
    assert owner.get("/").status_code == 200


def test_one_logs_out_everywhere(viewer, world, acme):
    other = Client(HTTP_HOST="acme.localhost:8000")
    with tenant_context(world.acme):
        other.force_login(person("vic@acme.example"), "django.contrib.auth.backends.ModelBackend")
    viewer.post("/log-out-everywhere/")
    assert other.get("/").status_code == 302
    assert viewer.get("/").status_code == 302


def test_a_changed_password_ends_the_other_sessions(vic, nobody, world):
    Authenticator.objects.all().delete()
    other = Client(HTTP_HOST="acme.localhost:8000")
    log_in(nobody)
    log_in(other)
    confirm(nobody)
    new = "another horse battery"
    said = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    nobody.post("/accounts/password/change/", said)
    assert nobody.get("/").status_code == 200
    assert other.get("/").status_code == 302
    assert "password was changed" in str(mail.outbox[-1].body)


def test_staff_of_the_platform_needs_the_second_step_too(world, noon):
    with platform_context():
        pat = User.objects.create_superuser("pat@paceline.example", PASSWORD)
        TOTP.activate(pat, SECRET)
    client = Client(HTTP_HOST="localhost:8000")
    moved = log_in(client, "pat@paceline.example")
    assert moved["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/admin/").status_code == 302
    client.post("/accounts/2fa/authenticate/", {"code": code()})
    assert client.get("/admin/").status_code == 200
    for path in ("", "totp/deactivate/", "webauthn/add/", "recovery-codes/generate/"):
        page = client.get(f"/accounts/2fa/{path}", follow=True)
        assert "paceline.css" in page.content.decode(), path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "totp/activate/",
        "recovery-codes/generate/",
        "webauthn/",
        "webauthn/add/",
        "reauthenticate/",
    ],
)
def test_every_page_about_factors_is_in_our_look(vic, viewer, path):
    confirm(viewer)
    if path == "totp/activate/":
        Authenticator.objects.all().delete()
    page = viewer.get(f"/accounts/2fa/{path}").content.decode()
    assert "paceline.css" in page
    assert 'style="' not in page


def test_a_log_in_that_stands_at_the_second_step_is_over_after_a_while(vic, nobody):
    log_in(nobody)
    with time_machine.travel(time.time() + 16 * 60, tick=False):
        moved = nobody.post("/accounts/2fa/authenticate/", {"code": code()})
        assert moved["Location"] == "/accounts/login/"


def test_an_operator_helps_the_only_owner(vic, acme, zeta):
    with platform_context():
        call_command("remove_second_factor", "Vic@Acme.example", agency="acme", stdout=StringIO())
        with pytest.raises(CommandError, match="Nobody here"):
            call_command("remove_second_factor", "vic@acme.example", agency="zeta")
        with pytest.raises(CommandError, match="No agency"):
            call_command("remove_second_factor", "vic@acme.example", agency="nobody")
    assert not Authenticator.objects.exists()
