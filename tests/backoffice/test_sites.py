"""Who enters which admin, and by which door."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.template.loader import get_template
from django.test import Client

from accounts.models import User
from budgets.models import Brand
from tests.backoffice.conftest import page
from tests.conftest import PASSWORD, make_brand

LOG_IN = {"login": "pat@paceline.example", "password": PASSWORD}
WRONG = "The email address and/or password you specified are not correct."


@pytest.fixture
def nobody() -> Client:
    """Somebody at an address from which nobody else fails to log in: failures are counted by it."""
    address = ".".join(str(part) for part in (10, *uuid4().bytes[:3]))
    return Client(HTTP_HOST="localhost:8000", REMOTE_ADDR=address)


def test_an_agencys_admin_sends_people_to_its_one_log_in(acme):
    response = Client(HTTP_HOST="acme.localhost:8000").get("/admin/", follow=True)
    assert response.redirect_chain[-1][0] == "/accounts/login/?next=/admin/"


def test_who_is_in_is_sent_on(acme, ann):
    assert ann.get("/admin/login/").headers["Location"] == "/admin/"


def test_the_first_page_names_the_agency(acme, vic):
    first = vic.get("/admin/").content.decode()
    assert "Acme Media · Paceline" in first
    assert "Brands and money" in first


def test_a_user_without_a_role_is_refused(acme, log_in):
    client = log_in("vic@acme.example")
    User.objects.filter(email="vic@acme.example").update(role="ghost")
    assert client.get("/admin/", follow=True).status_code == 403


def test_passwords_are_changed_at_the_agencys_own_door(acme, vic):
    assert vic.get("/admin/password_change/").headers["Location"] == "/accounts/password/change/"


def test_logging_out_leads_to_the_log_in(acme, vic):
    assert vic.get("/admin/logout/").status_code == 405
    assert vic.post("/admin/logout/").headers["Location"] == "/accounts/login/"
    assert vic.get("/admin/").status_code == 302


def test_staff_log_in_by_email_in_any_spelling(pat, nobody):
    said = {**LOG_IN, "login": " Pat@Paceline.Example "}
    response = nobody.post("/accounts/login/?next=/admin/", said)
    assert response.headers["Location"] == "/admin/"
    assert "Paceline · Platform" in nobody.get("/admin/").content.decode()


def test_the_platforms_admin_has_no_log_in_of_its_own(pat, nobody):
    response = nobody.post("/admin/login/", {**LOG_IN, "username": LOG_IN["login"]})
    assert response.headers["Location"] == "/accounts/login/?next=/admin/"
    assert nobody.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "changes",
    [{"password": "wrong"}, {"login": "who@paceline.example"}, {"login": f"{'x' * 300}@y.example"}],
)
def test_a_wrong_log_in_tells_nothing_more(pat, nobody, changes):
    response = nobody.post("/accounts/login/", {**LOG_IN, **changes})
    assert response.status_code == 200
    assert nobody.get("/admin/").status_code == 302


@pytest.mark.parametrize("changes", [{"is_superuser": False}, {"is_active": False}])
def test_only_active_staff_enters_the_platforms_admin(pat, nobody, changes):
    User.objects.filter(email="pat@paceline.example").update(**changes)
    response = nobody.post("/accounts/login/", LOG_IN)
    assert response.context["form"].non_field_errors() == [WRONG]
    assert pat.get("/admin/", follow=True).status_code in (200, 403)
    assert pat.get("/admin/").status_code == 302


def test_guessing_a_staff_password_is_slowed_down(platform, nobody):
    email = f"{uuid4().hex}@paceline.example"
    User.objects.create_superuser(email, PASSWORD)
    said = {"login": email, "password": "guess"}
    told = set()
    # More than the five that are allowed: tests beside this one may clear the cache that counts.
    for _ in range(15):
        response = nobody.post("/accounts/login/", said)
        told |= set(response.context["form"].non_field_errors())
    assert told == {WRONG, "Too many failed login attempts. Try again later."}


def test_staff_of_the_platform_is_nobody_in_an_agency(world, pat):
    pat.defaults["HTTP_HOST"] = "acme.localhost:8000"
    assert pat.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"


def test_an_owner_is_nobody_on_the_platform(ann):
    ann.defaults["HTTP_HOST"] = "localhost:8000"
    assert ann.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"


@pytest.mark.parametrize("path", ["tenants/agency/", "django_celery_beat/periodictask/"])
def test_an_agencys_admin_has_nothing_of_the_platforms(acme, ann, path):
    assert ann.get(f"/admin/{path}").status_code == 404


@pytest.mark.parametrize("path", ["budgets/brand/", "campaigns/campaign/", "accounts/apikey/"])
def test_the_platforms_admin_has_nothing_of_an_agencys(pat, path):
    assert pat.get(f"/admin/{path}").status_code == 404


def test_the_log_trusts_no_cache_of_content_types(acme, ann, monkeypatch):
    """One cache serves the process: another thread may just have filled it from another schema."""
    brand = make_brand()
    stale = ContentType.objects.get(app_label="campaigns", model="hold")
    cache = {"default": {("budgets", "brand"): stale}}
    monkeypatch.setattr(ContentType.objects, "_cache", cache)
    monkeypatch.setattr(ContentType.objects, "clear_cache", lambda: None)
    said = {"name": "New", "currency": "USD", "time_zone": "UTC"}
    ann.post(page(Brand, "change", brand.pk), said)
    assert LogEntry.objects.filter(content_type__model="brand").count() == 1
    assert "Changed" in ann.get(page(Brand, "history", brand.pk)).content.decode()


def test_a_page_asks_nothing_of_djangos_permissions(acme, ann):
    """The tables of django.contrib.auth are in the platform's schema alone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('auth_permission')")
        assert cursor.fetchone() == (None,)
    brand = make_brand()
    for address in ("/admin/", page(Brand, "changelist"), page(Brand, "delete", brand.pk)):
        assert ann.get(address).status_code == 200


@pytest.mark.parametrize("name", ["base_site", "app_list", "index", "change_list"])
def test_our_templates_come_before_djangos_and_django_tenants(name):
    template: Any = get_template(f"admin/{name}.html")
    first = str(template.origin)
    assert "/backoffice/templates/" in first, "INSTALLED_APPS names backoffice first"
