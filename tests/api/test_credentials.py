"""Who enters: keys and sessions, on their own agency's host only; and what a role may do there."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import ApiKey, User, create_api_key
from accounts.roles import Role
from campaigns.models import Campaign
from campaigns.services.spend import NewSpend, record_spend
from dayparting.models import Window
from tests.api.conftest import Api
from tests.conftest import ANN, NOBODY, NOON, make_brand, make_campaign

SOME_ID = NOBODY
READ = [
    "brands/",
    f"brands/{SOME_ID}/",
    "budgets/",
    f"budgets/{SOME_ID}/",
    "campaigns/",
    f"campaigns/{SOME_ID}/",
    f"campaigns/{SOME_ID}/holds/",
    "spends/",
    "spends/?format=csv",
    f"spends/{SOME_ID}/",
    "schedules/",
    f"schedules/{SOME_ID}/",
    "status-changes/",
    "reports/monthly/",
    "health/",
    "no-such-thing/",
    "",
]
WRITE = [
    *(("post", f"{name}/") for name in ("brands", "budgets", "campaigns", "spends", "schedules")),
    *(
        (method, f"{name}/{SOME_ID}/")
        for name in ("brands", "budgets", "campaigns", "spends", "schedules")
        for method in ("put", "patch", "delete")
    ),
]


@pytest.mark.parametrize("path", READ)
def test_nobody_reads_without_credentials(acme, path):
    answer = Client(HTTP_HOST="acme.localhost:8000").get(f"/api/{path}")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Api-Key"
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize(("method", "path"), WRITE)
def test_nobody_writes_without_credentials(acme, method, path):
    client = Client(HTTP_HOST="acme.localhost:8000")
    answer = getattr(client, method)(f"/api/{path}", {}, "application/json")
    assert answer.status_code == 401


@pytest.mark.parametrize(("method", "path"), WRITE)
def test_a_viewer_writes_nothing(viewer, method, path):
    answer = getattr(viewer, method)(path)
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("Your role does not include the right to")


@pytest.mark.parametrize("path", ["schema/", "docs/"])
def test_the_description_needs_no_credentials(acme, path):
    assert Client(HTTP_HOST="acme.localhost:8000").get(f"/api/{path}").status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Api-Key",
        "Api-Key ",
        "Api-Key abc",
        "Api-Key abcdefgh.wrongsecretwrongsecretwrongsecre",
        "Api-Key " + "x" * 5000,
        "Api-Key \xff.\xfe",
        "Bearer abcdefgh.secret",
    ],
)
def test_a_key_that_is_none_is_401(acme, header):
    client = Client(HTTP_HOST="acme.localhost:8000", HTTP_AUTHORIZATION=header)
    answer = client.get("/api/brands/")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Api-Key")


def test_a_wrong_secret_behind_a_known_prefix_is_401(acme):
    _, secret = create_api_key(name="probe", role=Role.MANAGER)
    wrong = f"{secret.partition('.')[0]}.{'x' * 32}"
    client = Client(HTTP_HOST="acme.localhost:8000", HTTP_AUTHORIZATION=f"Api-Key {wrong}")
    assert client.get("/api/brands/").status_code == 401


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"expires_at": NOON}, 401),
        ({"expires_at": NOON + timedelta(seconds=1)}, 200),
        ({"revoked_at": NOON - timedelta(days=1)}, 401),
    ],
)
def test_a_key_works_until_it_is_expired_or_revoked(acme, changes, status):
    key, secret = create_api_key(name="probe", role=Role.MANAGER)
    ApiKey.objects.filter(id=key.id).update(**changes)
    client = Client(HTTP_HOST="acme.localhost:8000", HTTP_AUTHORIZATION=f"Api-Key {secret}")
    assert client.get("/api/brands/").status_code == status


def test_a_key_is_worth_nothing_on_another_agencys_host(manager):
    answer = manager.client.get("/api/brands/", HTTP_HOST="zeta.localhost:8000")
    assert answer.status_code == 401


def test_a_session_reads_what_its_role_allows(acme, log_in):
    assert Api(log_in("vic@acme.example")).get("brands/").status_code == 200


def test_a_session_is_worth_nothing_on_another_agencys_host(acme, log_in):
    answer = log_in("ann@acme.example").get("/api/brands/", HTTP_HOST="zeta.localhost:8000")
    assert answer.status_code == 401


def test_the_session_of_somebody_switched_off_is_401(acme, log_in):
    client = log_in("max@acme.example")
    User.objects.filter(email="max@acme.example").update(is_active=False)
    assert client.get("/api/brands/").status_code == 401


def test_a_session_writes_with_its_csrf_token_only(acme, log_in):
    client = log_in("max@acme.example")
    client.handler.enforce_csrf_checks = True
    refused = client.post("/api/brands/", {"name": "N"}, "application/json")
    assert refused.status_code == 403
    assert "CSRF" in refused.json()["detail"]
    token = "a" * 32
    client.cookies["csrftoken"] = token
    accepted = client.post(
        "/api/brands/",
        {"name": "N"},
        "application/json",
        headers={"X-CSRFToken": token, "Origin": "http://acme.localhost:8000"},
    )
    assert accepted.status_code == 201


def test_a_key_needs_no_csrf_token(manager):
    manager.client.handler.enforce_csrf_checks = True
    assert manager.post("brands/", name="N").status_code == 201


@pytest.fixture
def acmes(acme) -> dict[str, str]:
    """One of each thing, all Acme's: the address of each."""
    campaign = make_campaign(make_brand())
    window = Window.objects.create(
        schedule_id=campaign.schedule_id, day_of_week=0, start_time="00:00", end_time="12:30"
    )
    spend = NewSpend(campaign.id, Decimal(5), NOON.date())
    entry = record_spend(spend=spend, now=NOON, by=ANN).entries[0]
    return {
        "brand": f"brands/{campaign.brand_id}/",
        "budget": f"budgets/{campaign.budget_id}/",
        "campaign": f"campaigns/{campaign.id}/",
        "holds": f"campaigns/{campaign.id}/holds/",
        "spend": f"spends/{entry.id}/",
        "window": f"schedules/{window.id}/",
    }


@pytest.mark.parametrize("thing", ["brand", "budget", "campaign", "holds", "spend", "window"])
def test_a_stranger_is_told_404_where_a_viewer_reads(acmes, viewer, stranger, thing):
    assert viewer.get(acmes[thing]).status_code == 200
    assert stranger.get(acmes[thing]).status_code == 404


@pytest.mark.parametrize("thing", ["brand", "budget", "campaign", "spend", "window"])
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_stranger_changes_nothing(acmes, stranger, thing, method):
    answer = getattr(stranger, method)(acmes[thing])
    assert answer.status_code == (405 if thing == "spend" and method != "delete" else 404)
    assert Campaign.objects.get().archived_at is None
    assert Window.objects.count() == 1


def test_a_stranger_lists_nothing_of_another_agencys(acmes, stranger):
    for path in ("brands/", "budgets/", "campaigns/", "spends/", "schedules/", "status-changes/"):
        assert stranger.get(path).json()["results"] == []
    assert stranger.get("reports/monthly/").json()["results"] == []


@pytest.mark.parametrize("what", ["campaigns", "spends", "schedules", "budgets"])
def test_a_stranger_hangs_nothing_below_another_agencys_things(acmes, stranger, what):
    brand, campaign = (acmes[name].split("/")[1] for name in ("brand", "campaign"))
    body = {
        "campaigns": {"brand": brand, "name": "N"},
        "budgets": {"brand": brand, "name": "N"},
        "spends": {"campaign": campaign, "amount": "1", "spend_date": "2026-03-02"},
        "schedules": {
            "campaign": campaign,
            "day_of_week": 1,
            "start_time": "09:00",
            "end_time": "10:00",
        },
    }[what]
    answer = stranger.post(f"{what}/", **body)
    assert answer.status_code == 404
    assert list(answer.json()) == [next(iter(body))]
