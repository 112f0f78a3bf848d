"""An invitation lets one person in, once, as what it says, within its days."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from allauth.account.models import EmailAddress
from django.db import connection

from accounts.invitations import (
    SENT_AN_HOUR_MAX,
    accept,
    find,
    invite,
    mail_invitation,
    resend,
    withdraw,
)
from accounts.models import Invitation, User
from accounts.roles import Role
from accounts.services import add_person, change_person, end_sessions, remove_person
from kernel.errors import Conflict, DomainError, InvalidValue, NameTaken, NotFound
from tenants.contexts import tenant_context
from tests.conftest import NOBODY, NOON, PASSWORD

SEVEN_DAYS = timedelta(days=7)
SECOND = timedelta(seconds=1)


def owner() -> User:
    found = User.objects.filter(role=Role.OWNER).order_by("email").first()
    return found or add_person(email="olga@own.example", role=Role.OWNER)


def invited(**changes) -> tuple[Invitation, str]:
    said = {"email": "Ina@Acme.example", "role": Role.BUYER, "now": NOON, **changes}
    return invite(**{"by": owner().actor, **said})


def resent(invitation: Invitation, *, now) -> tuple[Invitation, str]:
    return resend(invitation_id=invitation.id, now=now, by=owner().actor)


def accepted(token: str, **changes) -> User:
    return accept(**{"token": token, "name": "Ina", "password": PASSWORD, "now": NOON, **changes})


def test_it_makes_exactly_the_account_that_it_offers(acme):
    _, token = invited(brand_ids=[NOBODY])
    user = accepted(token)
    user.refresh_from_db()
    assert (user.email, user.name, user.role) == ("ina@acme.example", "Ina", Role.BUYER)
    assert [str(brand) for brand in user.brand_ids or []] == [NOBODY]
    assert user.check_password(PASSWORD)
    # Whoever had the mail has proved the address.
    assert EmailAddress.objects.get(user=user).verified


def test_its_token_is_stored_nowhere(acme):
    _, token = invited()
    assert token not in str(list(Invitation.objects.values()))


@pytest.mark.parametrize(("later", "is_valid"), [(-SECOND, True), (0 * SECOND, False)])
def test_it_is_valid_for_seven_days(acme, later, is_valid):
    _, token = invited()
    now = NOON + SEVEN_DAYS + later
    if is_valid:
        assert accepted(token, now=now)
    else:
        with pytest.raises(NotFound):
            find(token, now=now)
        with pytest.raises(NotFound):
            accepted(token, now=now)


def refusal(token, now=NOON) -> str:
    with pytest.raises(NotFound) as one:
        find(token, now=now)
    with pytest.raises(NotFound) as other:
        accepted(token, now=now)
    assert one.value.message == other.value.message
    return one.value.message


def test_used_withdrawn_replaced_expired_and_unknown_ones_are_told_the_same(acme):
    told = {refusal("unknown"), refusal("")}
    invitation, withdrawn = invited()
    withdraw(invitation_id=invitation.id, now=NOON)
    told.add(refusal(withdrawn))
    _, replaced = invited()
    invitation, old = invited()
    told.add(refusal(replaced))
    _, token = resent(invitation, now=NOON + timedelta(minutes=1))
    told.add(refusal(old))
    told.add(refusal(token, now=NOON + SEVEN_DAYS + timedelta(minutes=1)))
    accepted(token)
    told.add(refusal(token))
    assert len(told) == 1


def test_a_token_of_one_agency_is_nothing_in_another(acme, zeta):
    _, token = invited()
    with tenant_context(zeta):
        refusal(token)
    assert find(token, now=NOON)


def test_one_that_is_sent_again_has_new_days(acme):
    invitation, _ = invited()
    later = NOON + timedelta(days=6)
    _, token = resent(invitation, now=later)
    assert find(token, now=later + SEVEN_DAYS - SECOND)


def test_it_is_not_sent_again_within_a_minute(acme):
    invitation, token = invited()
    with pytest.raises(Conflict):
        resent(invitation, now=NOON + 59 * SECOND)
    assert find(token, now=NOON)


def test_a_closed_one_is_neither_sent_nor_withdrawn(acme):
    invitation, token = invited()
    accepted(token)
    with pytest.raises(NotFound):
        resent(invitation, now=NOON + SEVEN_DAYS)
    with pytest.raises(NotFound):
        withdraw(invitation_id=invitation.id, now=NOON)


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"email": "nobody"}, InvalidValue, "email"),
        ({"email": "VIC@acme.example"}, NameTaken, "email"),
        ({"role": Role.CLIENT_VIEWER}, InvalidValue, "brands"),
        ({"role": Role.CLIENT_VIEWER, "brand_ids": []}, InvalidValue, "brands"),
        ({"role": Role.OWNER, "brand_ids": [NOBODY]}, InvalidValue, "brands"),
    ],
)
def test_what_cannot_be_offered_is_refused(acme, changes, error, field):
    with pytest.raises(error) as refused:
        invited(**changes)
    assert refused.value.field == field
    assert not Invitation.objects.exists()


def test_who_was_here_before_is_let_in_by_an_owner(acme):
    remove_person(user_id=User.objects.get(email="vic@acme.example").id, now=NOON)
    with pytest.raises(NameTaken, match="was here before"):
        invited(email="vic@acme.example")


def test_only_so_many_are_sent_within_an_hour(acme):
    for number in range(SENT_AN_HOUR_MAX):
        invited(email=f"p{number}@acme.example")
    with pytest.raises(Conflict):
        invited()
    assert invited(now=NOON + timedelta(hours=1))


def test_a_weak_password_is_refused_and_the_invitation_stays(acme):
    _, token = invited()
    for weak in ("short", "12345678", "password", "ina@acme.example"):
        with pytest.raises(InvalidValue) as refused:
            accepted(token, password=weak)
        assert refused.value.field == "password1"
    assert accepted(token)


def test_who_has_an_account_meanwhile_is_told_so(acme):
    _, token = invited()
    add_person(email="ina@acme.example", role=Role.OWNER)
    with pytest.raises(NameTaken, match="account with this address already"):
        accepted(token)
    assert User.objects.get(email="ina@acme.example").role == Role.OWNER


def test_two_who_accept_at_once_make_one_account(own_agency):
    _, token = invited()
    both = Barrier(2)

    def take(name: str) -> str:
        try:
            with tenant_context(own_agency):
                both.wait()
                accepted(token, name=name)
            return "in"
        except DomainError as refused:
            return type(refused).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        ends = sorted(pool.map(take, ["One", "Two"]))
    assert ends == ["NotFound", "in"]
    assert User.objects.filter(email="ina@acme.example").count() == 1


def test_two_who_invite_the_same_address_at_once_leave_one_invitation(own_agency):
    add_person(email="olga@own.example", role=Role.OWNER)
    both = Barrier(2)

    def offer(role: Role) -> str:
        try:
            with tenant_context(own_agency):
                both.wait()
                return invited(role=role)[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        tokens = list(pool.map(offer, [Role.VIEWER, Role.MANAGER]))
    assert len(set(tokens)) == 2
    assert Invitation.objects.filter(withdrawn_at=None).count() == 1


def test_the_mails_link_is_on_the_stored_address(acme, mailoutbox):
    mail_invitation(*invited())
    [mail] = mailoutbox
    assert mail.to == ["ina@acme.example"]
    assert "http://acme.localhost:8000/invitations/" in mail.body
    assert "09 March 2026, 12:00 UTC" in mail.body


def test_who_is_removed_and_let_in_again_has_no_session_of_before(acme, log_in):
    client = log_in("vic@acme.example")
    vic = User.objects.get(email="vic@acme.example")
    remove_person(user_id=vic.id, now=NOON)
    assert client.get("/").status_code == 302
    change_person(
        user_id=vic.id, name="Vic", role=Role.VIEWER, is_active=True, brand_ids=None, now=NOON
    )
    assert client.get("/").status_code == 302


def test_sessions_are_ended_everywhere_at_once(acme, log_in):
    desk, phone = log_in("vic@acme.example"), log_in("vic@acme.example")
    other = log_in("ann@acme.example")
    end_sessions(user_id=User.objects.get(email="vic@acme.example").id)
    assert [c.get("/").status_code for c in (desk, phone, other)] == [302, 302, 200]


def test_nobody_is_removed_twice_nor_the_last_owner(acme):
    with pytest.raises(NotFound):
        remove_person(user_id=UUID(NOBODY), now=NOON)
    with pytest.raises(Conflict):
        remove_person(user_id=User.objects.get(email="ann@acme.example").id, now=NOON)
