"""What another host's page sends is refused, a sibling's below the same domain too."""

import pytest
from django.test import Client

from accounts.models import User
from budgets.models import Brand

ACME = "http://acme.localhost:8000"
TOKEN = "a" * 32
# What the browser tells of the page that sends, by the page.
ELSEWHERE = {
    "a sibling": {"Origin": "http://zeta.localhost:8000"},
    "a sibling's page": {"Referer": "http://zeta.localhost:8000/people/"},
    "the platform": {"Origin": "http://localhost:8000"},
    "the platform's page": {"Referer": "http://localhost:8000/"},
    "a host below": {"Origin": "http://x.acme.localhost:8000"},
    "another port": {"Origin": "http://acme.localhost:9000"},
    "another port's page": {"Referer": "http://acme.localhost:9000/"},
    "another scheme": {"Origin": "https://acme.localhost:8000"},
    "a look-alike": {"Referer": "http://acme.localhost:8000.evil.example/"},
    "a page in a user's name": {"Referer": "http://acme.localhost:8000@evil.example/"},
    "a frame of no origin": {"Origin": "null"},
    "an empty origin": {"Origin": ""},
    "a stranger": {"Origin": "http://evil.example", "Referer": f"{ACME}/"},
    "same site": {"Sec-Fetch-Site": "same-site"},
    "cross site": {"Sec-Fetch-Site": "cross-site"},
    "nonsense": {"Referer": "http://[evil/"},
}
OURS = [
    {"Origin": ACME},
    {"Referer": f"{ACME}/people/"},
    {"Origin": ACME, "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {},
]


@pytest.fixture
def ann(acme, log_in) -> Client:
    """The owner, whose browser also has the cookie that a sibling set for all hosts."""
    client = Client(HTTP_HOST="acme.localhost:8000", enforce_csrf_checks=True)
    client.cookies = log_in("ann@acme.example").cookies
    client.cookies["csrftoken"] = TOKEN
    return client


@pytest.mark.parametrize("page", sorted(ELSEWHERE))
def test_a_form_of_the_portal_is_refused_even_with_the_cookies_token(ann, page):
    said = {"email": "x@y.example", "role": "viewer", "csrfmiddlewaretoken": TOKEN}
    assert ann.post("/people/new/", said, headers=ELSEWHERE[page]).status_code == 403
    assert not User.objects.filter(email="x@y.example").exists()


@pytest.mark.parametrize("page", sorted(ELSEWHERE))
def test_a_session_at_the_api_is_refused_even_with_the_cookies_token(ann, page):
    headers = {"X-CSRFToken": TOKEN, **ELSEWHERE[page]}
    answer = ann.post("/api/brands/", {"name": "N"}, "application/json", headers=headers)
    assert answer.status_code == 403
    assert not Brand.objects.exists()


@pytest.mark.parametrize("page", sorted(ELSEWHERE))
@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/logout/", "/admin/logout/"])
def test_nobody_is_logged_in_or_out_from_elsewhere(ann, page, path):
    said = {"csrfmiddlewaretoken": TOKEN}
    assert ann.post(path, said, headers=ELSEWHERE[page]).status_code == 403


@pytest.mark.parametrize("path", ["/people/new/", "/accounts/logout/", "/admin/budgets/brand/add/"])
def test_without_the_token_nothing_is_sent_from_our_own_pages_either(ann, path):
    assert ann.post(path, {}, headers={"Origin": ACME}).status_code == 403


@pytest.mark.parametrize("headers", OURS)
def test_our_own_pages_send(ann, headers):
    headers = {"X-CSRFToken": TOKEN, **headers}
    answer = ann.post("/api/brands/", {"name": "N"}, "application/json", headers=headers)
    assert answer.status_code == 201


def test_a_key_is_no_cookie_and_works_from_anywhere(acme, api):
    client = api("manager")
    client.handler.enforce_csrf_checks = True
    answer = client.post(
        "/api/brands/", {"name": "N"}, "application/json", headers=ELSEWHERE["a stranger"]
    )
    assert answer.status_code == 201


def test_over_https_the_cookies_are_bound_to_the_host(settings):
    """`__Host-` is what keeps a sibling from setting them; see test_environment for the names."""
    assert settings.SESSION_COOKIE_DOMAIN is None
    assert settings.CSRF_COOKIE_DOMAIN is None
    assert settings.SESSION_COOKIE_PATH == settings.CSRF_COOKIE_PATH == "/"
