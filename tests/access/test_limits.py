"""Who sets limits, in each face: finance does without editing campaigns, buyers the other way."""

import json

import pytest
from django.test import Client

from accounts.models import create_api_key
from accounts.roles import Role
from budgets.models import LimitVersion
from campaigns.models import Campaign
from tests.access.world import ask, client_of
from tests.conftest import make_brand, make_campaign

DENIED = "Your role does not include the right to edit budgets."


@pytest.fixture
def campaign(acme) -> Campaign:
    return make_campaign(make_brand(), daily="50")


def send(client: Client, method: str, path: str, **body: object):
    answer = ask(client, method, path, json.dumps(body))
    answer.told = json.loads(answer.content)
    return answer


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("daily_budget", "60"),
        ("daily_budget", None),
        ("monthly_budget", "1"),
        ("from", "2026-04-01"),
    ],
)
def test_a_buyers_change_of_a_limit_is_refused_by_its_field(campaign, field, value):
    buyer = client_of(Role.BUYER, "api", None)
    answer = send(buyer, "PATCH", f"/api/campaigns/{campaign.id}/", **{field: value})
    assert (answer.status_code, answer.told) == (403, {field: [DENIED]})


def test_a_buyer_sends_back_what_he_read(campaign):
    buyer = client_of(Role.BUYER, "api", None)
    path = f"/api/campaigns/{campaign.id}/"
    read = json.loads(buyer.get(path).content)
    answer = send(buyer, "PUT", path, **{**read, "name": "Renamed"})
    assert (answer.status_code, answer.told["name"]) == (200, "Renamed")
    assert answer.told["daily_budget"] == "50.00"


def test_a_buyer_makes_campaigns_without_limits(campaign):
    buyer = client_of(Role.BUYER, "api", None)
    new = {"brand": str(campaign.brand_id), "name": "New"}
    assert send(buyer, "POST", "/api/campaigns/", **new).status_code == 201
    assert send(buyer, "POST", "/api/campaigns/", **new, daily_budget=None).status_code == 201
    answer = send(buyer, "POST", "/api/campaigns/", **new, monthly_budget="9")
    assert (answer.status_code, answer.told) == (403, {"monthly_budget": [DENIED]})


@pytest.mark.parametrize("whose", ["brand", "campaign"])
def test_finance_sets_the_limits_of_any_budget(campaign, whose):
    finance = client_of(Role.FINANCE, "api", None)
    budget = campaign.budget if whose == "campaign" else campaign.budget.parent
    assert budget is not None
    answer = send(finance, "PATCH", f"/api/budgets/{budget.id}/", daily_budget="70")
    assert (answer.status_code, answer.told["daily_budget"]) == (200, "70.00")
    path = f"/api/campaigns/{campaign.id}/"
    assert send(finance, "PATCH", path, name="Renamed").status_code == 403


def form(**changes: str) -> dict[str, str]:
    return {"name": "Search", "group": "", **changes}


def test_a_buyers_form_has_no_limits_and_leaves_them(campaign):
    buyer = client_of(Role.BUYER, "portal", None)
    path = f"/campaigns/{campaign.id}/edit/"
    fields = buyer.get(path).context["form"].fields
    assert not {"daily_budget", "monthly_budget", "from_day", "mode", "stop_at"} & set(fields)
    assert buyer.post(path, form(name="Renamed"))["Location"] == f"/campaigns/{campaign.id}/"
    assert Campaign.objects.get(id=campaign.id).name == "Renamed"
    assert LimitVersion.objects.get(budget=campaign.budget).daily_limit == 50


@pytest.mark.parametrize(
    "changes", [{"daily_budget": "60"}, {"daily_budget": ""}, {"mode": "pause"}]
)
def test_a_limit_that_a_buyer_sends_nevertheless_is_refused(campaign, changes):
    buyer = client_of(Role.BUYER, "portal", None)
    path = f"/campaigns/{campaign.id}/edit/"
    assert ask(buyer, "POST", path, form(name="Renamed", **changes)).status_code == 403
    new = f"/brands/{campaign.brand_id}/campaigns/new/"
    sent = form(name="New", status="ACTIVE", daily_budget="60")
    assert ask(buyer, "POST", new, sent).status_code == 403


@pytest.mark.parametrize("whose", ["brand", "campaign"])
def test_finance_has_a_page_for_the_limits(campaign, whose):
    finance = client_of(Role.FINANCE, "portal", None)
    budget = campaign.budget if whose == "campaign" else campaign.budget.parent
    page = {"brand": f"/brands/{campaign.brand_id}/", "campaign": f"/campaigns/{campaign.id}/"}
    path = f"/budgets/{budget.id}/limits/"
    assert path in finance.get(page[whose]).content.decode()
    sent = {"daily_budget": "70", "monthly_budget": "", "stop_at": "100", "mode": "pause"}
    assert finance.post(path, sent)["Location"] == page[whose]
    assert budget.limits.latest("from_day").daily_limit == 70
    budget.refresh_from_db()
    assert budget.mode == "pause"


def test_a_buyer_reads_limits_in_the_admin(campaign):
    buyer = client_of(Role.BUYER, "admin", None)
    path = f"/admin/campaigns/campaign/{campaign.id}/change/"
    assert 'name="daily_budget"' not in buyer.get(path).content.decode()
    sent = {"name": "Renamed", "daily_budget": "60", "group": "", "command": ""}
    assert buyer.post(path, sent).status_code == 302
    assert Campaign.objects.get(id=campaign.id).name == "Renamed"
    assert LimitVersion.objects.get(budget=campaign.budget).daily_limit == 50
    new = buyer.get("/admin/campaigns/campaign/add/").content.decode()
    assert 'name="daily_budget"' not in new


def test_who_is_limited_makes_nothing_for_everybody(campaign):
    _, secret = create_api_key(name="p", role=Role.MANAGER, brand_ids=[campaign.brand_id])
    client = Client(HTTP_HOST="acme.localhost:8000", HTTP_AUTHORIZATION=f"Api-Key {secret}")
    for path in ("brands", "shared-schedules"):
        answer = send(client, "POST", f"/api/{path}/", name="New")
        assert answer.status_code == 403, path
