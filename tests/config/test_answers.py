"""The headers that guard an answer are on every one: pages, refusals, failures, static files."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from portal.views import dashboard
from tenants import middleware

ACME, PLATFORM = "acme.localhost:8000", "localhost:8000"
GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": settings.PERMISSIONS_POLICY,
}
ANSWERS = [
    (ACME, "/accounts/login/", 200),
    (ACME, "/", 302),
    (ACME, "/nowhere", 404),
    (ACME, "/api/brands/", 401),
    (ACME, "/api/brands", 308),
    (ACME, "/api/docs/", 200),
    (ACME, "/api/schema/", 200),
    (ACME, "/static/portal/portal.js", 200),
    (ACME, "/static/admin/css/base.css", 200),
    (ACME, "/static/nowhere.js", 404),
    (ACME, "/healthz", 200),
    (ACME, "/accounts/password/reset/key/1-x/", 200),
    (PLATFORM, "/", 200),
    (PLATFORM, "/admin/login/", 302),
    (PLATFORM, "/accounts/login/", 200),
    (PLATFORM, "/metrics", 404),
    ("nobody.example", "/", 404),
    ("acme.localhost\\@x", "/", 404),
]


def unguarded(answer: Any) -> list[str]:
    """Return the headers that an answer lacks."""
    lacking = [name for name, value in GUARDS.items() if answer.headers.get(name) != value]
    policy = answer.headers.get("Content-Security-Policy", "")
    if "Access-Control-Allow-Origin" in answer.headers:
        lacking.append("a host of its own")
    if "script-src 'self';" not in f"{policy};" or "unsafe" in policy or "nonce" in policy:
        lacking.append("Content-Security-Policy")
    return lacking


@pytest.mark.parametrize(("host", "path", "status"), ANSWERS)
def test_every_answer_is_guarded(world, host, path, status):
    assert finders.find("portal/portal.js")
    answer = Client(HTTP_HOST=host).get(path)
    assert (answer.status_code, unguarded(answer)) == (status, [])


@pytest.mark.parametrize(("host", "path", "status"), ANSWERS)
def test_over_https_every_answer_keeps_the_browser_there(world, settings, host, path, status):
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    answer = Client(HTTP_HOST=host).get(path, secure=True)
    assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_a_refused_body_is_guarded(world, settings):
    settings.BODY_BYTES_MAX = 10
    answer = Client(HTTP_HOST=ACME).post("/accounts/login/", {"login": "x" * 20})
    assert (answer.status_code, unguarded(answer)) == (400, [])


def test_a_missing_token_is_guarded(world):
    answer = Client(HTTP_HOST=ACME, enforce_csrf_checks=True).post("/accounts/login/")
    assert (answer.status_code, unguarded(answer)) == (403, [])


def test_a_page_that_fails_is_guarded(acme, log_in, monkeypatch):
    monkeypatch.setattr(dashboard, "dashboard", lambda *_, **__: 1 / 0)
    client = log_in("ann@acme.example")
    client.raise_request_exception = False
    answer = client.get("/")
    assert (answer.status_code, unguarded(answer)) == (500, [])


def test_a_failure_before_any_page_is_guarded(world, monkeypatch):
    monkeypatch.setattr(middleware, "find_agency", lambda _: 1 / 0)
    client = Client(HTTP_HOST=ACME, raise_request_exception=False)
    answer = client.get("/")
    assert (answer.status_code, unguarded(answer)) == (500, [])
    assert answer["X-Request-ID"]
