"""What a deployment over https gets, asked of a process that is set up as one."""

import json
import os
import secrets
import subprocess
import sys

import pytest

from tests.config.container_files import ROOT

HTTPS = "https://ads.example"


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_djangos_own_checks_find_nothing():
    done = run(
        *("manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        PACELINE_URL=HTTPS,
        SECRET_KEY=secrets.token_urlsafe(48),
    )
    assert (done.returncode, done.stdout) == (
        0,
        "System check identified no issues (0 silenced).\n",
    ), done.stderr


@pytest.mark.parametrize("key", ["k" * 60, "short", "django-insecure-" + "abcdefgh" * 8])
def test_a_weak_secret_key_is_told(key):
    done = run("manage.py", "check", "--deploy", PACELINE_URL=HTTPS, SECRET_KEY=key)
    assert "security.W009" in done.stderr
    assert key not in done.stderr


def test_the_key_that_run_makes_is_strong_enough(tmp_path):
    script = (
        "from pathlib import Path; from embedded.home import Home;"
        f"print(Home(Path({str(tmp_path / 'home')!r})).kept_secret('secret_key', byte_count=48))"
    )
    assert len(run("-c", script).stdout.strip()) >= 50


COOKIES = """
import django, json
django.setup()
from django.conf import settings
from django.contrib.messages import constants
from django.http import HttpResponse
from django.test import Client
from config.middleware import GuardedAnswers
client = Client(HTTP_HOST="ads.example")
page = client.get("/accounts/login/", secure=True)
plain = client.get("/healthz")
print(json.dumps({
    "cookie": client.cookies.output(header=""),
    "hsts": page["Strict-Transport-Security"],
    "policy": page["Content-Security-Policy"],
    "plain": [plain.status_code, plain["Location"]],
    "session": [settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE,
                settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE],
    "domains": [settings.SESSION_COOKIE_DOMAIN, settings.CSRF_COOKIE_DOMAIN],
}))
"""


def test_over_https_cookies_are_the_hosts_own_and_plain_requests_are_led_there():
    done = run("-c", COOKIES, PACELINE_URL=HTTPS)
    told = json.loads(done.stdout.splitlines()[-1])
    name, *attributes = told["cookie"].strip().split("; ")
    assert name.startswith("__Host-csrftoken=")
    assert {"Secure", "Path=/", "SameSite=Lax"} <= set(attributes)
    assert not any(attribute.startswith("Domain") for attribute in attributes)
    assert told["session"] == ["__Host-sessionid", True, True, "Lax"]
    assert told["domains"] == [None, None]
    assert told["hsts"] == "max-age=31536000; includeSubDomains; preload"
    assert told["plain"] == [301, "https://ads.example/healthz"]
