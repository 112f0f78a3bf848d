"""What a person or a key has granted ends with the right to grant it, and does not come back."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.test import Client

from accounts.confirmations import Confirmation
from accounts.invitations import accept, find, invite, resend
from accounts.keys import revoke_key
from accounts.models import Invitation, User, create_api_key
from accounts.passwords import PasswordTokens
from accounts.roles import Role
from accounts.services import (
    add_person,
    change_person,
    change_staff,
    end_sessions,
    password_link,
    remove_person,
)
from accounts.support import begin, offered
from kernel import clock
from kernel.actor import COMMAND, SYSTEM, Actor, ActorKind
from kernel.errors import NotFound
from tenants.contexts import platform_context
from tests.conftest import NOBODY, NOON, PASSWORD

MINUTE_LATER = NOON.replace(minute=1)
NEW_PASSWORD = "another horse battery"


@pytest.fixture(autouse=True)
def noon(monkeypatch) -> None:
    """Stop the clock at Monday noon."""
    monkeypatch.setattr(clock, "read", lambda: NOON)


@pytest.fixture
def olga(acme) -> User:
    """A second owner of Acme."""
    return add_person(email="olga@acme.example", role=Role.OWNER, password=PASSWORD)


def changed(person: User, **changes) -> User:
    said = {"name": person.name, "role": person.role, "is_active": True, "brand_ids": None}
    return change_person(**{**said, **changes, "user_id": person.id, "now": NOON})


def dismissed(person: User) -> None:
    remove_person(user_id=person.id, now=NOON)


def dismissed_and_let_in_again(person: User) -> None:
    dismissed(person)
    changed(person)


def demoted(person: User) -> None:
    changed(person, role=Role.MANAGER)


def demoted_and_raised_again(person: User) -> None:
    demoted(person)
    changed(person, role=Role.OWNER)


def deleted(person: User) -> None:
    User.objects.filter(id=person.id).delete()


def switched_off_by_hand(person: User) -> None:
    User.objects.filter(id=person.id).update(is_active=False)


def demoted_by_hand(person: User) -> None:
    User.objects.filter(id=person.id).update(role=Role.FINANCE)


ENDS = [
    dismissed,
    dismissed_and_let_in_again,
    demoted,
    demoted_and_raised_again,
    deleted,
    switched_off_by_hand,
    demoted_by_hand,
]


def is_worthless(token: str) -> bool:
    with pytest.raises(NotFound):
        find(token, now=NOON)
    with pytest.raises(NotFound):
        accept(token=token, name="Ina", password=PASSWORD, now=NOON)
    return not User.objects.filter(email="ina@acme.example").exists()


def offer(by: Actor, role: Role = Role.OWNER) -> tuple[Invitation, str]:
    return invite(email="ina@acme.example", role=role, now=NOON, by=by)


# Invitations --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.OWNER, Role.VIEWER])
@pytest.mark.parametrize("end", ENDS)
def test_an_invitation_ends_with_its_senders_right(acme, olga, end, role):
    _, token = offer(olga.actor, role)
    end(olga)
    assert is_worthless(token)


@pytest.mark.parametrize("end", ENDS)
def test_nobody_comes_back_by_an_invitation_of_his_own(acme, olga, end):
    _, token = offer(olga.actor)
    browser = Client(HTTP_HOST="acme.localhost:8000")
    # The link was opened before, so the session has its token.
    assert browser.get(f"/invitations/{token}/").status_code == 302
    end(olga)
    said = {"name": "Ina", "password1": PASSWORD, "password2": PASSWORD}
    assert browser.post("/invitations/accept/", said).status_code == 404
    assert browser.get(f"/invitations/{token}/").status_code == 404
    assert not User.objects.filter(email="ina@acme.example").exists()


def test_other_changes_of_the_sender_end_nothing(acme, olga):
    _, token = offer(olga.actor)
    changed(olga, name="Olga the Second")
    end_sessions(user_id=olga.id)
    dismissed(User.objects.get(email="vic@acme.example"))
    assert accept(token=token, name="Ina", password=PASSWORD, now=NOON).role == Role.OWNER


def test_an_invitation_of_a_key_ends_with_the_key(acme, olga):
    key, _ = create_api_key(name="People", role=Role.OWNER, maker=olga)
    _, token = offer(key.actor)
    assert find(token, now=NOON)
    revoke_key(key_id=key.id, now=NOON)
    assert is_worthless(token)


def test_an_invitation_of_a_key_ends_with_the_keys_maker(acme, olga):
    key, _ = create_api_key(name="People", role=Role.OWNER, maker=olga)
    _, token = offer(key.actor)
    dismissed(olga)
    assert is_worthless(token)


@pytest.mark.parametrize("by", [SYSTEM, COMMAND])
def test_an_invitation_of_the_system_stays_valid(acme, olga, by):
    _, token = offer(by)
    dismissed(olga)
    assert accept(token=token, name="Ina", password=PASSWORD, now=NOON)


@pytest.mark.parametrize(
    "by",
    [
        Actor(ActorKind.PERSON, NOBODY, "Nobody"),
        Actor(ActorKind.KEY, NOBODY, "No key"),
        Actor(ActorKind.PERSON, "olga", "No id"),
        Actor(ActorKind.SUPPORT, NOBODY, "Support"),
    ],
)
def test_an_invitation_of_nobody_is_worthless(acme, by):
    _, token = offer(by)
    assert is_worthless(token)


def test_who_sends_it_again_answers_for_it(acme, olga):
    invitation, _ = offer(olga.actor)
    ann = User.objects.get(email="ann@acme.example")
    again, token = resend(invitation_id=invitation.id, now=MINUTE_LATER, by=ann.actor)
    assert (again.invited_by_id, again.invited_by_label) == (str(ann.id), "Ann")
    dismissed(olga)
    assert accept(token=token, name="Ina", password=PASSWORD, now=MINUTE_LATER)


# Links to a password ------------------------------------------------------------------------------


def opens(link: str) -> bool:
    """Tell whether a link leads to a form for a password; if so, set one."""
    browser = Client(HTTP_HOST="acme.localhost:8000")
    page = browser.get(urlsplit(link).path, follow=True)
    path = page.redirect_chain[-1][0] if page.redirect_chain else urlsplit(link).path
    browser.post(path, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    return b'name="password1"' in page.content


@pytest.mark.parametrize("end", [dismissed, dismissed_and_let_in_again, switched_off_by_hand])
def test_a_link_to_a_password_ends_with_a_dismissal(acme, olga, end):
    link = password_link(olga)
    end(olga)
    assert not opens(link)
    olga.refresh_from_db()
    assert olga.check_password(PASSWORD)


def test_a_link_to_a_password_ends_with_all_sessions(acme, olga):
    link = password_link(olga)
    end_sessions(user_id=olga.id)
    assert not opens(link)


def test_a_link_to_a_password_works_once_otherwise(acme, olga):
    link = password_link(olga)
    changed(olga, role=Role.MANAGER)
    assert opens(link)
    olga.refresh_from_db()
    assert olga.check_password(NEW_PASSWORD)
    assert not opens(link)


def test_a_new_password_takes_no_dismissal_back(acme, olga, monkeypatch):
    """The dismissal comes while the form is read: the row that the form holds is an old one."""
    link = password_link(olga)
    check = PasswordTokens.check_token

    def check_and_dismiss(self, user, token):
        is_valid = check(self, user, token)
        if token and is_valid:
            User.objects.filter(id=olga.id).update(is_active=False, role=Role.VIEWER)
        return is_valid

    browser = Client(HTTP_HOST="acme.localhost:8000")
    path = browser.get(urlsplit(link).path)["Location"]
    monkeypatch.setattr(PasswordTokens, "check_token", check_and_dismiss)
    browser.post(path, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    olga.refresh_from_db()
    assert (olga.is_active, olga.role) == (False, Role.VIEWER)


# Log-ins that wait for their second step ----------------------------------------------------------

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def unchanged(person: User) -> None:
    pass


def logged_out(person: User) -> None:
    end_sessions(user_id=person.id)


def with_another_password(person: User) -> None:
    person.set_password(NEW_PASSWORD)
    person.save()


@pytest.mark.usefixtures("clean_cache")
@pytest.mark.parametrize(
    ("end", "is_in"),
    [
        (unchanged, True),
        (demoted, True),
        (dismissed_and_let_in_again, False),
        (logged_out, False),
        (with_another_password, False),
    ],
)
def test_a_log_in_that_began_before_does_not_end_after(acme, olga, end, is_in):
    TOTP.activate(olga, SECRET)
    browser = Client(HTTP_HOST="acme.localhost:8000")
    browser.post("/accounts/login/", {"login": olga.email, "password": PASSWORD})
    end(olga)
    code = format_hotp_value(hotp_value(SECRET, int(time.time()) // 30))
    browser.post("/accounts/2fa/authenticate/", {"code": code})
    assert (browser.get("/").status_code == 200) == is_in


def test_a_log_in_that_ends_while_dismissed_is_not_there_afterwards(acme, olga):
    TOTP.activate(olga, SECRET)
    browser = Client(HTTP_HOST="acme.localhost:8000")
    browser.post("/accounts/login/", {"login": olga.email, "password": PASSWORD})
    dismissed(olga)
    code = format_hotp_value(hotp_value(SECRET, int(time.time()) // 30))
    browser.post("/accounts/2fa/authenticate/", {"code": code})
    changed(olga)
    assert browser.get("/").status_code == 302


# Links that confirm an address --------------------------------------------------------------------


def with_another_pending_address(person: User) -> None:
    EmailAddress.objects.filter(user=person).update(email="third@acme.example")


def with_another_address_since(person: User) -> None:
    User.objects.filter(id=person.id).update(email="fourth@acme.example")


@pytest.mark.parametrize(
    "end",
    [
        dismissed,
        dismissed_and_let_in_again,
        switched_off_by_hand,
        logged_out,
        with_another_password,
        with_another_pending_address,
        with_another_address_since,
    ],
)
def test_a_link_that_confirms_an_address_ends_with_what_it_was_asked_under(acme, olga, end):
    address = EmailAddress.objects.create(user=olga, email="new@acme.example")
    path = f"/accounts/confirm-email/{Confirmation(address).key}/"
    browser = Client(HTTP_HOST="acme.localhost:8000")
    assert "new@acme.example" in browser.get(path).content.decode()
    end(olga)
    assert "acme.example" not in browser.get(path).content.decode()
    assert browser.post(path).status_code == 404
    assert not EmailAddress.objects.filter(verified=True).exists()
    assert not User.objects.filter(email="new@acme.example").exists()


# The platform's staff -----------------------------------------------------------------------------


@pytest.fixture
def pat(world) -> User:
    with platform_context():
        User.objects.create_superuser("quinn@paceline.example", PASSWORD, name="Quinn")
        return User.objects.create_superuser("pat@paceline.example", PASSWORD, name="Pat")


@pytest.fixture
def let_go_and_back(pat) -> Callable[[], None]:
    def change() -> None:
        with platform_context():
            for is_active in (False, True):
                change_staff(user_id=pat.id, name="Pat", is_active=is_active)

    return change


@pytest.fixture
def support_link(acme, pat) -> str:
    why = "Their budgets look wrong."
    with platform_context():
        _, link = begin(agency=acme, staff=pat, reason=why, minutes=60, may_edit=True, now=NOON)
    return urlsplit(link).path


def test_staff_who_is_let_go_has_no_session_of_before(pat, let_go_and_back):
    browser = Client(HTTP_HOST="localhost:8000")
    with platform_context():
        browser.force_login(pat, "django.contrib.auth.backends.ModelBackend")
    assert browser.get("/admin/").status_code == 200
    let_go_and_back()
    assert browser.get("/admin/").status_code == 302


def test_a_support_link_ends_with_its_staff(acme, support_link, let_go_and_back):
    token = support_link.split("/")[3]
    assert offered(token, now=NOON)
    let_go_and_back()
    with pytest.raises(NotFound):
        offered(token, now=NOON)
    assert Client(HTTP_HOST="acme.localhost:8000").post(support_link).status_code == 404


def test_a_support_session_ends_with_its_staff(acme, support_link, let_go_and_back):
    browser = Client(HTTP_HOST="acme.localhost:8000")
    browser.post(support_link)
    assert browser.get("/").status_code == 200
    let_go_and_back()
    assert browser.get("/").status_code == 302


def test_staff_by_the_admins_page_is_let_go_for_good(pat):
    quinn = Client(HTTP_HOST="localhost:8000")
    with platform_context():
        user = User.objects.get(email="quinn@paceline.example")
        quinn.force_login(user, "django.contrib.auth.backends.ModelBackend")
    quinn.post(f"/admin/accounts/user/{pat.id}/change/", {"name": "Pat"})
    with platform_context():
        row = User.objects.get(id=pat.id)
        assert (row.is_active, row.sessions_ended) == (False, 1)
        with pytest.raises(NotFound):
            change_staff(user_id=UUID(NOBODY), name="", is_active=True)
