"""Wherever an address to go on to can be given, nobody is led away from the host that he is on."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from tests.conftest import PASSWORD, make_brand, make_campaign

pytestmark = pytest.mark.usefixtures("clean_cache")

ACME, PLATFORM = "acme.localhost:8000", "localhost:8000"
EVIL = [
    "http://evil.example/",
    "https://evil.example",
    "//evil.example/",
    "///evil.example/",
    "////evil.example",
    "/\\evil.example/",
    "\\\\evil.example/",
    "\\/evil.example/",
    "/\\/evil.example",
    "\\evil.example",
    "http:evil.example",
    "http:/evil.example",
    "http:\\\\evil.example",
    "https:///evil.example",
    "HTTP://EVIL.example",
    "ftp://evil.example/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "http://acme.localhost:8000@evil.example/",
    "//acme.localhost:8000@evil.example/",
    "//evil.example\\@acme.localhost:8000/",
    "http://evil.example#@acme.localhost:8000/",
    "http://evil.example?@acme.localhost:8000/",
    "http://acme.localhost:8000.evil.example/",
    "http://acme.localhost:80000/",
    "//evil%E3%80%82example/",
    "//evil。example/",
    "//ⓔvil.example/",
    "/\t/evil.example/",
    "/\n/evil.example/",
    "\t//evil.example/",
    "\r\n//evil.example",
    "\x00//evil.example/",
    "\x1f//evil.example/",
    " //evil.example/",
    "\u2028//evil.example",
    "http://zeta.localhost:8000/",
    "//zeta.localhost:8000/",
    "http://localhost:8000/",
    "//[::1]/",
    "//[evil/",
    "http://2130706433/",
]


def destination(response: Any, host: str) -> str | None:
    """Return the host to which a browser goes on, or what is no address of the web; None: nowhere.

    Browsers pass over tabs and line ends, leading blanks and control characters, and take a
    backslash for a slash.
    """
    target = response.headers.get("Location") or response.headers.get("HX-Redirect")
    if target is None:
        return None
    seen = re.sub(r"[\t\r\n]", "", target).lstrip("".join(map(chr, range(33)))).replace("\\", "/")
    found = urlsplit(urljoin(f"http://{host}/", re.sub("^/{2,}", "//", seen)))
    return found.netloc if found.scheme in ("http", "https") else target


def log_in(client: Client, target: str) -> Any:
    said = {"login": "ann@acme.example", "password": PASSWORD, "next": target}
    return client.post("/accounts/login/", said)


def log_in_by_query(client: Client, target: str) -> Any:
    said = {"login": "ann@acme.example", "password": PASSWORD}
    return client.post("/accounts/login/", said, query_params={"next": target})


def again(client: Client, target: str) -> Any:
    return client.get("/accounts/login/", {"next": target})


def log_out(client: Client, target: str) -> Any:
    return client.post("/accounts/logout/", {"next": target}, query_params={"next": target})


def reauthenticate(client: Client, target: str) -> Any:
    return client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": target})


def reauthenticate_by_query(client: Client, target: str) -> Any:
    said = {"password": PASSWORD}
    return client.post("/accounts/reauthenticate/", said, query_params={"next": target})


def change_password(client: Client, target: str) -> Any:
    said = {"oldpassword": PASSWORD, "password1": PASSWORD, "password2": PASSWORD, "next": target}
    return client.post("/accounts/password/change/", said, query_params={"next": target})


def sign_up(client: Client, target: str) -> Any:
    return client.get("/accounts/signup/", {"next": target})


def admin_log_in(client: Client, target: str) -> Any:
    return client.get("/admin/login/", {"next": target})


def admin_log_out(client: Client, target: str) -> Any:
    return client.post("/admin/logout/", {"next": target}, query_params={"next": target})


def admin_password(client: Client, target: str) -> Any:
    return client.get("/admin/password_change/", {"next": target})


def landing(client: Client, target: str) -> Any:
    return client.get("/", {"agency": target, "next": target})


def fragment(client: Client, target: str) -> Any:
    # A header has no line ends, and no more than Latin-1.
    shown = re.sub(r"[\r\n\0]|[^\x00-\xff]", "", target)
    return client.get("/", headers={"hx-request": "true", "hx-current-url": shown})


def path_itself(client: Client, target: str) -> Any:
    # As a server hands it on: UTF-8, each byte as a character.
    path = f"//evil.example/{target}".encode().decode("latin-1")
    return client.generic("GET", "/", PATH_INFO=path)


ANYBODYS = [log_in, log_in_by_query, sign_up, admin_log_in, fragment, path_itself]
MEMBERS = [again, log_out, reauthenticate, reauthenticate_by_query, change_password]
MEMBERS += [admin_log_in, admin_log_out, admin_password]


@pytest.fixture(autouse=True)
def without_limits(settings):
    # A corpus logs in more often than any person.
    settings.ACCOUNT_RATE_LIMITS = False


def led_away(door: Callable[[Client, str], Any], client: Client, host: str) -> dict[str, Any]:
    """Return each address of the corpus that leads elsewhere, with where."""
    found = {target: destination(door(client, target), host) for target in EVIL}
    return {target: to for target, to in found.items() if to not in (None, host)}


@pytest.mark.parametrize("door", ANYBODYS)
def test_a_stranger_is_not_led_away(world, door):
    assert led_away(door, Client(HTTP_HOST=ACME), ACME) == {}


@pytest.mark.parametrize("door", MEMBERS)
def test_a_member_is_not_led_away(acme, log_in, door):
    client = log_in("ann@acme.example")
    kept = client.cookies["sessionid"].value
    for target in EVIL:
        client.cookies["sessionid"] = kept
        assert destination(door(client, target), ACME) in (None, ACME), target


def test_a_form_of_the_portal_leads_nobody_away(acme, log_in):
    campaign = make_campaign(make_brand())

    def command(client: Client, target: str) -> Any:
        said = {"status": "PAUSED", "next": target}
        return client.post(f"/campaigns/{campaign.id}/command/", said)

    assert led_away(command, log_in("ann@acme.example"), ACME) == {}


def test_the_staffs_log_in_leads_nobody_away(world):
    from accounts.models import User
    from tenants.contexts import platform_context

    with platform_context():
        User.objects.create_superuser("pat@paceline.example", PASSWORD)

    def enter(client: Client, target: str) -> Any:
        said = {"username": "pat@paceline.example", "password": PASSWORD, "next": target}
        return client.post("/admin/login/", said, query_params={"next": target})

    client = Client(HTTP_HOST=PLATFORM)
    assert led_away(enter, client, PLATFORM) == {}
    assert destination(enter(client, "/admin/tenants/"), PLATFORM) == PLATFORM
    assert led_away(admin_log_out, client, PLATFORM) == {}


def test_the_landing_page_leads_nowhere_but_to_agencies(world):
    found = led_away(landing, Client(HTTP_HOST=PLATFORM), PLATFORM)
    assert set(found.values()) <= {ACME, "zeta.localhost:8000"}


@pytest.mark.parametrize("door", [log_in, log_in_by_query])
def test_an_address_of_ours_is_followed(world, door):
    answer = door(Client(HTTP_HOST=ACME), "/reports/monthly/?month=2026-03")
    assert answer["Location"] == "/reports/monthly/?month=2026-03"
