"""A key, a person and an agency may ask so often in a minute; more is 429, and costs nothing."""

import pytest
import redis
from django.test import Client

from accounts.models import create_api_key
from accounts.roles import Role
from api.resources.docs import description
from kernel.counters import Count
from tests.conftest import make_brand


@pytest.fixture
def limits(settings, counted, acme, zeta):
    """Return a function that sets the limits, with nothing used so far."""

    def set_them(*, key=0, agency=0):
        settings.RATE_LIMIT_PER_KEY, settings.RATE_LIMIT_PER_AGENCY = key, agency

    with redis.Redis.from_url(settings.REDIS_URL) as server:
        for agency in (acme, zeta):
            server.delete("none", *server.keys(f"paceline:rate:{{{agency.schema_name}}}:*"))
    return set_them


def asked(client, times):
    return [client.get("/api/brands/").status_code for _ in range(times)]


def test_more_than_a_minutes_requests_of_a_key_are_429(limits, api):
    limits(key=3)
    client = api("viewer")
    assert asked(client, 4) == [200, 200, 200, 429]
    answer = client.get("/api/brands/")
    wait = int(answer["Retry-After"])
    assert 1 <= wait <= 60
    assert answer.json() == {
        "detail": "Too many requests: at most 3 with one key in a minute."
        f" Try again in {wait} seconds."
    }


def test_another_key_has_a_minute_of_its_own(limits, api):
    limits(key=2)
    assert asked(api("viewer"), 3) == [200, 200, 429]
    assert asked(api("viewer"), 3) == [200, 200, 429]


def test_all_of_an_agency_share_its_minute(limits, api):
    limits(agency=3)
    one, other = api("viewer"), api("manager")
    assert asked(one, 2) + asked(other, 2) == [200, 200, 200, 429]
    assert "at most 3 of one agency" in other.get("/api/brands/").json()["detail"]


def test_another_agency_is_not_held_up(limits, api):
    limits(agency=1, key=1)
    assert asked(api("viewer"), 2) == [200, 429]
    assert asked(api("viewer", "zeta"), 1) == [200]


def test_a_persons_session_counts_as_a_key_does(limits, log_in):
    limits(key=2)
    assert asked(log_in("ann@acme.example"), 3) == [200, 200, 429]
    assert asked(log_in("max@acme.example"), 1) == [200]


def test_what_was_refused_is_counted_by_whose_minute_it_was(
    limits, api, log_in, counted, django_capture_on_commit_callbacks
):
    key, person = api("viewer"), log_in("ann@acme.example")
    with django_capture_on_commit_callbacks(execute=True):
        limits(key=1)
        assert asked(key, 3) + asked(person, 2) == [200, 429, 429, 200, 429]
        limits(agency=1)
        assert asked(key, 2) == [200, 429]
    assert counted() == {
        Count.LIMITED_KEY: 2,
        Count.LIMITED_PERSON: 1,
        Count.LIMITED_AGENCY: 1,
    }


@pytest.mark.parametrize("header", ["", "Api-Key abcdefgh.wrong"])
def test_strangers_do_not_use_an_agencys_minute_up(limits, api, header):
    limits(agency=2)
    stranger = Client(HTTP_HOST="acme.localhost:8000", HTTP_AUTHORIZATION=header)
    assert asked(stranger, 5) == [401] * 5
    assert asked(api("viewer"), 2) == [200, 200]


def test_a_wrong_secret_behind_a_known_prefix_costs_the_key_nothing(limits):
    limits(key=1)
    _, secret = create_api_key(name="probe", role=Role.VIEWER)
    wrong = f"Api-Key {secret.partition('.')[0]}.{'x' * 32}"
    assert asked(Client(HTTP_HOST="acme.localhost:8000", HTTP_AUTHORIZATION=wrong), 3) == [401] * 3
    right = Client(HTTP_HOST="acme.localhost:8000", HTTP_AUTHORIZATION=f"Api-Key {secret}")
    assert asked(right, 2) == [200, 429]


def test_what_is_refused_counts_too(limits, api):
    limits(key=2)
    client = api("viewer")
    assert client.post("/api/brands/", {"name": "N"}, "application/json").status_code == 403
    assert client.get("/api/brands/?page=0").status_code == 400
    assert asked(client, 1) == [429]


def test_nothing_is_done_beyond_the_limit(limits, api):
    limits(key=1)
    client = api("manager")
    client.get("/api/brands/")
    answer = client.post("/api/brands/", {"name": "N"}, "application/json")
    assert (answer.status_code, make_brand("N").name) == (429, "N")


def test_zero_is_no_limit(limits, api):
    limits()
    assert asked(api("viewer"), 30) == [200] * 30


def test_by_default_there_are_ten_thousand(settings):
    assert (settings.RATE_LIMIT_PER_KEY, settings.RATE_LIMIT_PER_AGENCY) == (10_000, 10_000)


def test_without_valkey_the_process_counts_for_itself(settings, api, acme, mute_redis):
    settings.RATE_LIMIT_PER_KEY = 2
    assert asked(api("viewer"), 5) == [200, 200, 429, 429, 429]
    assert asked(api("viewer"), 1) == [200]


def test_every_operation_tells_of_it():
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            assert "429" in operation["responses"], f"{method} {path}"
