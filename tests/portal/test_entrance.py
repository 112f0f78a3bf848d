"""Where one enters: the log-in of an agency, the platform's landing page, and the error pages."""

import re

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import caches
from django.template.loader import render_to_string
from django.test import Client

from accounts.models import User
from kernel.caches import PatientCache
from portal.views.landing import slug_of
from tenants.contexts import platform_context, tenant_context
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


def test_another_address_takes_effect_when_its_link_on_the_stored_address_is_opened(nobody):
    log_in(nobody)
    change = {"email": "ann@new.example", "action_add": ""}
    asked = nobody.post("/accounts/email/", change)
    assert asked["Location"] == "/accounts/reauthenticate/?next=%2Faccounts%2Femail%2F"
    nobody.post(asked["Location"], {"password": PASSWORD})
    nobody.post("/accounts/email/", change)
    [body] = [str(m.body) for m in mail.outbox if m.to == ["ann@new.example"]]
    link = part(r"http://acme\.localhost:8000(/accounts/confirm-email/\S+/)", body)

    def may_enter(email):
        return log_in(Client(HTTP_HOST="acme.localhost:8000"), email).status_code == 302

    assert not may_enter("ann@new.example")
    assert "Confirm" in nobody.get(link).content.decode()
    assert not may_enter("ann@new.example")
    nobody.post(link)
    assert may_enter("ann@new.example")
    assert not may_enter("ann@acme.example")
    # The address of before is told.
    assert mail.outbox[-1].to == ["ann@acme.example"]


def test_an_address_that_somebody_has_is_told_to_nobody_and_never_taken(nobody, acme):
    log_in(nobody)
    nobody.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = nobody.post("/accounts/email/", {"email": "vic@acme.example", "action_add": ""})
    assert page.status_code == 302
    [body] = [str(m.body) for m in mail.outbox if m.to == ["vic@acme.example"]]
    link = part(r"http://acme\.localhost:8000(/accounts/confirm-email/\S+/)", body)
    page = nobody.post(link, follow=True)
    assert "be used here" in page.content.decode()
    assert User.objects.get(name="Ann").email == "ann@acme.example"


@pytest.fixture
def quick(acme, zeta) -> None:
    """People whose passwords are hashed as quickly as those of strangers."""
    for agency, email in [(acme, "ann@acme"), (acme, "vic@acme"), (zeta, "zoe@zeta")]:
        with tenant_context(agency):
            user = User.objects.get(email=f"{email}.example")
            user.set_password(PASSWORD)
            user.save()


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """What was hashed meanwhile."""
    seen: list[str] = []
    encode = MD5PasswordHasher.encode

    def count(self, password, salt):
        seen.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", count)
    return seen


def test_a_stranger_costs_as_much_hashing_as_somebody_with_a_wrong_password(quick, nobody, hashed):
    counts = []
    for email in ("ann@acme.example", "nobody@acme.example", "zoe@zeta.example"):
        hashed.clear()
        log_in(nobody, email, "wrong")
        counts.append(len(hashed))
    assert counts[0] > 0
    assert len(set(counts)) == 1


def without_tokens(page) -> str:
    text = re.sub(r'(name="csrfmiddlewaretoken" value=")\w+', r"\1", page.content.decode())
    return re.sub(r"\w+@\w+\.example", "somebody", text)


def test_pages_are_the_same_for_those_who_are_here_and_those_who_are_not(nobody, acme):
    User.objects.filter(email="max@acme.example").update(is_active=False)
    emails = ["ann@acme.example", "max@acme.example", "who@acme.example"]
    wrong = {without_tokens(log_in(nobody, email, "wrong")) for email in emails}
    assert len(wrong) == 1
    answers = set()
    for email in emails:
        page = nobody.post("/accounts/password/reset/", {"email": email})
        answers.add((page.status_code, page["Location"], page.content))
    assert len(answers) == 1
    # Each costs a mail.
    assert len(mail.outbox) == 3


def test_guessing_is_slowed_down_by_address_and_by_client(quick, nobody):
    for _ in range(5):
        log_in(nobody, password="wrong")
    page = log_in(nobody)
    assert "Too many failed" in page.content.decode()
    # Others at other addresses log in as before.
    other = Client(HTTP_HOST="acme.localhost:8000", REMOTE_ADDR="192.0.2.9")
    assert log_in(other, "vic@acme.example").status_code == 302


def test_what_is_guessed_at_one_agency_locks_nobody_out_at_another(quick, nobody):
    for _ in range(5):
        log_in(nobody, "zoe@zeta.example", "wrong")
    there = Client(HTTP_HOST="zeta.localhost:8000", REMOTE_ADDR="192.0.2.9")
    assert log_in(there, "zoe@zeta.example").status_code == 302


def test_who_asks_for_many_links_waits_on_a_page_of_ours(nobody):
    for _ in range(6):
        page = nobody.post("/accounts/password/reset/", {"email": "ann@acme.example"})
    assert page.status_code == 429
    assert "paceline.css" in page.content.decode()


def test_a_forged_client_address_changes_nothing(nobody):
    for number in range(5):
        nobody.defaults["HTTP_X_FORWARDED_FOR"] = f"192.0.2.{number}"
        log_in(nobody, f"who{number}@acme.example", "wrong")
    for number in range(5, 11):
        nobody.defaults["HTTP_X_FORWARDED_FOR"] = f"192.0.2.{number}"
        page = log_in(nobody, f"who{number}@acme.example", "wrong")
    assert "Too many failed" in page.content.decode()


@pytest.fixture
def no_redis():
    """A cache whose Redis is away."""
    params = {"KEY_FUNCTION": "django_tenants.cache.make_key"}
    away = PatientCache("redis://127.0.0.1:9/0", params)
    before = caches["default"]
    caches["default"] = away
    yield
    away._own.clear()
    caches["default"] = before


def test_people_log_in_while_redis_is_away_and_guessing_is_still_slow(quick, nobody, no_redis):
    assert log_in(nobody).status_code == 302
    other = Client(HTTP_HOST="acme.localhost:8000", REMOTE_ADDR="192.0.2.9")
    for _ in range(5):
        log_in(other, "vic@acme.example", "wrong")
    assert "Too many failed" in log_in(other, "vic@acme.example").content.decode()
