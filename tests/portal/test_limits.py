"""The pages of people count in the limits of the API; strangers' don't."""

import pytest
import redis
from django.conf import settings as configured
from django.test import Client

from kernel.counters import Count
from tests.conftest import make_brand


@pytest.fixture
def limits(settings, counted, world):
    """Return a function that sets the limits, with nothing used so far."""

    def set_them(*, key=0, agency=0):
        settings.RATE_LIMIT_PER_KEY, settings.RATE_LIMIT_PER_AGENCY = key, agency

    with redis.Redis.from_url(configured.REDIS_URL) as server:
        for agency in (world.acme, world.zeta):
            server.delete("none", *server.keys(f"paceline:rate:{{{agency.schema_name}}}:*"))
    return set_them


@pytest.mark.parametrize("path", ["/", "/brands/", "/admin/budgets/brand/", "/accounts/email/"])
def test_more_pages_than_a_minute_has_are_429(limits, acme, log_in, path):
    make_brand()
    client = log_in("ann@acme.example")
    limits(key=2)
    assert [client.get(path).status_code for _ in range(3)][1:] == [200, 429]
    answer = client.get(path)
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert "no-store" in answer["Cache-Control"]
    assert "at most 2 by one person in a minute" in answer.content.decode()
    assert log_in("max@acme.example").get("/").status_code == 200


def test_pages_and_the_api_share_a_persons_minute(limits, acme, log_in):
    client = log_in("ann@acme.example")
    limits(key=2)
    assert client.get("/").status_code == 200
    assert client.get("/api/brands/").status_code == 200
    assert client.get("/api/brands/").status_code == 429
    assert client.get("/").status_code == 429


def test_a_stranger_uses_nobodys_minute_up(limits, acme, log_in):
    limits(agency=3)
    strangers = Client(HTTP_HOST="acme.localhost:8000")
    forger = Client(HTTP_HOST="acme.localhost:8000")
    forger.cookies[configured.SESSION_COOKIE_NAME] = "x" * 32
    for client in (strangers, forger):
        for _ in range(5):
            assert client.get("/accounts/login/").status_code == 200
            assert client.get("/static/portal/portal.js").status_code == 200
    assert log_in("ann@acme.example").get("/").status_code == 200


def test_another_agencys_people_have_minutes_of_their_own(limits, acme, log_in):
    limits(agency=1)
    ann = log_in("ann@acme.example")
    assert [ann.get("/").status_code for _ in range(2)] == [200, 429]
    assert log_in("zoe@zeta.example").get("/").status_code == 200


def test_what_was_refused_is_counted(
    limits, acme, log_in, counted, django_capture_on_commit_callbacks
):
    client = log_in("ann@acme.example")
    limits(key=1)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            client.get("/")
    assert counted()[Count.LIMITED_PERSON] == 2
