"""Whom to believe about the client, and how much to read."""

from ipaddress import ip_network

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.middleware import BodyLimit, TrustedProxies


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


def test_a_length_that_is_no_number_is_refused():
    request = RequestFactory().post("/", b"", content_type="text/plain", CONTENT_LENGTH="-5")
    assert BodyLimit(lambda _: HttpResponse())(request).status_code == 400
