"""A session is worth something on its own agency's host, and nowhere else."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from tenants.contexts import platform_context, tenant_context
from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("clean_cache")


def copied(session_key, email):
    """Copy a session's row and its person's into the schema whose context this is."""

    def paste(session, person):
        Session(session.session_key, session.session_data, session.expire_date).save()
        User(**{f.attname: getattr(person, f.attname) for f in User._meta.fields}).save()

    return Session.objects.get(pk=session_key), User.objects.get(email=email), paste


@pytest.mark.parametrize("host", ["acme", "zeta"])
def test_a_session_opens_its_own_agency_alone(world, log_in, host):
    client = log_in("ann@acme.example")
    answer = client.get("/people/", headers={"host": f"{host}.localhost:8000"})
    assert answer.status_code == (200 if host == "acme" else 302)


def test_a_row_copied_to_another_schema_opens_nothing(world, log_in):
    client = log_in("ann@acme.example")
    with tenant_context(world.acme):
        session, person, paste = copied(client.cookies["sessionid"].value, "ann@acme.example")
    with tenant_context(world.zeta):
        paste(session, person)
    assert client.get("/people/").status_code == 200
    answer = client.get("/people/", headers={"host": "zeta.localhost:8000"})
    assert answer["Location"] == "/accounts/login/?next=/people/"


def test_a_row_of_the_platforms_staff_opens_no_agency(world):
    with platform_context():
        staff = User.objects.create_superuser("pat@paceline.example", PASSWORD)
        client = Client(HTTP_HOST="localhost:8000")
        client.force_login(staff, "django.contrib.auth.backends.ModelBackend")
        session, person, paste = copied(client.cookies["sessionid"].value, staff.email)
    with tenant_context(world.acme):
        person.role = "owner"
        paste(session, person)
    assert client.get("/admin/").status_code == 200
    assert client.get("/people/", headers={"host": "acme.localhost:8000"}).status_code == 302


def test_an_owners_row_opens_no_platform(world, log_in):
    client = log_in("ann@acme.example")
    with tenant_context(world.acme):
        session, person, paste = copied(client.cookies["sessionid"].value, "ann@acme.example")
    with platform_context():
        person.is_superuser = True
        paste(session, person)
    answer = client.get("/admin/", headers={"host": "localhost:8000"})
    assert answer["Location"] == "/admin/login/?next=/admin/"


def test_the_cookie_is_for_its_host_and_no_script(world):
    client = Client(HTTP_HOST="acme.localhost:8000")
    client.post("/accounts/login/", {"login": "ann@acme.example", "password": PASSWORD})
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Lax", "")
    assert cookie["path"] == "/"


def test_a_new_log_in_is_a_new_session(world):
    client = Client(HTTP_HOST="acme.localhost:8000")
    client.post("/accounts/password/reset/", {"email": "x@y.example"})
    client.cookies["sessionid"] = planted = "planted0planted0planted0planted0"
    client.post("/accounts/login/", {"login": "ann@acme.example", "password": PASSWORD})
    assert client.cookies["sessionid"].value != planted
