"""What Prometheus asks for: on the platform's host, behind a token, true for all processes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from campaigns import tasks
from config import metrics
from config.metrics import COUNTERS
from kernel import counters
from kernel.counters import Count
from tenants import claims
from tenants.claims import Report
from tenants.contexts import platform_context
from tenants.models import Agency
from tenants.queries import service_state
from tests.conftest import NOON

PLATFORM, ACME = "localhost:8000", "acme.localhost:8000"
TOKEN = "swordfish-and-some-more"


@pytest.fixture
def token(settings) -> str:
    settings.METRICS_TOKEN = TOKEN
    return f"Bearer {TOKEN}"


def scrape(token: str) -> dict[str, float]:
    """Return every sample by its name and the value of its label."""
    response = Client(HTTP_HOST=PLATFORM).get("/metrics", HTTP_AUTHORIZATION=token)
    assert response.status_code == 200
    return {
        ":".join([sample.name.removeprefix("paceline_"), *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def test_without_a_setting_there_is_no_such_page(world):
    client = Client(HTTP_HOST=PLATFORM)
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer ").status_code == 404


@pytest.mark.parametrize(
    "given", [None, "", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer ä"]
)
def test_without_the_token_it_is_401(world, token, given):
    headers = {} if given is None else {"HTTP_AUTHORIZATION": given}
    response = Client(HTTP_HOST=PLATFORM).get("/metrics", **headers)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
    assert b"paceline_" not in response.content


def test_an_agencys_host_has_no_such_page(world, token):
    assert Client(HTTP_HOST=ACME).get("/metrics", HTTP_AUTHORIZATION=token).status_code == 404


def test_it_is_only_read_and_nobody_keeps_it(world, token, counted):
    client = Client(HTTP_HOST=PLATFORM, HTTP_AUTHORIZATION=token)
    assert client.post("/metrics").status_code == 405
    response = client.get("/metrics")
    assert response["Content-Type"].startswith("text/plain; version=")
    assert "no-store" in response["Cache-Control"]


def test_every_count_is_told_from_zero_on(world, token, counted):
    told = scrape(token)
    for count in Count:
        name, _, label = count.partition(":")
        assert told[f"{name}_total" + f":{label}" * bool(label)] == 0
    assert {count.partition(":")[0] for count in Count} == set(COUNTERS)


def test_counts_are_told(world, token, counted, django_db_blocker):
    counters._send({Count.RETRIED_DEADLOCK: 2, Count.SWEEP_SECONDS: 0.25})
    told = scrape(token)
    assert told["transaction_retries_total:deadlock"] == 2
    assert told["transaction_retries_total:serialization"] == 0
    assert told["sweep_seconds_total"] == 0.25


def test_gauges_tell_which_agencies_are_due_and_which_are_taken(world):
    with platform_context():
        agencies = Agency.objects
        agencies.update(
            next_check_at=NOON + timedelta(hours=1),
            full_sweep_at=NOON + timedelta(hours=1),
        )
        for agency in agencies.all():
            claims.settle(agency, Report(0.1), now=NOON - timedelta(seconds=30))
        agencies.update(next_check_at=NOON + timedelta(hours=1))
        claims.beat(now=NOON)
        before = service_state(now=NOON)
        agencies.filter(slug="acme").update(next_check_at=NOON)
        due = service_state(now=NOON)
        claims.claim_due(now=NOON)
        taken = service_state(now=NOON + timedelta(seconds=10))
    assert before == (2, 0, 0, 0, 30, 0)
    assert due == (2, 1, 0, 0, 30, 0)
    assert taken == (2, 0, 1, 0, 40, 10)


def test_an_inactive_agency_is_none_of_them(world, token, counted):
    assert scrape(token)["agencies:active"] == 2
    with platform_context():
        Agency.objects.filter(slug="zeta").update(is_active=False)
    assert scrape(token)["agencies:active"] == 1


def test_gauges_take_one_statement(world, django_assert_num_queries):
    with platform_context():
        # The context sends its path with its first statement.
        assert Agency.objects.exists()
        with django_assert_num_queries(1):
            service_state(now=NOON)


def test_without_a_tick_there_is_no_age_of_one(world, token, counted):
    assert "last_tick_age_seconds" not in scrape(token)
    with platform_context():
        claims.beat(now=datetime.now(UTC))
    assert "last_tick_age_seconds" in scrape(token)


def test_without_redis_the_gauges_stay(world, token, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    told = scrape(token)
    assert (told["up:redis"], told["up:database"]) == (0, 1)
    assert told["agencies:active"] == 2
    assert "ticks_total" not in told


def test_without_the_database_the_counters_stay(world, token, counted, monkeypatch):
    def fail(**_):
        raise OperationalError("away")

    monkeypatch.setattr(metrics, "service_state", fail)
    told = scrape(token)
    assert (told["up:redis"], told["up:database"]) == (1, 0)
    assert told["ticks_total"] == 0
    assert "agencies:active" not in told


def test_a_tick_and_the_sweep_that_it_asks_for_are_counted(own_agency, counted, monkeypatch):
    monkeypatch.setattr(tasks.sweep_agencies, "apply_async", lambda **_: None)
    with platform_context():
        tasks.tick()
        tasks.sweep_agencies([own_agency.pk], [own_agency.pk])
        monkeypatch.setattr("campaigns.sweep.all_brands", lambda: 1 / 0)
        tasks.sweep_agencies([own_agency.pk], [own_agency.pk])
        Agency.objects.update(claimed_until=None)
    told = counted()
    assert told.pop(Count.SWEEP_SECONDS) > 0
    assert told == {Count.TICK: 1, Count.AGENCY_SWEPT: 2, Count.SWEEP_FAILED: 1}
