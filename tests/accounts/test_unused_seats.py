"""A seat that an owner gave in the admin and that nobody took ends with the owner's right."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from accounts.services import add_person, change_person, remove_person
from kernel.errors import Conflict
from tests.conftest import NOON, PASSWORD
from tests.portal.conftest import part

pytestmark = pytest.mark.usefixtures("clean_cache")
LINK = r"(http://acme\.localhost:8000/accounts/password/reset/key/\S+)"
SECOND = "second@olga.example"


@pytest.fixture
def olga(acme) -> User:
    return add_person(email="olga@acme.example", role=Role.OWNER, password=PASSWORD)


@pytest.fixture
def link(olga, log_in, django_capture_on_commit_callbacks) -> str:
    """The path of the link that Olga has had mailed to a second mailbox of hers."""
    with django_capture_on_commit_callbacks(execute=True):
        said = {"email": SECOND, "name": "Second", "role": "owner"}
        log_in(olga.email).post("/admin/accounts/user/add/", said)
    [body] = [str(one.body) for one in mail.outbox if one.to == [SECOND]]
    return urlsplit(part(LINK, body)).path


def take(link: str) -> None:
    browser = Client(HTTP_HOST="acme.localhost:8000")
    page = browser.get(link)
    if page.status_code == 302:
        browser.post(page["Location"], {"password1": PASSWORD, "password2": PASSWORD})


def may_log_in() -> bool:
    browser = Client(HTTP_HOST="acme.localhost:8000")
    browser.post("/accounts/login/", {"login": SECOND, "password": PASSWORD})
    return browser.get("/").status_code == 200


def change(person: User, role: Role, *, is_active: bool = True) -> None:
    change_person(
        user_id=person.id,
        name=person.name,
        role=role,
        is_active=is_active,
        brand_ids=None,
        now=NOON,
    )


def dismiss(olga: User) -> None:
    remove_person(user_id=olga.id, now=NOON)


def dismiss_and_let_in_again(olga: User) -> None:
    dismiss(olga)
    change(olga, Role.OWNER)


def demote(olga: User) -> None:
    change(olga, Role.MANAGER)


@pytest.mark.parametrize("end", [dismiss, dismiss_and_let_in_again, demote])
def test_nobody_comes_back_by_a_seat_of_his_own(olga, link, end: Callable[[User], None]):
    end(olga)
    take(link)
    assert not may_log_in()
    # Nor by asking for another link.
    browser, sent = Client(HTTP_HOST="acme.localhost:8000"), len(mail.outbox)
    browser.post("/accounts/password/reset/", {"email": SECOND})
    assert not any("/password/reset/key/" in str(one.body) for one in mail.outbox[sent:])


def test_a_seat_that_was_taken_is_a_persons_own(olga, link):
    take(link)
    dismiss(olga)
    assert may_log_in()


def test_another_change_ends_no_seat(olga, link):
    change(olga, Role.OWNER)
    dismiss(User.objects.get(email="vic@acme.example"))
    take(link)
    assert may_log_in()


def test_another_owner_may_let_in_whom_it_was_meant_for(olga, link):
    dismiss(olga)
    change(User.objects.get(email=SECOND), Role.VIEWER)
    take(link)
    assert not may_log_in(), "the link of before stays worthless"


def test_a_seat_that_nobody_took_is_no_owner_who_is_left(olga, link):
    dismiss(User.objects.get(email="ann@acme.example"))
    with pytest.raises(Conflict):
        dismiss(olga)
    take(link)
    dismiss(olga)
    assert may_log_in()
