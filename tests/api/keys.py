"""Posting with an Idempotency-Key, and what an answer says about it."""

from typing import Any

from django.test import Client

from accounts.models import create_api_key
from accounts.roles import Role
from campaigns.models import Campaign
from tenants.models import Agency
from tests.api.conftest import Api

KEY = "2026-03-02/one"
HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"


def post(
    client: Api | Client, path: str, body: Any, key: str = KEY, kind: str = "application/json"
) -> Any:
    """Post a body to the API with a key; `client` is an Api or a Client."""
    client = client.client if isinstance(client, Api) else client
    return client.post(f"/api/{path}", body, kind, headers={HEADER: key})


def spend(campaign: Campaign, amount: str = "10.50", **fields: Any) -> dict[str, Any]:
    """Return the body of a spend of yesterday."""
    return {"campaign": str(campaign.id), "amount": amount, "spend_date": "2026-03-01"} | fields


def assert_replayed(again: Any, first: Any) -> None:
    """The second answer is the first one again, and says so."""
    assert REPLAYED not in first
    assert again[REPLAYED] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again["Content-Type"] == first["Content-Type"]


def assert_refused(answer: Any, status: int) -> None:
    """The answer refuses the key, and names the header."""
    assert answer.status_code == status
    assert list(answer.json()) == [HEADER]
    assert REPLAYED not in answer


def connected(agency: Agency) -> Client:
    """Return a client with a key of its own; an agency's rows may really be committed."""
    _, secret = create_api_key(name="probe", role=Role.MANAGER)
    host = f"{agency.slug}.localhost:8000"
    return Client(HTTP_HOST=host, HTTP_AUTHORIZATION=f"Api-Key {secret}")
