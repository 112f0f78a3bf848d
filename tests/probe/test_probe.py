"""The other agency at the door: every route, method and caller, with own ids and with its.

Zeta has one of everything, with a word in each of its texts that nothing else carries. Whoever
asks at Acme, or at the platform, must never be answered with it: not in a body or a header, not in
a mail, a file or a line of the log.
"""

import json
import logging
import re
from collections.abc import Iterator

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core import mail
from django.db import transaction
from django.test import Client

from accounts.invitations import invite
from accounts.models import User, create_api_key
from accounts.roles import Role
from kernel.actor import Actor, ActorKind
from tenants.contexts import platform_context, tenant_context
from tests.access.routes import Route, every_route
from tests.access.world import Things, add_people, ask, client_of, make_world
from tests.config.routes import addresses, first_row
from tests.conftest import NOON

WORD = "Kestrel"
ACME, ZETA = "acme.localhost:8000", "zeta.localhost:8000"
ANONYMOUS = "anonymous"
STAFF = "platform staff"
CALLERS = [ANONYMOUS, *(role.value for role in Role), STAFF]
FACES = ("api", "portal", "admin", "accounts")


@pytest.fixture
def theirs(world) -> Things:
    with tenant_context(world.zeta):
        return add_people(make_world(WORD), WORD.lower())


@pytest.fixture
def own(theirs, acme) -> Things:
    """Ours; with it, Acme's context is entered."""
    return add_people(make_world("Own"), "own")


@pytest.fixture
def log(caplog) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO):
        yield caplog


def caller(name: str, face: str, own: Things) -> Client:
    """Return who asks: nobody, one of Acme's people or keys, or the platform's staff with the
    cookies of its own site."""
    if name == ANONYMOUS:
        return Client(HTTP_HOST=ACME)
    if name == STAFF:
        return staff(host=ACME)
    brands = [own["brand"]] if name == Role.CLIENT_VIEWER else None
    return client_of(Role(name), face, brands)


def staff(*, host: str) -> Client:
    with platform_context():
        person = User.objects.create_superuser("pat@paceline.example", name="Pat")
        client = Client(HTTP_HOST="localhost:8000")
        client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    client.defaults["HTTP_HOST"] = host
    return client


def leaks(text: str, *, asked_with: str = "") -> bool:
    """Return whether a text holds Zeta's word, beyond what was in the question itself."""
    for piece in re.findall(rf"[\w-]*{WORD}[\w-]*", asked_with, re.IGNORECASE):
        text = text.replace(piece, "")
    return WORD.lower() in text.lower()


def test_the_word_is_in_zetas_own_answers(world, theirs):
    """Or its absence elsewhere would prove nothing."""
    with tenant_context(world.zeta):
        _, secret = create_api_key(name="probe", role=Role.OWNER)
        client = Client(HTTP_HOST=ZETA, HTTP_AUTHORIZATION=f"Api-Key {secret}")
        for path in ("brands", "campaigns", "spends", "shared-schedules", "trail"):
            answer = ask(client, "GET", f"/api/{path}/")
            assert answer.status_code == 200
            assert leaks(answer.text_), path


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("name", CALLERS)
def test_no_answer_of_an_agency_holds_anothers_word(own, theirs, log, capsys, face, name):
    client, found, probes = caller(name, face, own), [], 0
    mail.outbox.clear()
    routes = [route for route in every_route() if route.face == face]
    for route in routes:
        for method in route.methods:
            for things in (own, theirs) if _has_ids(route) else (own,):
                answer = ask(client, method, route.address(things))
                assert answer.status_code < 500, (method, route.pattern)
                probes += 1
                if leaks(answer.text_):
                    found.append(f"{method} {route.pattern}")
                if things is theirs and "status_change" not in route.kinds:
                    # (Those are numbers, which both have.) Nobody is told that it is there.
                    assert answer.status_code != 200 or method == "GET", (method, route.pattern)
    found += [f"mail: {message.subject}" for message in mail.outbox if leaks(_told(message))]
    found += [f"log: {line}" for line in log.messages if leaks(line)]
    with capsys.disabled():
        print(
            f"\nprobe: {name} at {face}: routes {len(routes)}, probes {probes}, leaks {len(found)}"
        )
    assert not found


def _has_ids(route: Route) -> bool:
    return bool(set(route.kinds) - {"day"})


def _told(message: mail.EmailMessage) -> str:
    return "\n".join([str(message.subject), str(message.body), *message.to])


@pytest.mark.parametrize("is_staff", [False, True])
def test_no_answer_of_the_platform_holds_an_agencys_word(own, theirs, log, capsys, is_staff):
    client = staff(host="localhost:8000") if is_staff else Client(HTTP_HOST="localhost:8000")
    with platform_context():
        found = addresses("config.urls_public", lambda _, at: first_row(at))
        for route, address in found.items():
            for method in ("GET", "POST"):
                answer = ask(client, method, address)
                assert answer.status_code < 500, (method, route)
                assert not leaks(answer.text_), (method, route)
                assert "own brand" not in answer.text_.lower(), (method, route)
    assert not [line for line in log.messages if leaks(line)]
    with capsys.disabled():
        who = STAFF if is_staff else ANONYMOUS
        print(f"\nprobe: {who} at the platform: routes {len(found)}, leaks 0")


# What is Zeta's, presented at Acme ---------------------------------------------------------------


@pytest.fixture
def zetas_session(world, theirs) -> Client:
    """The browser of Zeta's owner, led to Acme's host with all of its cookies."""
    client = Client(HTTP_HOST=ZETA)
    with tenant_context(world.zeta):
        zoe = User.objects.get(email="zoe@zeta.example")
        client.force_login(zoe, "django.contrib.auth.backends.ModelBackend")
        assert client.get("/").status_code == 200
    client.defaults["HTTP_HOST"] = ACME
    return client


@pytest.fixture
def zetas_key(world, theirs) -> Client:
    with tenant_context(world.zeta):
        _, secret = create_api_key(name="probe", role=Role.OWNER)
    return Client(HTTP_HOST=ACME, HTTP_AUTHORIZATION=f"Api-Key {secret}")


def test_anothers_session_is_nobodys(own, theirs, zetas_session):
    for route in every_route():
        if route.face in ("portal", "admin", "api"):
            for things in (own, theirs):
                answer = ask(zetas_session, "GET", route.address(things))
                assert answer.status_code in (302, 401, 403, 404, 405) or _is_open(route), (
                    route.pattern
                )
                assert not leaks(answer.text_), route.pattern
                assert "own brand" not in answer.text_.lower(), route.pattern


def test_anothers_key_is_nobodys(own, theirs, zetas_key):
    for route in every_route():
        if route.face == "api" and not _is_open(route):
            for method in route.methods:
                answer = ask(zetas_key, method, route.address(theirs))
                assert answer.status_code in (401, 404), (method, route.pattern)
                assert not leaks(answer.text_), route.pattern


def _is_open(route: Route) -> bool:
    """Whether everybody may read it: the description of the API, and what loads with a page."""
    return route.pattern.startswith(("api/schema", "api/docs", "healthz", "admin/jsi18n", "static"))


FORGED = [
    {"HTTP_X_FORWARDED_HOST": ZETA},
    {"HTTP_X_HOST": ZETA},
    {"HTTP_FORWARDED": f"host={ZETA}"},
    {"HTTP_X_ORIGINAL_URL": f"http://{ZETA}/"},
    {"HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_X_FORWARDED_HOST": ZETA},
    {"HTTP_X_TENANT": "zeta"},
]


@pytest.mark.parametrize("headers", FORGED)
def test_no_header_leads_to_another_agency(own, theirs, api, headers):
    answer = api("owner").get("/api/brands/", headers=None, **headers)
    assert [brand["name"] for brand in answer.json()["results"]] == ["Own brand"]


@pytest.mark.parametrize("path", ["/api/status-changes/", "/api/trail/", "/api/spends/"])
def test_anothers_cursor_leads_nowhere(world, own, theirs, api, path):
    theirs_first = api("owner", "zeta").get(path, {"limit": "1", "page_size": "1"}).json()
    words = {
        name: str(value).rpartition("=")[2]
        for name, value in theirs_first.items()
        if name in ("next", "previous") and value
    }
    for word in [*words.values(), "0", "1"]:
        for name in ("cursor", "after", "before", "page"):
            answer = ask(api("owner"), "GET", f"{path}?{name}={word}")
            assert answer.status_code < 500
            assert not leaks(answer.text_), (name, word)


def test_an_answer_that_another_agency_was_given_is_not_replayed(own, theirs, api):
    body = {"name": f"{WORD} replayed"}
    key = {"HTTP_IDEMPOTENCY_KEY": "the-same-key"}
    first = api("owner", "zeta").post("/api/brands/", body, "application/json", **key)
    assert first.status_code == 201
    second = api("owner").post("/api/brands/", {"name": "Own two"}, "application/json", **key)
    assert second.status_code == 201
    assert "Idempotent-Replayed" not in second.headers
    assert not leaks(second.content.decode())


def test_signed_and_mailed_links_of_another_agency_open_nothing(world, own, theirs):
    by = Actor(ActorKind.PERSON, "zoe", "Zoe")
    with tenant_context(world.zeta):
        zoe = User.objects.get(email="zoe@zeta.example")
        reset = f"{user_pk_to_url_str(zoe)}-{default_token_generator.make_token(zoe)}"
        _, token = invite(email="new@zeta.example", role=Role.OWNER, now=NOON, by=by)
    client = Client(HTTP_HOST=ACME)
    for path in (f"/accounts/password/reset/key/{reset}/", f"/invitations/{token}/"):
        for method in ("GET", "POST"):
            answer = client.generic(method, path, follow=False)
            while answer.status_code == 302:
                answer = client.get(answer.headers["Location"])
            body = answer.content.decode()
            assert not leaks(body), path
            assert 'name="password' not in body, path
            assert "zoe@zeta.example" not in body
    with tenant_context(world.zeta):
        zoe.refresh_from_db()
        assert not User.objects.filter(email="new@zeta.example").exists()


def test_what_is_posted_to_ones_own_never_lands_with_another(world, own, theirs, api):
    """A body that names Zeta's rows is refused, and Zeta's rows are as they were."""
    client = api("owner")
    spend = {"campaign": theirs["campaign"], "amount": "5", "spend_date": "2026-03-02"}
    bodies = {
        "/api/spends/": spend,
        "/api/spends/batch/": {"rows": [spend]},
        "/api/campaigns/": {"brand": theirs["brand"], "name": "New"},
        "/api/schedules/": {
            "campaign": theirs["campaign"],
            "day_of_week": 1,
            "start_time": "09:00",
            "end_time": "10:00",
        },
    }
    for path, body in bodies.items():
        with transaction.atomic():
            answer = client.post(path, json.dumps(body), "application/json")
        assert answer.status_code in (400, 404, 422), path
        assert not leaks(answer.content.decode()), path
