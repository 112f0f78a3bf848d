"""A kept answer is given again only to who may still be told it; nothing is done twice."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from accounts.models import ApiKey, User, create_api_key
from accounts.roles import Role
from accounts.services import change_person
from api.models import RememberedAnswer
from budgets.models import Brand, SpendEntry
from campaigns.models import Campaign
from campaigns.services.shared_schedules import create_shared_schedule
from tests.access.routes import every_route
from tests.api.keys import assert_replayed, post, spend
from tests.conftest import ANN, NOON, make_brand, make_campaign


@pytest.fixture
def north(acme) -> Campaign:
    return make_campaign(make_brand("Northwind"), daily="50")


@pytest.fixture
def south(acme) -> Campaign:
    return make_campaign(make_brand("Southwind"), daily="50")


def client_of(role: Role, *brands: UUID) -> tuple[Client, ApiKey]:
    """Return a client with a key for these brands, or for all, and the key."""
    key, secret = create_api_key(name="Probe", role=role, brand_ids=brands or None)
    host = "acme.localhost:8000"
    return Client(HTTP_HOST=host, HTTP_AUTHORIZATION=f"Api-Key {secret}"), key


def limit(key: ApiKey, role: Role, *brands: UUID) -> None:
    key.role, key.brand_ids = role, list(brands) or None
    key.save()


OF_THE_AGENCY = ["brands/", "shared-schedules/"]
# What somebody may post about a campaign, by path: each is about the campaign's brand.
ABOUT: dict[str, Callable[[Campaign], dict[str, Any]]] = {
    "spends/": spend,
    "spends/batch/": lambda campaign: {"rows": [spend(campaign)]},
    "campaigns/": lambda campaign: {"brand": str(campaign.brand_id), "name": "N"},
    "budgets/": lambda campaign: {"brand": str(campaign.brand_id), "name": "N"},
    "budgets/{}/adjustments/": lambda _: {"amount": "5.00", "period": "DAY", "note": "N"},
    "schedules/": lambda campaign: {
        "campaign": str(campaign.id),
        "day_of_week": 1,
        "start_time": "09:00",
        "end_time": "18:00",
    },
    "schedule-exceptions/": lambda campaign: {
        "campaign": str(campaign.id),
        "day": "2026-12-24",
        "closed": True,
    },
}


def about(path: str, campaign: Campaign) -> tuple[str, dict[str, Any]]:
    return path.format(campaign.budget_id), ABOUT[path](campaign)


def test_every_route_that_is_posted_to_is_here():
    routes = [route for route in every_route() if route.face == "api" and "POST" in route.methods]
    posted = {re.sub("<[^>]*>", "{}", route.pattern.removeprefix("api/")) for route in routes}
    # What is left is the answer to unknown addresses.
    assert {path for path in posted if not path.startswith("^")} == {*ABOUT, *OF_THE_AGENCY}


def refused(client: Client, path: str, body: dict[str, Any], status: int = 404) -> None:
    entries, campaigns = SpendEntry.objects.count(), Campaign.objects.count()
    answer = post(client, path, body)
    assert answer.status_code == status
    assert "wind" not in answer.content.decode()
    assert str(body.get("campaign", "no campaign")) not in answer.content.decode()
    assert (SpendEntry.objects.count(), Campaign.objects.count()) == (entries, campaigns)
    assert RememberedAnswer.objects.count() == 1


@pytest.mark.parametrize("path", ABOUT)
def test_who_lost_the_brand_is_told_nothing_of_it(north, south, path):
    client, key = client_of(Role.MANAGER, north.brand_id, south.brand_id)
    path, body = about(path, south)
    assert post(client, path, body).status_code == 201
    limit(key, Role.MANAGER, north.brand_id)
    refused(client, path, body)


@pytest.mark.parametrize("path", ABOUT)
@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER])
def test_who_saw_everything_is_told_nothing_of_other_brands(north, south, path, role):
    client, key = client_of(role)
    path, body = about(path, south)
    assert post(client, path, body).status_code == 201
    limit(key, Role.MANAGER, north.brand_id)
    refused(client, path, body)


@pytest.mark.parametrize("path", ABOUT)
def test_who_lost_another_brand_is_answered_as_before(north, south, path):
    client, key = client_of(Role.MANAGER, north.brand_id, south.brand_id)
    path, body = about(path, north)
    first = post(client, path, body)
    limit(key, Role.MANAGER, north.brand_id)
    assert_replayed(post(client, path, body), first)


@pytest.mark.parametrize("path", ABOUT)
def test_who_got_more_brands_is_answered_as_before(north, south, path):
    client, key = client_of(Role.MANAGER, north.brand_id)
    path, body = about(path, north)
    first = post(client, path, body)
    limit(key, Role.MANAGER, north.brand_id, south.brand_id)
    assert_replayed(post(client, path, body), first)
    limit(key, Role.MANAGER)
    assert_replayed(post(client, path, body), first)


def test_who_gets_the_brand_back_is_answered_as_before(north, south):
    client, key = client_of(Role.MANAGER, north.brand_id, south.brand_id)
    first = post(client, "spends/", spend(south))
    limit(key, Role.MANAGER, north.brand_id)
    refused(client, "spends/", spend(south))
    limit(key, Role.MANAGER, south.brand_id)
    assert_replayed(post(client, "spends/", spend(south)), first)
    assert SpendEntry.objects.count() == 1


def test_a_batch_over_brands_is_told_to_who_sees_them_all(north, south):
    client, key = client_of(Role.MANAGER)
    body = {"rows": [spend(north), spend(south)]}
    first = post(client, "spends/batch/", body)
    assert first.status_code == 201
    for one in (north, south):
        limit(key, Role.MANAGER, one.brand_id)
        refused(client, "spends/batch/", body)
    limit(key, Role.MANAGER, north.brand_id, south.brand_id)
    assert_replayed(post(client, "spends/batch/", body), first)


def test_a_day_of_a_shared_schedule_is_told_to_who_sees_their_users(north, south):
    shared = create_shared_schedule(name="Office", by=ANN)
    Campaign.objects.filter(id=south.id).update(shared_schedule=shared)
    client, key = client_of(Role.MANAGER)
    body = {"shared_schedule": str(shared.id), "day": "2026-12-24", "closed": True}
    first = post(client, "schedule-exceptions/", body)
    assert first.status_code == 201
    limit(key, Role.MANAGER, north.brand_id)
    assert post(client, "schedule-exceptions/", body).status_code == 404
    limit(key, Role.MANAGER, south.brand_id)
    assert_replayed(post(client, "schedule-exceptions/", body), first)


@pytest.mark.parametrize("path", OF_THE_AGENCY)
def test_what_was_made_for_the_agency_is_told_to_who_sees_all(north, path):
    body = {"name": "N"}
    client, key = client_of(Role.OWNER)
    first = post(client, path, body)
    limit(key, Role.MANAGER)
    assert_replayed(post(client, path, body), first)
    limit(key, Role.MANAGER, north.brand_id)
    assert post(client, path, body).status_code in (403, 404)


def test_who_lost_the_right_of_the_route_is_refused(north):
    client, key = client_of(Role.MANAGER)
    post(client, "spends/", spend(north))
    limit(key, Role.CLIENT_VIEWER, north.brand_id)
    refused(client, "spends/", spend(north), 403)


def test_who_lost_a_right_that_the_body_asked_for_is_refused(north):
    client, key = client_of(Role.MANAGER)
    body = {"brand": str(north.brand_id), "name": "N", "daily_budget": "5.00"}
    first = post(client, "campaigns/", body)
    assert first.status_code == 201
    assert first.json()["daily_budget"] == "5.00"
    limit(key, Role.BUYER)
    refused(client, "campaigns/", body, 403)
    # Without limits the same right is not asked for.
    plain = {"brand": str(north.brand_id), "name": "M", "daily_budget": None}
    limit(key, Role.MANAGER)
    first = post(client, "campaigns/", plain, key="two")
    limit(key, Role.BUYER)
    assert_replayed(post(client, "campaigns/", plain, key="two"), first)


def test_an_answer_of_before_the_upgrade_is_told_to_who_sees_all(north):
    client, key = client_of(Role.MANAGER)
    first = post(client, "spends/", spend(north))
    RememberedAnswer.objects.update(brand_ids=None, rights=None)
    assert_replayed(post(client, "spends/", spend(north)), first)
    limit(key, Role.BUYER, *Brand.objects.values_list("id", flat=True))
    refused(client, "spends/", spend(north))


def test_a_session_is_asked_as_a_key_is(north, south, acme, log_in):
    browser = log_in("max@acme.example")
    max_ = User.objects.get(email="max@acme.example")
    assert post(browser, "spends/", spend(south)).status_code == 201
    change_person(
        user_id=max_.id,
        name="Max",
        role=Role.BUYER,
        is_active=True,
        brand_ids=[north.brand_id],
        now=NOON,
    )
    refused(browser, "spends/", spend(south))
