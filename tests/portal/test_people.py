"""Owners let people and machines in, and can't lock the agency out of itself."""

import pytest
from django.core import mail

from accounts.models import ApiKey, User, find_api_key
from accounts.roles import Role
from accounts.services import change_person
from kernel.errors import Conflict
from tests.conftest import NOON

from .conftest import part


def person(email: str) -> User:
    return User.objects.get(email=email)


def edit(client, who: User, **changes):
    data = {"name": who.name, "role": who.role, "is_active": "on", **changes}
    return client.post(f"/people/{who.id}/", data)


def test_a_role_is_changed(owner, acme):
    edit(owner, person("vic@acme.example"), role="manager")
    assert person("vic@acme.example").role == Role.MANAGER


def test_who_may_not_log_in_is_out_at_once(owner, viewer, acme):
    assert viewer.get("/").status_code == 200
    edit(owner, person("vic@acme.example"), is_active="")
    assert viewer.get("/").status_code == 302


@pytest.mark.parametrize(
    ("changes", "field"), [({"role": "manager"}, "role"), ({"is_active": ""}, "is_active")]
)
def test_the_last_owner_stays(owner, acme, changes, field):
    page = edit(owner, person("ann@acme.example"), **changes)
    assert "last active owner" in page.context["form"].errors[field][0]
    ann = person("ann@acme.example")
    assert (ann.role, ann.is_active) == (Role.OWNER, True)


def test_an_owner_may_step_back_when_there_is_another(owner, acme):
    edit(owner, person("max@acme.example"), role="owner")
    page = edit(owner, person("ann@acme.example"), role="viewer")
    assert page["Location"] == "/"
    assert person("ann@acme.example").role == Role.VIEWER


def test_an_inactive_owner_does_not_count_as_another(acme):
    other = person("max@acme.example")
    change_person(user_id=other.id, name="Max", role=Role.OWNER, is_active=False)
    with pytest.raises(Conflict):
        change_person(
            user_id=person("ann@acme.example").id, name="Ann", role=Role.MANAGER, is_active=True
        )


def test_a_password_link_is_mailed_again(owner, acme):
    owner.post(f"/people/{person('vic@acme.example').id}/link/")
    assert mail.outbox[0].to == ["vic@acme.example"]


def make_key(client, **data):
    return client.post("/people/keys/new/", {"name": "Probe", "role": "manager", **data})


def test_a_keys_secret_is_shown_once(owner, acme):
    page = make_key(owner).content.decode()
    secret = part(r'value="(\w{8}\.\w+)"', page)
    assert find_api_key(secret, now=NOON) == ApiKey.objects.get(name="Probe")
    assert secret.partition(".")[2] not in owner.get("/people/").content.decode()


@pytest.mark.parametrize(
    ("expires_on", "is_usable"), [("", True), ("2026-03-02", True), ("2026-03-01", False)]
)
def test_a_key_is_usable_until_the_end_of_its_last_day(owner, acme, expires_on, is_usable):
    make_key(owner, expires_on=expires_on)
    assert ApiKey.objects.get().is_usable(now=NOON) is is_usable


def test_a_key_is_revoked_for_good(owner, acme):
    make_key(owner)
    key = ApiKey.objects.get()
    owner.post(f"/people/keys/{key.id}/revoke/")
    key.refresh_from_db()
    assert not key.is_usable(now=NOON)
    assert "revoked" in owner.get("/people/").content.decode()
