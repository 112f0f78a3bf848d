"""A forged Host, X-Forwarded-* and the like change nothing."""

import re
from ipaddress import ip_network
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("clean_cache")

ACME = "acme.localhost:8000"
FORGED = {
    "X-Forwarded-Host": "zeta.localhost:8000",
    "X-Forwarded-Server": "zeta.localhost",
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Scheme": "https",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil",
    "X-Real-IP": "6.6.6.6",
    "Forwarded": "for=6.6.6.6;host=evil.example;proto=https",
    "X-Host": "zeta.localhost:8000",
    "X-Original-Host": "zeta.localhost:8000",
    "X-Original-URL": "/people/",
    "X-Rewrite-URL": "/people/",
    "X-HTTP-Method-Override": "DELETE",
    "X-Request-ID": "forged",
    "X-Script-Name": "/evil",
    "Front-End-Https": "on",
    "CF-Connecting-IP": "6.6.6.6",
    "True-Client-IP": "6.6.6.6",
    "Via": "1.1 evil.example",
}
HOSTS = [
    "evil.example",
    "acme.localhost.evil.example",
    "evil.example:8000",
    "acme.localhost@evil.example",
    "evil.example/acme.localhost",
    "acme.localhost, zeta.localhost",
    "acme.localhost zeta.localhost",
    "acme_localhost",
    "acme.localhost:x",
    "acme.localhost:8000:8000",
    ".localhost",
    "..localhost",
    "*.localhost",
    "%61cme.localhost",
    "acme.localhost\\@evil.example",
    "x.acme.localhost",
    "[::1]",
    "127.0.0.1",
    "acme",
    "a" * 300,
    "acme.localhost\0",
    "ácme.localhost",
    "public.localhost",
    "www.localhost",
]
# What differs from answer to answer by itself.
_OWN = re.compile(r'(name="csrfmiddlewaretoken" value|hx-headers|content|data-at)="[^"]*"')


def shown(response: Any) -> tuple[Any, ...]:
    # `Expires` tells the second of the answer.
    own = ("X-Request-ID", "Expires")
    headers = {k: v for k, v in response.headers.items() if k not in own}
    body = b"".join(response) if response.streaming else response.content
    return response.status_code, headers, _OWN.sub("", body.decode())


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_of_nobodys_is_404_without_a_hint(world, host):
    for path in ("/", "/admin/", "/api/brands/", "/accounts/login/", "/healthz"):
        answer = Client(HTTP_HOST=host).get(path)
        assert (answer.status_code, answer.content) == (404, b"Not found.\n")
        assert "Location" not in answer.headers


@pytest.mark.parametrize("header", sorted(FORGED))
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/api/brands/", "/nowhere/", "/brands"])
def test_a_forged_header_changes_no_answer(world, header, path):
    plain, forged = Client(HTTP_HOST=ACME), Client(HTTP_HOST=ACME)
    assert shown(forged.get(path, headers={header: FORGED[header]})) == shown(plain.get(path))


def test_all_of_them_together_change_no_page_of_a_member(acme, log_in):
    client = log_in("ann@acme.example")
    for path in ("/people/", "/api/brands/?page_size=1", "/admin/"):
        assert shown(client.get(path, headers=FORGED)) == shown(client.get(path))


def test_a_mailed_link_has_the_stored_address(world):
    client = Client(HTTP_HOST="ACME.localhost:9999")
    client.post("/accounts/password/reset/", {"email": "ann@acme.example"}, headers=FORGED)
    links = re.findall(r"https?://[^/\s]+", str(mail.outbox[0].body))
    assert set(links) == {"http://acme.localhost:8000"}


def test_failures_are_counted_by_the_true_address(world):
    """Who invents an address for each try is still slowed down."""
    told = ""
    for number in range(12):
        client = Client(HTTP_HOST=ACME, REMOTE_ADDR="9.9.9.9")
        answer = client.post(
            "/accounts/login/",
            {"login": "ann@acme.example", "password": "guess"},
            headers={"X-Forwarded-For": f"6.6.6.{number}"},
        )
        told += answer.content.decode()
    assert "Too many" in told


def test_a_plain_request_that_claims_to_be_https_is_led_there(world, settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = Client(HTTP_HOST=ACME).get("/", headers={"X-Forwarded-Proto": "https"})
    assert (answer.status_code, answer["Location"]) == (301, "https://acme.localhost:8000/")


def test_an_unknown_host_is_not_led_to_https(world, settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = Client(HTTP_HOST="evil.example").get("/")
    assert (answer.status_code, "Location" in answer.headers) == (404, False)


def test_our_own_proxy_may_say_so(world, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1/32")]
    client = Client(HTTP_HOST=ACME)
    answer = client.post(
        "/accounts/login/",
        {"login": "ann@acme.example", "password": PASSWORD},
        headers={"X-Forwarded-Proto": "https"},
    )
    assert answer["Location"] == "/"
