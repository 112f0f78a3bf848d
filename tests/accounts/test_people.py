"""People belong to one agency; roles say what they may; keys are shown once, stored hashed."""

import io
import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import ApiKey, User, create_api_key, find_api_key
from accounts.roles import RIGHTS, Right, Role, allows
from accounts.services import add_person, change_person
from kernel.errors import Conflict, NameTaken
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency
from tests.conftest import NOON, PASSWORD


def test_each_role_includes_the_one_below():
    assert RIGHTS[Role.VIEWER] < RIGHTS[Role.MANAGER] < RIGHTS[Role.OWNER] == frozenset(Right)
    assert RIGHTS[Role.VIEWER] == {Right.VIEW}
    assert not allows("stranger", Right.VIEW)


def test_an_address_is_taken_in_every_spelling(acme):
    with pytest.raises(NameTaken):
        add_person(email="ANN@acme.example", role=Role.VIEWER)


def test_the_last_owner_stays_one(acme):
    ann = User.objects.get(email="ann@acme.example")
    with pytest.raises(Conflict):
        change_person(
            user_id=ann.id,
            name="Ann",
            role=Role.MANAGER,
            is_active=True,
            brand_ids=None,
            now=NOON,
        )
    with pytest.raises(Conflict):
        change_person(
            user_id=ann.id,
            name="Ann",
            role=Role.OWNER,
            is_active=False,
            brand_ids=None,
            now=NOON,
        )
    add_person(email="two@acme.example", role=Role.OWNER)
    change_person(
        user_id=ann.id,
        name="Ann",
        role=Role.MANAGER,
        is_active=True,
        brand_ids=None,
        now=NOON,
    )


def test_a_key_is_found_by_its_secret_only_while_it_is_usable(acme):
    key, secret = create_api_key(name="probe", role=Role.MANAGER, expires_at=NOON)
    before = NOON - timedelta(seconds=1)
    assert find_api_key(secret, now=before) == key
    assert find_api_key(secret, now=NOON) is None
    assert find_api_key(secret[:-1] + "!", now=before) is None
    assert find_api_key("", now=before) is None
    key.revoked_at = before
    key.save()
    assert find_api_key(secret, now=before) is None


def test_a_key_is_stored_hashed(acme):
    _, secret = create_api_key(name="probe", role=Role.VIEWER)
    stored = ApiKey.objects.values_list("prefix", "secret_hash").get()
    assert secret not in stored
    assert secret.partition(".")[2] not in "".join(stored)


def test_a_key_of_one_agency_is_nothing_in_another(acme, zeta):
    _, secret = create_api_key(name="probe", role=Role.OWNER)
    with tenant_context(zeta):
        assert find_api_key(secret, now=NOON) is None


def test_the_key_alone_is_the_last_line(world):
    out = io.StringIO()
    words = ("--agency", "acme", "--role", "manager", "--name", "probe")
    with platform_context():
        call_command("create_api_key", *words, stdout=out)
    secret = out.getvalue().splitlines()[-1]
    with tenant_context(world.acme):
        found = find_api_key(secret, now=NOON)
        assert found is not None
        assert found.role == "manager"


def test_sign_up_is_closed(world, settings):
    client = Client(HTTP_HOST="acme.localhost:8000")
    body = {"email": "new@acme.example", "password1": PASSWORD, "password2": PASSWORD}
    client.post("/accounts/signup/", body)
    with tenant_context(world.acme):
        assert not User.objects.filter(email="new@acme.example").exists()


def log_in(host, email, password=PASSWORD):
    client = Client(HTTP_HOST=host)
    client.post("/accounts/login/", {"login": email, "password": password})
    return client


def test_a_person_logs_in_on_the_own_agencys_host_only(world, clean_cache):
    inside = log_in("acme.localhost:8000", "ann@acme.example")
    assert inside.get("/").status_code == 200
    assert log_in("zeta.localhost:8000", "ann@acme.example").get("/").status_code == 302


def test_a_session_is_worth_nothing_on_another_host(world, log_in):
    client = log_in("ann@acme.example")
    assert client.get("/").status_code == 200
    assert client.get("/", HTTP_HOST="zeta.localhost:8000").status_code == 302
    assert client.get("/admin/", HTTP_HOST="localhost:8000").status_code == 302


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Acme", "--slug", "acme", "--owner", "a@b.example"], "in use"),
        (["Acme", "--slug", "Ac me", "--owner", "a@b.example"], "lower-case letters"),
        (["Acme", "--slug", "www", "--owner", "a@b.example"], "reserved"),
        (["Acme", "--slug", "new", "--owner", "nobody"], "no e-mail address"),
    ],
)
def test_an_agency_that_cannot_be_made_leaves_nothing(world, words, message):
    with platform_context():
        before = Agency.objects.count()
        with pytest.raises(CommandError, match=message):
            call_command("create_agency", *words, stdout=io.StringIO())
        assert Agency.objects.count() == before


def test_the_owners_link_sets_the_password_once(own_agency, mailoutbox, clean_cache):
    slug = own_agency.slug
    owner = add_person(email=f"owner@{slug}.example", role=Role.OWNER)
    from accounts.services import mail_password_link

    link = mail_password_link(owner)
    assert link in mailoutbox[-1].body
    assert link.startswith(f"http://{slug}.localhost")
    path = re.sub(r"^http://[^/]+", "", link)
    client = Client(HTTP_HOST=f"{slug}.localhost:8000")
    form = client.get(path, follow=True)
    target = form.redirect_chain[-1][0]
    words = {"password1": "a long new secret", "password2": "a long new secret"}
    client.post(target, words)
    again = Client(HTTP_HOST=f"{slug}.localhost:8000").get(path, follow=True)
    assert b'name="password1"' not in again.content
    inside = log_in(f"{slug}.localhost:8000", owner.email, "a long new secret")
    assert inside.get("/").status_code == 200
