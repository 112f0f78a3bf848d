"""People and keys: only who manages people sees them; no password and no secret is shown."""

from datetime import timedelta
from smtplib import SMTPException

import pytest
from django.contrib.admin.models import LogEntry

from accounts import services
from accounts.models import ApiKey, User, create_api_key, find_api_key
from accounts.roles import Role
from tests.backoffice.conftest import errors_of, messages_of, page
from tests.conftest import NOON, make_brand

NEW = {"email": "New@Acme.example", "name": "New", "role": "manager"}


def _user(name: str) -> User:
    return User.objects.get(email=f"{name}@acme.example")


def _said(user: User, **changes: str) -> dict[str, str]:
    said = {"name": user.name, "role": user.role, "is_active": "on", **changes}
    return {name: value for name, value in said.items() if value}


def test_a_new_person_gets_a_link_and_no_password(acme, ann, committed, mailoutbox):
    with committed():
        ann.post(page(User, "add"), NEW)
    user = _user("new")
    assert (user.role, user.has_usable_password()) == (Role.MANAGER, False)
    (mail,) = mailoutbox
    assert mail.to == ["new@acme.example"]
    assert "http://acme.localhost:8000/accounts/password/reset/key/" in mail.body


def test_a_person_is_here_even_where_the_mail_can_not_be_sent(acme, ann, committed, monkeypatch):
    def fail(user):
        raise SMTPException("no")

    monkeypatch.setattr(services, "mail_password_link", fail)
    with committed():
        response = ann.post(page(User, "add"), NEW, follow=True)
    assert _user("new")
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"email": "ANN@acme.example"}, "email", "ann@acme.example is here already."),
        ({"email": "nobody"}, "email", "Enter a valid email address."),
        ({"role": "emperor"}, "role", "Select a valid choice."),
        ({"role": ""}, "role", "This field is required."),
    ],
)
def test_a_bad_value_is_an_error_on_its_field(acme, ann, mailoutbox, changes, field, sentence):
    count = User.objects.count()
    response = ann.post(page(User, "add"), {**NEW, **changes})
    assert errors_of(response)[field][0].startswith(sentence)
    assert User.objects.count() == count
    assert not mailoutbox


def test_roles_change_and_the_email_does_not(acme, ann):
    vic = _user("vic")
    said = _said(vic, role="manager", email="other@acme.example")
    ann.post(page(User, "change", vic.pk), said)
    assert _user("vic").role == Role.MANAGER


@pytest.mark.parametrize(
    ("changes", "field"), [({"role": "viewer"}, "role"), ({"is_active": ""}, "is_active")]
)
def test_the_last_active_owner_stays(acme, ann, changes, field):
    owner = _user("ann")
    response = ann.post(page(User, "change", owner.pk), _said(owner, **changes))
    assert "is the last active owner" in errors_of(response)[field][0]
    owner.refresh_from_db()
    assert (owner.role, owner.is_active) == (Role.OWNER, True)


def test_an_owner_may_go_where_another_stays(acme, ann):
    User.objects.create_user("second@acme.example", role=Role.OWNER)
    owner = _user("ann")
    ann.post(page(User, "change", owner.pk), _said(owner, role="viewer"))
    owner.refresh_from_db()
    assert owner.role == Role.VIEWER


def test_who_is_deactivated_is_out_at_once(acme, ann, vic):
    user = _user("vic")
    assert vic.get("/admin/").status_code == 200
    ann.post(page(User, "change", user.pk), _said(user, is_active=""))
    assert vic.get("/admin/").status_code == 302


def test_nobody_is_deleted(acme, ann):
    user = _user("vic")
    assert ann.post(page(User, "delete", user.pk), {"post": "yes"}).status_code == 403


def test_a_link_is_mailed_again_to_the_active(acme, ann, mailoutbox):
    gone = User.objects.create_user("gone@acme.example", is_active=False)
    chosen = [_user("vic").pk, gone.pk]
    said = {"action": "mail_link", "_selected_action": chosen, "index": "0"}
    told = messages_of(ann.post(page(User, "changelist"), said, follow=True))
    assert [mail.to for mail in mailoutbox] == [["vic@acme.example"]]
    assert "gone@acme.example is inactive." in told


def test_no_hash_is_on_any_page(acme, ann):
    user, (key, _) = _user("ann"), create_api_key(name="Probe", role=Role.VIEWER)
    for model, row, secret in ((User, user, user.password), (ApiKey, key, key.secret_hash)):
        for address in (page(model, "changelist"), page(model, "change", row.pk)):
            assert secret not in ann.get(address).content.decode()


def test_a_key_is_shown_once_and_works(acme, ann):
    said = {"name": "Probe", "role": "manager", "expires_at_0": "", "expires_at_1": ""}
    answer = ann.post(page(ApiKey, "add"), said)
    secret = answer.context["secret"]
    assert f'value="{secret}"' in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    key = find_api_key(secret, now=NOON)
    assert key is not None
    assert f'href="{page(ApiKey, "change", key.pk)}"' in answer.content.decode()
    assert (key.name, key.role) == ("Probe", Role.MANAGER)
    assert secret not in ann.get(page(ApiKey, "change", key.pk)).content.decode()
    assert secret not in LogEntry.objects.get().change_message


def test_a_key_that_expired_before_it_is_made_is_refused(acme, ann):
    said = {"name": "Probe", "role": "viewer", "expires_at_0": "2026-03-02"}
    response = ann.post(page(ApiKey, "add"), {**said, "expires_at_1": "11:59:59"})
    assert "can't have expired" in errors_of(response)["expires_at"][0]
    assert not ApiKey.objects.exists()


def test_a_revoked_key_works_no_more(acme, ann):
    later = NOON + timedelta(days=30)
    key, secret = create_api_key(name="Probe", role=Role.VIEWER, expires_at=later)
    said = {"action": "revoke", "_selected_action": [key.pk], "index": "0"}
    assert messages_of(ann.post(page(ApiKey, "changelist"), said, follow=True)) == "Revoked: Probe."
    assert find_api_key(secret, now=NOON) is None
    assert "Revoked" in ann.get(page(ApiKey, "changelist")).content.decode()


@pytest.mark.parametrize("who", ["max_", "vic"])
def test_others_let_nobody_in(acme, request, who):
    client = request.getfixturevalue(who)
    assert client.post(page(User, "add"), NEW).status_code == 403
    assert client.post(page(ApiKey, "add"), {"name": "x", "role": "owner"}).status_code == 403
    assert not ApiKey.objects.exists()
    assert "People and keys" not in client.get("/admin/").content.decode()


def test_a_client_is_let_in_for_named_brands(acme, ann, committed):
    brand = make_brand()
    said = {"email": "cli@acme.example", "name": "Cli", "role": "client_viewer"}
    refused = ann.post(page(User, "add"), said)
    assert "at least one brand" in errors_of(refused)["brands"][0]
    with committed():
        ann.post(page(User, "add"), {**said, "brands": [str(brand.id)]})
    assert User.objects.get(email="cli@acme.example").brand_ids == [brand.id]


def test_a_limit_is_lifted_by_saying_so_only(acme, ann):
    brand = make_brand()
    bea = User.objects.create_user("bea@acme.example", role=Role.BUYER, brand_ids=[brand.id])
    said = {"name": "Bea", "role": "buyer", "is_active": "on"}
    assert "brands" in errors_of(ann.post(page(User, "change", bea.pk), said))
    ann.post(page(User, "change", bea.pk), {**said, "all_brands": "on"})
    bea.refresh_from_db()
    assert bea.brand_ids is None


def test_a_key_shows_its_brands_and_its_maker(acme, ann):
    brand = make_brand()
    ann.post(page(ApiKey, "add"), {"name": "P", "role": "buyer", "brands": [str(brand.id)]})
    key = ApiKey.objects.get(name="P")
    shown = ann.get(page(ApiKey, "change", key.pk)).content.decode()
    assert brand.name in shown
    assert "UTC, Ann" in shown
