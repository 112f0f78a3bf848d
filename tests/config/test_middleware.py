"""Whom to believe about the client, and how much to read."""

from ipaddress import ip_network
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse, UnreadablePostError
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from config.middleware import BodyLimit, TrustedProxies
from serving.server import IS_REFUSED
from tests.config.test_answers import unguarded

FORM = "application/x-www-form-urlencoded"


def seen(settings, *, proxies, **meta):
    settings.TRUSTED_PROXIES = [ip_network(proxy) for proxy in proxies]
    request = RequestFactory().get("/", **meta)
    TrustedProxies(lambda _: HttpResponse())(request)
    return request.META["REMOTE_ADDR"], request.scheme, request.META.get("HTTP_X_FORWARDED_FOR")


FORWARDED = {
    "HTTP_X_FORWARDED_FOR": "6.6.6.6, 9.9.9.9, 10.0.0.2",
    "HTTP_X_FORWARDED_PROTO": "https",
}


def test_a_stranger_is_not_believed(settings):
    told = seen(settings, proxies=["10.0.0.0/8"], REMOTE_ADDR="9.9.9.9", **FORWARDED)
    assert told == ("9.9.9.9", "http", None)


def test_a_proxy_tells_the_last_hop_that_is_none_of_ours(settings):
    told = seen(settings, proxies=["10.0.0.0/8"], REMOTE_ADDR="10.0.0.1", **FORWARDED)
    assert told == ("9.9.9.9", "https", None)


def test_without_proxies_nobody_is_believed(settings):
    assert seen(settings, proxies=[], REMOTE_ADDR="127.0.0.1", **FORWARDED)[1] == "http"


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 400)])
def test_a_body_over_the_limit_is_refused_before_it_is_read(settings, extra, status):
    settings.BODY_BYTES_MAX = 1024 * 1024
    body = b"x" * (1024 * 1024 + extra)
    request = RequestFactory().post("/", body, content_type="text/plain")
    assert BodyLimit(lambda _: HttpResponse())(request).status_code == status


@pytest.mark.parametrize("length", ["-5", "+5", "5.0", "0x5", "\xb2", "٣", "5, 5", "9" * 5000])
def test_a_length_that_is_no_number_is_refused(length):
    request = RequestFactory().post("/", b"five!", "text/plain", CONTENT_LENGTH=length)
    assert BodyLimit(lambda _: HttpResponse())(request).status_code == 400


def test_a_body_of_unknown_length_is_refused_and_not_taken_for_none():
    request = RequestFactory().post("/", b"", "text/plain", HTTP_TRANSFER_ENCODING="chunked")
    assert BodyLimit(lambda _: HttpResponse())(request).status_code == 411


def test_a_body_that_ends_early_is_no_error_of_ours(settings, monkeypatch):
    settings.BODY_BYTES_MAX = 10
    request = RequestFactory().post("/", b"", "text/plain", CONTENT_LENGTH="11")

    def cut_off(*_: object) -> bytes:
        raise UnreadablePostError

    monkeypatch.setattr(request, "read", cut_off)
    assert BodyLimit(lambda _: HttpResponse())(request).status_code == 400


@pytest.mark.parametrize("path", ["/api/spends/batch/", "/api/brands/", "/people/new/", "/admin/"])
@pytest.mark.parametrize(
    "kind", ["application/json", "text/csv", "multipart/form-data; boundary=x"]
)
def test_no_route_reads_more_than_the_limit(acme, log_in, settings, path, kind):
    settings.BODY_BYTES_MAX = 1000
    answer = log_in("ann@acme.example").generic("POST", path, b"x" * 1001, kind)
    assert (answer.status_code, answer.json()) == (400, {"detail": "The body is larger than 0 MB."})


def test_a_form_of_very_many_fields_is_refused(acme, log_in):
    said = {f"field{number}": "" for number in range(1001)}
    for path in ("/people/new/", "/accounts/login/", "/admin/budgets/brand/add/"):
        for data in (said, urlencode(said)):
            kind = {} if isinstance(data, dict) else {"content_type": FORM}
            answer = log_in("ann@acme.example").post(path, data, **kind)
            assert answer.status_code == 400, path


def test_a_form_of_very_many_files_is_refused(acme, log_in):
    files = {f"file{number}": SimpleUploadedFile("x.txt", b"x") for number in range(101)}
    assert log_in("ann@acme.example").post("/people/new/", files).status_code == 400


@pytest.mark.parametrize("body", [b"", b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: \xff"])
def test_a_broken_multipart_body_is_no_error_of_ours(acme, log_in, body):
    kind = "multipart/form-data; boundary=x"
    answer = log_in("ann@acme.example").generic("POST", "/people/new/", body, kind)
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize(
    ("path", "kind"), [("/api/brands/", "application/json"), ("/", "text/html")]
)
def test_a_request_without_room_is_refused_before_it_costs_anything(world, path, kind):
    client = Client(HTTP_HOST="acme.localhost:8000")
    client.defaults[IS_REFUSED] = "1"
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    assert (answer.status_code, answer["Retry-After"], len(queries)) == (503, "5", 0)
    assert answer["Content-Type"].startswith(kind)
    assert "Try again in a few seconds." in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert unguarded(answer) == []


def test_nobody_can_ask_to_be_refused(world):
    """What a client sends is a header, which has another name in the environ."""
    answer = Client(HTTP_HOST="acme.localhost:8000").get("/healthz", HTTP_SERVING_IS_REFUSED="1")
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/api/brands/", "/"])
def test_a_request_that_goes_on_for_too_long_ends_at_its_next_statement(
    acme, log_in, settings, path
):
    client = log_in("ann@acme.example")
    settings.REQUEST_SECONDS_MAX = -1
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert "This took too long." in answer.content.decode()
    settings.REQUEST_SECONDS_MAX = 60
    assert client.get(path).status_code == 200
