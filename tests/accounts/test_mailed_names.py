"""What a stranger is called comes into mails of ours as a name and nothing else."""

import pytest

from accounts.invitations import accept, invite
from accounts.models import Invitation, User
from accounts.roles import Role
from accounts.services import MAILED_NAME_LENGTH_MAX, add_person, change_person
from accounts.sign_ups import ask
from kernel.errors import InvalidValue
from tenants.contexts import platform_context
from tests.conftest import NOON

LONGEST = "x" * MAILED_NAME_LENGTH_MAX
BAD = [
    "Max\nClick https://evil.example",
    "Max\r\n\r\nYou won",
    "https://evil.example",
    "see hTTp://evil.example",
    f"{LONGEST}x",
    "a\u2028b",
    "a\x00b",
    "a\tb",
]


def inviting(name: str) -> None:
    by = User.objects.get(email="ann@acme.example").actor
    invite(email="new@x.example", name=name, role=Role.VIEWER, now=NOON, by=by)


def accepting(name: str) -> None:
    by = User.objects.get(email="ann@acme.example").actor
    _, token = invite(email="new@x.example", role=Role.VIEWER, now=NOON, by=by)
    accept(token=token, name=name, password="correct horse battery", now=NOON)


def adding(name: str) -> None:
    add_person(email="new@x.example", role=Role.VIEWER, name=name)


def changing(name: str) -> None:
    user = User.objects.get(email="max@acme.example")
    change_person(
        user_id=user.id, name=name, role=Role(user.role), is_active=True, brand_ids=None, now=NOON
    )


def signing_up(name: str) -> None:
    with platform_context():
        ask(name=name, slug="newcomer", email="new@x.example")


DOORS = [inviting, accepting, adding, changing, signing_up]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", BAD)
def test_a_name_that_would_say_more_is_refused(acme, door, name):
    with pytest.raises(InvalidValue) as refused:
        door(name)
    assert refused.value.field == "name"
    assert not User.objects.filter(email="new@x.example").exists()
    assert not Invitation.objects.exclude(name="").exists()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", ["Zoë O'Brien-Łukasz", LONGEST, "株式会社", "A & B: Media (EU)"])
def test_a_name_is_a_name(acme, door, name):
    door(name)


def test_a_longer_name_of_before_stays_while_something_else_is_changed(acme):
    User.objects.filter(email="max@acme.example").update(name=f"{LONGEST} and more")
    changing(f"{LONGEST} and more")
    with pytest.raises(InvalidValue):
        changing(f"{LONGEST} and still more")
