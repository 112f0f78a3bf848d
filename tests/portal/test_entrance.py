"""Where one enters: the log-in of an agency, the platform's landing page, and the error pages."""

import pytest
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client

from portal.views.landing import slug_of
from tenants.contexts import platform_context
from tenants.models import Agency
from tests.conftest import PASSWORD

from .conftest import part

pytestmark = pytest.mark.usefixtures("clean_cache")


@pytest.fixture
def nobody(world) -> Client:
    return Client(HTTP_HOST="acme.localhost:8000")


@pytest.fixture
def platform(world) -> Client:
    return Client(HTTP_HOST="localhost:8000")


def log_in(client, email="ann@acme.example", password=PASSWORD):
    return client.post("/accounts/login/", {"login": email, "password": password})


def test_one_logs_in_by_e_mail_and_lands_on_the_dashboard(nobody):
    assert log_in(nobody, "Ann@Acme.example")["Location"] == "/"
    assert nobody.get("/").status_code == 200


def test_the_log_in_names_the_agency(nobody):
    page = nobody.get("/accounts/login/").content.decode()
    assert "Acme Media" in page
    assert "paceline.css" in page


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ann@acme.example", "wrong"),
        ("nobody@acme.example", PASSWORD),
        ("zoe@zeta.example", PASSWORD),
    ],
)
def test_a_wrong_log_in_tells_nothing_more(nobody, email, password):
    page = log_in(nobody, email, password)
    assert page.status_code == 200
    assert "not correct" in page.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "login/",
        "logout/",
        "signup/",
        "inactive/",
        "password/reset/",
        "password/reset/done/",
        "password/reset/key/done/",
        "password/reset/key/1-set-password/",
        "password/change/",
        "email/",
        "confirm-email/",
        "reauthenticate/",
    ],
)
def test_every_page_of_an_account_looks_like_ours(nobody, path):
    if path in ("logout/", "password/change/", "email/", "reauthenticate/"):
        log_in(nobody)
    page = nobody.get(f"/accounts/{path}").content.decode()
    assert "paceline.css" in page
    assert 'style="' not in page


def test_nobody_signs_up(nobody):
    page = nobody.post("/accounts/signup/", {"email": "x@y.example"}).content.decode()
    assert "By invitation" in page


def test_a_new_password_is_set_by_a_mailed_link_on_the_stored_address(nobody):
    nobody.post("/accounts/password/reset/", {"email": "ann@acme.example"})
    body = str(mail.outbox[0].body)
    link = part(r"http://acme\.localhost:8000(/accounts/password/reset/key/\S+)", body)
    assert "Acme Media on Paceline\nhttp://acme.localhost:8000/" in body
    form = nobody.get(link, follow=True)
    data = {"password1": "a new horse battery", "password2": "a new horse battery"}
    nobody.post(form.redirect_chain[-1][0], data)
    assert log_in(nobody, password="a new horse battery")["Location"] == "/"
    assert "used up" in Client(HTTP_HOST="acme.localhost:8000").get(link).content.decode()


def test_an_unknown_address_gets_a_mail_that_says_so_and_no_page_that_does(nobody):
    page = nobody.post("/accounts/password/reset/", {"email": "who@acme.example"}, follow=True)
    assert "If the address belongs to somebody here" in page.content.decode()
    assert "nobody has this address" in mail.outbox[0].body
    assert "example.com" not in mail.outbox[0].body


def test_logging_out_needs_a_click(nobody):
    log_in(nobody)
    assert "Log out?" in nobody.get("/accounts/logout/").content.decode()
    nobody.post("/accounts/logout/")
    assert nobody.get("/").status_code == 302


@pytest.mark.parametrize(
    "typed", ["acme", " ACME ", "acme.localhost", "acme.localhost:8000", "http://acme.localhost/x"]
)
def test_the_landing_page_leads_to_the_agency_that_is_typed(platform, typed):
    page = platform.get("/", {"agency": typed})
    assert page["Location"] == "http://acme.localhost:8000/"


@pytest.mark.parametrize("typed", ["nobody", "evil.example", "../admin", "ac\0", "%", "x" * 400])
def test_an_unknown_agency_gets_a_neutral_answer(platform, typed):
    page = platform.get("/", {"agency": typed}).content.decode()
    assert "We can&#x27;t take you there" in page or "We can't take you there" in page


def test_an_inactive_agency_gets_the_same_answer(platform, world):
    with platform_context():
        Agency.objects.filter(slug="acme").update(is_active=False)
    assert "take you there" in platform.get("/", {"agency": "acme"}).content.decode()


def test_the_landing_page_lists_nobody(platform):
    page = platform.get("/").content.decode()
    assert "Acme" not in page
    assert 'href="/admin/"' in page


def test_the_landing_form_may_lead_to_agencies_and_nowhere_else(platform):
    policy = platform.get("/")["Content-Security-Policy"]
    assert "form-action 'self' http://*.localhost:8000" in policy


@pytest.mark.parametrize(
    ("text", "slug"),
    [("", ""), ("https://acme.localhost:8000/spend/?x", "acme"), ("a.b", "a.b"), ("//acme", "")],
)
def test_a_slug_is_found_in_what_people_paste(text, slug):
    assert slug_of(text) == slug


def test_a_page_that_is_not_there_leads_home(nobody, platform):
    for client in (nobody, platform):
        page = client.get("/nowhere")
        assert page.status_code == 404
        assert 'href="/"' in page.content.decode()


@pytest.mark.parametrize(
    "template", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"]
)
def test_an_error_page_asks_nothing_of_the_database(template):
    # Without the database fixture, pytest-django refuses every statement.
    page = render_to_string(template)
    assert 'href="/"' in page
    assert 'style="' not in page


def test_an_address_is_confirmed_by_a_link_on_the_stored_address(nobody):
    log_in(nobody)
    nobody.post("/accounts/email/", {"email": "ann@new.example", "action_add": ""})
    body = str(mail.outbox[0].body)
    link = part(r"http://acme\.localhost:8000(/accounts/confirm-email/\S+/)", body)
    assert "Confirm" in nobody.get(link).content.decode()
