"""Owners let people and machines in, and can't lock the agency out of itself."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.core import mail

from accounts.keys import make_key as make_api_key
from accounts.models import ApiKey, Invitation, User, find_api_key
from accounts.roles import Role
from accounts.services import add_person, change_person
from budgets.models import Brand
from kernel.errors import Conflict
from tests.conftest import NOBODY, NOON

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
    ann = person("ann@acme.example")
    change = partial(change_person, brand_ids=None, now=NOON)
    change(user_id=other.id, name="Max", role=Role.OWNER, is_active=False)
    with pytest.raises(Conflict):
        change(user_id=ann.id, name="Ann", role=Role.MANAGER, is_active=True)


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


def test_a_key_is_usable_until_the_end_of_its_last_day(owner, acme):
    make_key(owner, expires_on="2026-03-02")
    key = ApiKey.objects.get()
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    assert key.is_usable(now=midnight - timedelta(seconds=1))
    assert not key.is_usable(now=midnight)


def test_a_key_that_has_expired_is_not_made(owner, acme):
    page = make_key(owner, expires_on="2026-03-01")
    assert list(page.context["form"].errors) == ["expires_on"]
    assert not ApiKey.objects.exists()


def test_a_key_is_revoked_for_good(owner, acme):
    make_key(owner)
    key = ApiKey.objects.get()
    owner.post(f"/people/keys/{key.id}/revoke/")
    key.refresh_from_db()
    assert not key.is_usable(now=NOON)
    assert "revoked" in owner.get("/people/").content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"role": "client_viewer"}, "brands"),
        ({"role": "manager", "brands": "own"}, "brands"),
        ({"role": "buyer", "brands": NOBODY}, "brands"),
    ],
)
def test_brands_are_for_who_may_be_limited_to_them(owner, acme, brand, changes, field):
    if changes.get("brands") == "own":
        changes = {**changes, "brands": str(brand.id)}
    data = {"email": "new@acme.example", **changes}
    page = owner.post("/people/new/", data)
    assert list(page.context["form"].errors) == [field]
    assert mail.outbox == []


def test_a_client_is_let_in_for_its_brands(owner, acme, brand):
    data = {"email": "cli@acme.example", "role": "client_viewer", "brands": str(brand.id)}
    owner.post("/people/new/", data)
    assert Invitation.objects.get(email="cli@acme.example").brand_ids == [brand.id]


def test_a_limit_is_not_lifted_by_a_box_left_empty(owner, acme, brand):
    bea = add_person(email="bea@acme.example", role=Role.BUYER, brand_ids=[brand.id])
    page = edit(owner, bea)
    assert list(page.context["form"].errors) == ["brands"]
    assert person("bea@acme.example").brand_ids == [brand.id]
    edit(owner, bea, all_brands="on")
    assert person("bea@acme.example").brand_ids is None


def test_a_brand_that_was_archived_stays_chosen(owner, acme, brand):
    bea = add_person(email="bea@acme.example", role=Role.BUYER, brand_ids=[brand.id])
    Brand.objects.filter(id=brand.id).update(archived_at=NOON)
    offered = owner.get(f"/people/{bea.id}/").content.decode()
    assert f"{brand.name} (archived)" in offered


def test_a_key_is_made_for_brands_and_remembers_its_maker(owner, acme, brand):
    make_key(owner, role="client_viewer", brands=str(brand.id))
    key = ApiKey.objects.get()
    assert key.brand_ids == [brand.id]
    assert key.made_by_id == person("ann@acme.example").id
    assert "Ann" in owner.get("/people/").content.decode()


def test_who_is_let_go_is_told_of_with_the_keys_that_go_too(owner, acme):
    two = add_person(email="two@acme.example", role=Role.OWNER, name="Two")
    _, secret = make_api_key(name="Nightly", role=Role.MANAGER, maker=two, now=NOON)
    assert "Nightly" in owner.get(f"/people/{two.id}/").content.decode()
    edit(owner, two, is_active="")
    assert find_api_key(secret, now=NOON) is None
    assert "Two, who made it, was let go." in owner.get("/people/").content.decode()
