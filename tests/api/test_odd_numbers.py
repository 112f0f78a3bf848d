"""No number, however odd, is a 500: it is an amount, or its field says what is wrong with it."""

import json
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from api.models import RememberedAnswer
from budgets.models import BudgetAdjustment, LimitVersion, SpendEntry
from budgets.services import root_of
from campaigns.services import budgets
from tests.conftest import ANN, NOON, make_brand, make_campaign

DIGITS = "9" * 5000
ODD = [
    "1e999999999", "-1e999999999", "1e-999999999", "1e99999999999999999999", "1E+400", "-1e400",
    "1e-400", DIGITS, f"-{DIGITS}", f"0.{DIGITS}", f"1.{'0' * 20000}1", "1e12", "99999999999.1",
    "0.0000001",
]  # fmt: skip
NO_JSON = ["NaN", "Infinity", "-Infinity", "sNaN", "1_000", "٣", "0x10", "", " ", "1e", "--1"]
# What is written oddly, and what it is.
SAME = [
    ("0e-20000", "0.00"),
    ("0e999999999", "0.00"),
    ("-0e5", "0.00"),
    ("-0", "0.00"),
    ("1E+2", "100.00"),
    (f"1.5{'0' * 20000}", "1.50"),
    ("0.15e1", "1.50"),
]
WHOLE = ["1e2", "1.0", "1e999999999", DIGITS, f"-{DIGITS}", "2147483648", "9223372036854775808"]


@pytest.fixture
def places(acme) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Each body of the API with an amount in it, by `method path field`."""
    brand = make_brand(daily="100", monthly="1000")
    campaign = make_campaign(brand)
    root = root_of(brand).id
    group = budgets.create_group(brand_id=brand.id, name="Group", now=NOON, by=ANN)
    spend = {"campaign": str(campaign.id), "spend_date": "2026-03-02"}
    gift = {"period": "DAY", "note": "n"}
    named = {"name": "N"}
    limits = ["daily_budget", "monthly_budget"]
    found = [("POST", "/api/spends/", "amount", spend)]
    found += [("POST", f"/api/budgets/{root}/adjustments/", "amount", gift)]
    for limit in limits:
        found += [
            ("POST", "/api/brands/", limit, named),
            ("PATCH", f"/api/brands/{brand.id}/", limit, {}),
            ("PATCH", f"/api/budgets/{root}/", limit, {}),
            ("PATCH", f"/api/budgets/{group.id}/", limit, {}),
            ("POST", "/api/budgets/", limit, {**named, "brand": str(brand.id)}),
            ("POST", "/api/campaigns/", limit, {**named, "brand": str(brand.id)}),
            ("PATCH", f"/api/campaigns/{campaign.id}/", limit, {}),
        ]
    return {
        f"{method} {path} {name}": (method, path, {**body, name: 0})
        for method, path, name, body in found
    }


def send(client, method: str, path: str, body: dict[str, Any], name: str, number: str) -> Any:
    """Send a body with a number as it is written, which no `json.dumps` would write."""
    text = json.dumps(body | {name: "HERE"}).replace('"HERE"', number)
    return client.generic(method, path, text, "application/json")


@pytest.mark.parametrize("number", ODD, ids=lambda number: number[:20])
def test_an_odd_number_is_refused_by_its_field(places, api, number):
    client = api("manager")
    for place, (method, path, body) in places.items():
        name = place.rpartition(" ")[2]
        for written in (number, f'"{number}"'):
            answer = send(client, method, path, body, name, written)
            assert (answer.status_code, list(answer.json())) == (400, [name]), (
                place,
                answer.content,
            )
            assert len(answer.content) < 500
    assert not SpendEntry.objects.exists()
    assert not BudgetAdjustment.objects.exists()


@pytest.mark.parametrize("text", NO_JSON)
def test_what_is_no_number_is_refused_by_its_field(places, api, text):
    client = api("manager")
    for place, (method, path, body) in places.items():
        name = place.rpartition(" ")[2]
        answer = send(client, method, path, body, name, json.dumps(text))
        assert (answer.status_code, list(answer.json())) == (400, [name]), place


@pytest.mark.parametrize(("number", "shown"), SAME, ids=[shown for _, shown in SAME])
def test_a_number_is_what_it_is_however_it_is_written(places, api, number, shown):
    client = api("manager")
    for place, (method, path, body) in places.items():
        name = place.rpartition(" ")[2]
        answer = send(
            client,
            method,
            path,
            body | {"name": f"N {place}"} if "name" in body else body,
            name,
            number,
        )
        if "adjustments" in path and shown == "0.00":
            assert answer.status_code == 400
            continue
        assert answer.status_code in (200, 201), (place, answer.content)
        assert answer.json()[name] == shown, place
    amounts = LimitVersion.objects.values_list("daily_limit", "monthly_limit")
    assert all(not amount.is_signed() for row in amounts for amount in row if amount is not None)


@pytest.mark.parametrize("number", [*ODD, *NO_JSON], ids=lambda number: number[:20])
@pytest.mark.parametrize("mode", ["append", "restate"])
def test_a_batch_names_the_row_of_an_odd_number(acme, api, mode, number):
    campaign = str(make_campaign(make_brand()).id)
    row = {"campaign": campaign, "spend_date": "2026-03-02", "amount": "1"}
    said = {"mode": mode, "source": "s", "as_of": "2026-03-02T11:00:00Z"}
    rows = [row, {**row, "spend_date": "2026-03-01", "amount": "HERE"}]
    body = json.dumps({**(said if mode == "restate" else {}), "rows": rows})
    for written in {f'"{number}"', *([number] if number in ODD else [])}:
        text = body.replace('"HERE"', written)
        answer = api("manager").generic("POST", "/api/spends/batch/", text, "application/json")
        assert answer.status_code == 422, answer.content
        [error] = answer.json()["errors"]
        assert (error["row"], error["field"]) == (1, "amount")
    assert not SpendEntry.objects.exists()


@pytest.mark.parametrize("number", WHOLE, ids=lambda number: number[:20])
def test_an_odd_whole_number_is_refused(acme, api, number):
    brand = make_brand()
    campaign = make_campaign(brand)
    client = api("manager")
    hours = {"start_time": "09:00:00", "end_time": "18:00:00"}
    for method, path, body, name in (
        ("PATCH", f"/api/budgets/{root_of(brand).id}/", {}, "stop_at"),
        ("POST", f"/api/campaigns/{campaign.id}/schedules/", hours, "day_of_week"),
    ):
        for written in (number, f'"{number}"'):
            answer = send(client, method, path, body, name, written)
            assert answer.status_code in (400, 404), (path, answer.content)
            assert len(answer.content) < 500


QUERY = [
    "1e999999999",
    DIGITS,
    f"-{DIGITS}",
    "NaN",
    "-0",
    "0",
    "1.5",
    "9223372036854775808",
    "١",
    "\0",
]


@pytest.mark.parametrize("number", QUERY, ids=lambda number: number[:20])
def test_an_odd_number_in_a_query_is_no_failure(acme, api, number):
    """Of every parameter of every list of the API's own description."""
    make_campaign(make_brand())
    client, asked = api("owner"), 0
    for path, operations in SchemaGenerator().get_schema(public=True)["paths"].items():
        if "{" in path or "get" not in operations:
            continue
        for parameter in operations["get"].get("parameters", []):
            answer = client.get(path, {parameter["name"]: number})
            assert answer.status_code < 500, (path, parameter["name"])
            asked += 1
    assert asked > 40


def test_an_odd_number_in_an_answer_that_is_remembered(acme, api):
    body = {"campaign": str(make_campaign(make_brand()).id), "spend_date": "2026-03-02"}
    text, client = json.dumps(body | {"amount": 0}).replace(": 0", ": -0e5"), api("manager")
    for _ in range(2):
        key = {"Idempotency-Key": "k"}
        answer = client.generic("POST", "/api/spends/", text, "application/json", headers=key)
        assert (answer.status_code, answer.json()["amount"]) == (201, "0.00")
    assert RememberedAnswer.objects.count() == 1
