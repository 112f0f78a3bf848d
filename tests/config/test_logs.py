"""A line tells the event, the agency, the request and the actor; never a secret, never a person."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from django.core import mail
from django.db import IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from accounts.models import User, create_api_key
from accounts.roles import Role
from config.celery import begin_with_an_id, end_with_none, send_the_request_along
from config.logs import make_formatter
from config.middleware import TrustedProxies
from config.request_log import RequestLog
from kernel.request import bind_request_id, current_request_id, is_request_id
from portal.views import dashboard
from tests.conftest import PASSWORD

ACME = "acme.localhost:8000"
Written = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def text() -> Iterator[io.StringIO]:
    """What the log's handler writes while the test runs, as JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(make_formatter("json"))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def written(text: io.StringIO) -> Written:
    """Return a function that tells the lines so far."""
    return lambda: [json.loads(line) for line in text.getvalue().splitlines()]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Return a function that lets the dashboard fail."""

    def fail_with(error: Exception) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            canary = "local-canary"
            assert canary
            raise error

        monkeypatch.setattr(dashboard, "dashboard", fail)

    return fail_with


def test_a_request_is_one_line(acme, api, written):
    answer = api("viewer").get("/api/brands/?search=canary")
    [line] = [line for line in written() if line["event"] == "request"]
    assert line.pop("ms") > 0
    key = line.pop("actor")
    assert re.fullmatch(r"key:[0-9a-f-]{36}", key)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("at"))
    assert line == {
        "level": "INFO",
        "logger": "config.requests",
        "event": "request",
        "agency": "acme",
        "request_id": answer["X-Request-ID"],
        "method": "GET",
        "route": "/api/brands/",
        "status": 200,
    }


def test_a_person_is_told_by_id(acme, log_in, written):
    ann = User.objects.get(email="ann@acme.example")
    log_in("ann@acme.example").get("/people/")
    assert [line["actor"] for line in written()] == [f"person:{ann.id}"]


def test_the_platforms_own_site_is_no_agency(world, written):
    Client(HTTP_HOST="localhost:8000").get("/")
    assert [(line["agency"], line["route"]) for line in written()] == [(None, "/")]


def test_an_unknown_host_is_a_line_too(world, written):
    answer = Client(HTTP_HOST="nobody.example").get("/canary/?canary=1")
    [line] = written()
    assert (line["status"], line["route"]) == (404, None)
    assert line["request_id"] == answer["X-Request-ID"]


def test_all_lines_of_a_request_carry_its_id_and_those_after_it_do_not(
    acme, log_in, failing, written
):
    failing(ValueError())
    client = log_in("ann@acme.example")
    client.raise_request_exception = False
    answer = client.get("/")
    failed, request = written()
    assert (failed["event"], request["event"]) == ("request failed", "request")
    assert failed["request_id"] == request["request_id"] == answer["X-Request-ID"]
    assert failed["actor"] == request["actor"]
    assert current_request_id() == ""


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("7f3c", True),
        ("a.b-c_d", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("---", False),
        ("a b", False),
        ("a\nb", False),
        ("ä", False),
        ('"', False),
    ],
)
def test_an_id_is_a_short_word(text, is_one):
    assert is_request_id(text) is is_one


@pytest.mark.parametrize(("proxy", "is_taken"), [("10.0.0.1", True), ("9.9.9.9", False)])
def test_a_proxys_id_is_taken_over_and_nobody_elses(settings, proxy, is_taken):
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(current_request_id())
        return HttpResponse()

    request = RequestFactory().get("/", REMOTE_ADDR=proxy, HTTP_X_REQUEST_ID="from-outside")
    answer = TrustedProxies(RequestLog(view))(request)
    assert (answer["X-Request-ID"] == "from-outside") is is_taken
    assert seen == [answer["X-Request-ID"]]


def test_a_line_outside_of_requests_is_the_systems(text, written):
    bind_request_id("task-1")
    logging.getLogger("campaigns").warning("hello %s", "there")
    bind_request_id("")
    [line] = written()
    assert (line["event"], line["actor"], line["request_id"]) == ("hello there", "system", "task-1")


def test_a_task_goes_on_with_the_id_of_the_request_that_asked_for_it():
    headers: dict[str, Any] = {}
    bind_request_id("from-a-request")
    send_the_request_along(headers=headers)
    end_with_none()
    assert current_request_id() == ""
    begin_with_an_id(task=SimpleNamespace(request=headers), task_id="its-own")
    assert current_request_id() == "from-a-request"
    begin_with_an_id(task=SimpleNamespace(request={}), task_id="its-own")
    assert current_request_id() == "its-own"
    end_with_none()


def test_for_people_it_is_a_plain_line():
    record = logging.LogRecord("x.y", logging.INFO, "", 0, "swept\nagain", (), None)
    line = make_formatter("line").format(record)
    assert re.fullmatch(r"\S+Z INFO x\.y swept\\nagain actor=system", line)


# No secrets, no people ------------------------------------------------------------------------


def test_an_error_tells_its_kind_and_its_way_and_nothing_that_was_typed(
    acme, log_in, failing, text, written
):
    failing(IntegrityError("Key (email)=(canary@x.example) of Carla Canary already exists"))
    client = log_in("ann@acme.example")
    client.raise_request_exception = False
    assert client.get("/?q=query-canary").status_code == 500
    [failed] = [line for line in written() if line["event"] == "request failed"]
    assert (failed["error"], failed["status"], failed["agency"]) == ("IntegrityError", 500, "acme")
    assert "dashboard.py" in failed["traceback"]
    assert "anary@" not in text.getvalue()
    assert "Carla" not in text.getvalue()
    assert "query-canary" not in text.getvalue()


def test_what_a_server_says_is_told(text, written):
    try:
        raise OperationalError("the database is starting up")
    except OperationalError:
        logging.getLogger("x").exception("no luck")
    assert "OperationalError: the database is starting up" in written()[0]["traceback"]


def test_the_causes_of_an_error_are_told(text, written):
    try:
        try:
            raise KeyError("canary")
        except KeyError as error:
            raise ValueError("canary") from error
    except ValueError:
        logging.getLogger("x").exception("no luck")
    trace = written()[0]["traceback"]
    assert trace.index("builtins.KeyError\n") < trace.index("Then:") < trace.index("ValueError")


def test_an_answer_that_breaks_on_its_way_does_not_tell_its_address(text, written):
    logger = logging.getLogger("waitress")
    assert not logger.isEnabledFor(logging.WARNING)
    assert not logging.getLogger("gunicorn.error").isEnabledFor(logging.WARNING)
    try:
        raise ValueError("canary")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
        said = "Exception while serving %s"
        record = logger.makeRecord(
            logger.name, logging.ERROR, "", 0, said, ("/canary?canary",), info
        )
    line = json.loads(make_formatter("json").format(record))
    assert (line["event"], line["error"]) == ("answer broken off", "ValueError")
    assert "/canary" not in str(line)


def test_a_task_that_fails_is_told_by_its_name_and_not_by_its_arguments(text, written):
    app = Celery("test", broker="memory://", set_as_current=False)

    @app.task(name="test.fail")
    def fail(address: str) -> None:
        raise ValueError(address)

    fail.apply(args=["canary@x.example"])
    [line] = [line for line in written() if line["logger"] == "celery.app.trace"]
    assert (line["event"], line["task"], line["error"]) == (
        "task failed",
        "test.fail",
        "ValueError",
    )
    assert "anary" not in text.getvalue()


def test_no_canary_of_any_request_gets_into_the_log(acme, log_in, api, failing, text):
    """Log-ins, links, keys, cookies and bodies, refused and accepted, and one that fails."""
    _, secret = create_api_key(name="Canary key", role=Role.MANAGER)
    nobody = Client(HTTP_HOST=ACME, REMOTE_ADDR="10.9.8.7")
    for password in ("wrong-canary", PASSWORD):
        nobody.post("/accounts/login/", {"login": "ann@acme.example", "password": password})
    nobody.post("/accounts/password/reset/", {"email": "max@acme.example"})
    link = re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert link is not None
    nobody.get(link[1])
    nobody.get(link[1] + "?email=max@acme.example")
    key = Client(HTTP_HOST=ACME, HTTP_AUTHORIZATION=f"Api-Key {secret}")
    body = {"name": "Canary brand", "currency": "USD"}
    key.post("/api/brands/?x=query-canary", body, "application/json")
    key.post("/api/brands/", body, "application/json")
    key.post("/api/brands/", b'{"canary', "application/json")
    wrong = f"Api-Key {secret[:-4]}xxxx"
    Client(HTTP_HOST=ACME, HTTP_AUTHORIZATION=wrong).get("/api/brands/")
    careful = Client(HTTP_HOST=ACME, enforce_csrf_checks=True)
    careful.post(
        "/accounts/login/?canary", {"login": "canary"}, HTTP_ORIGIN="http://canary.example"
    )
    Client(HTTP_HOST="canary_host.example").get("/canary")
    ann = log_in("ann@acme.example")
    ann.post("/people/new/", {"email": "canary@x.example", "name": "Canary", "role": "viewer"})
    failing(ValueError(f"canary {secret} canary@x.example"))
    ann.raise_request_exception = False
    assert ann.get("/?q=canary").status_code == 500
    said = text.getvalue()
    assert len(said.splitlines()) >= 12
    leaked = ["anary", PASSWORD, secret, secret.partition(".")[2], "@", link[1], "sessionid"]
    leaked += [cookie.value for cookie in (*ann.cookies.values(), *nobody.cookies.values())]
    assert [word for word in leaked if word in said.replace("local-canary", "")] == []


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("mail to ann@acme.example failed", "mail to [e-mail] failed"),
        ("<Ann.B+x@acme.co.uk>, more", "<[e-mail]>, more"),
        ("redis://user:hunter2@cache:6379/0", "redis://[credentials]@cache:6379/0"),
        ("key abcdEF12." + "x" * 32, "key [key]"),
        ("agency=acme id=019b9c3a-7b9e-7d00-8000-000000000000 at 12:00:00.123", None),
    ],
)
def test_what_looks_like_a_person_or_a_secret_is_taken_out(text, written, said, kept):
    logging.getLogger("library").warning(said)
    assert written()[0]["event"] == (kept or said)
