"""An owner invites; whoever has the mail comes in by it, and nobody else."""

from smtplib import SMTPException

import pytest
from django.core import mail
from django.test import Client

from accounts import invitations
from accounts.invitations import invite
from accounts.models import Invitation, User
from accounts.roles import Role
from tests.conftest import ANN, NOON, PASSWORD

from .conftest import part

LINK = r"http://acme\.localhost:8000(/invitations/\S+/)"
SAID = {"name": "Ina", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def nobody(world, noon) -> Client:
    return Client(HTTP_HOST="acme.localhost:8000")


@pytest.fixture
def link(owner) -> str:
    """The path of the link that was mailed to Ina."""
    owner.post("/people/new/", {"email": "Ina@Acme.example", "name": "Ina", "role": "manager"})
    return part(LINK, str(mail.outbox[0].body))


def test_who_is_invited_comes_in_as_what_was_offered(link, nobody, acme):
    page = nobody.get(link, follow=True)
    assert "ina@acme.example" in page.content.decode()
    assert "as manager" in page.content.decode()
    page = nobody.post("/invitations/accept/", {**SAID, "role": "owner"}, follow=True)
    assert page.redirect_chain[-1][0] == "/"
    user = User.objects.get(email="ina@acme.example")
    assert (user.name, user.role) == ("Ina", Role.MANAGER)


def test_the_token_leaves_the_address_and_the_session(link, nobody, acme):
    page = nobody.get(link)
    assert page["Location"] == "/invitations/accept/"
    assert "no-store" in page["Cache-Control"]
    token = link.split("/")[2]
    assert token not in nobody.get("/invitations/accept/").content.decode()
    nobody.post("/invitations/accept/", SAID)
    assert "invitation_token" not in nobody.session


def test_looking_accepts_nothing(link, nobody, acme):
    for _ in range(2):
        nobody.get(link, follow=True)
        nobody.head(link)
    assert not User.objects.filter(email="ina@acme.example").exists()
    assert Client(HTTP_HOST="acme.localhost:8000").post(link).status_code == 405


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password2": "other"}, "password2"),
        ({"password1": "12345678", "password2": "12345678"}, "password1"),
        ({"name": ""}, "name"),
    ],
)
def test_a_refusal_is_told_at_its_field(link, nobody, acme, changes, field):
    nobody.get(link)
    page = nobody.post("/invitations/accept/", {**SAID, **changes})
    assert list(page.context["form"].errors) == [field]
    assert not User.objects.filter(email="ina@acme.example").exists()


def test_a_link_is_used_once(link, nobody, acme):
    late = Client(HTTP_HOST="acme.localhost:8000")
    late.get(link)
    nobody.get(link)
    nobody.post("/invitations/accept/", SAID)
    page = late.post("/invitations/accept/", {**SAID, "name": "Other"})
    assert page.status_code == 404
    assert "no longer valid" in page.content.decode()
    assert User.objects.get(email="ina@acme.example").name == "Ina"


def test_a_dead_link_and_one_that_never_was_are_the_same_page(link, owner, nobody, acme):
    invitation = Invitation.objects.get()
    owner.post(f"/people/invitations/{invitation.id}/withdraw/")
    dead = nobody.get(link)
    unknown = nobody.get("/invitations/never-was/")
    assert (dead.status_code, unknown.status_code) == (404, 404)
    assert dead.content == unknown.content
    assert nobody.get("/invitations/accept/").status_code == 404


def test_a_link_is_worth_nothing_on_another_agencys_host(link, world, noon):
    elsewhere = Client(HTTP_HOST="zeta.localhost:8000")
    assert elsewhere.get(link).status_code == 404
    assert elsewhere.post("/invitations/accept/", SAID).status_code == 404


def test_who_is_logged_in_already_is_asked_to_log_out_first(link, viewer, acme):
    page = viewer.get(link, follow=True).content.decode()
    assert "You are logged in as vic@acme.example" in page
    viewer.post("/invitations/accept/", SAID)
    assert not User.objects.filter(email="ina@acme.example").exists()


def test_who_has_an_account_already_is_told_so(link, nobody, acme):
    User.objects.create_user("ina@acme.example", PASSWORD, role=Role.VIEWER)
    nobody.get(link)
    page = nobody.post("/invitations/accept/", SAID).content.decode()
    assert "There is an account with this address already" in page


def test_owners_see_who_is_invited_and_by_whom(link, owner, acme):
    page = owner.get("/people/").content.decode()
    assert "ina@acme.example" in page
    assert "by Ann" in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "vic@acme.example"}, "email"),
        ({"email": "no address"}, "email"),
        ({"role": "emperor"}, "role"),
    ],
)
def test_what_cannot_be_offered_is_told_at_its_field(owner, acme, changes, field):
    data = {"email": "new@acme.example", "role": "viewer", **changes}
    page = owner.post("/people/new/", data)
    assert list(page.context["form"].errors) == [field]
    assert mail.outbox == []


def test_one_is_sent_again_with_a_new_link(owner, nobody, acme):
    before = NOON.replace(hour=9)
    invitation, old = invite(email="ina@acme.example", role=Role.VIEWER, now=before, by=ANN)
    owner.post(f"/people/invitations/{invitation.id}/resend/")
    assert nobody.get(f"/invitations/{old}/").status_code == 404
    new = part(LINK, str(mail.outbox[0].body))
    assert nobody.get(new).status_code == 302


def test_one_that_was_sent_a_moment_ago_is_not_sent_again(link, owner, acme):
    invitation = Invitation.objects.get()
    page = owner.post(f"/people/invitations/{invitation.id}/resend/", follow=True)
    assert "a moment ago" in page.content.decode()
    assert len(mail.outbox) == 1


def test_a_mail_that_cannot_be_sent_is_told_and_the_invitation_stays(owner, acme, monkeypatch):
    def fail(invitation, token):
        raise SMTPException("no")

    monkeypatch.setattr(invitations, "mail_invitation", fail)
    data = {"email": "ina@acme.example", "name": "", "role": "viewer"}
    page = owner.post("/people/new/", data, follow=True)
    assert "could not be sent" in page.content.decode()
    assert Invitation.objects.get().withdrawn_at is None
