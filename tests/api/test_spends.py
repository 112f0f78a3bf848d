"""Spend: counted once, never changed, corrected and reversed by further lines of the ledger."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import create_api_key
from accounts.roles import RIGHTS, Right, Role
from budgets.models import SpendEntry
from campaigns.services.spend import NewSpend, record_spend
from kernel.money import AMOUNT_MAX
from tests.conftest import ANN, NOBODY, NOON, make_brand, make_campaign

# The host's agency, the key. What lies between is `record_spend`, which knows the answer.
STATEMENTS_AROUND_THE_SERVICE = 2


@pytest.fixture
def campaign(acme):
    return make_campaign(make_brand(daily="100", monthly="1000"))


@pytest.fixture
def body(campaign):
    return {
        "campaign": str(campaign.id),
        "amount": "25.50",
        "spend_date": "2026-03-02",
        "spend_type": "DAILY",
        "description": "Clicks",
    }


def test_it_is_recorded(manager, campaign, body):
    answer = manager.post("spends/", **body)
    assert answer.status_code == 201
    shown = answer.json()
    assert shown == {
        **body,
        "id": str(SpendEntry.objects.get().id),
        "brand": str(campaign.brand_id),
        "currency": "USD",
        "kind": "spend",
        "external_id": "",
        "source": "api",
        "corrects_source": "",
        "reverses": None,
        "reversed": False,
        "recorded_at": "2026-03-02T12:00:00Z",
        "by": "API key manager of acme",
        "campaign_status": "ACTIVE",
        "held": [],
        "released": [],
    }
    for name in ("campaign_status", "held", "released"):
        del shown[name]
    assert manager.get(f"spends/{shown['id']}/").json() == shown


def test_only_campaign_amount_and_day_are_wanted(manager, body):
    wanted = {name: body[name] for name in ("campaign", "amount", "spend_date")}
    assert manager.post("spends/", **wanted).json()["spend_type"] == "DAILY"
    for name in wanted:
        answer = manager.post("spends/", **{n: v for n, v in wanted.items() if n != name})
        assert (answer.status_code, list(answer.json())) == (400, [name])


def test_the_spend_that_crosses_a_limit_tells_whom_it_held(manager, campaign, body):
    other = make_campaign(campaign.brand, "Other")
    shown = manager.post("spends/", **body | {"amount": "100"}).json()
    assert shown["campaign_status"] == "PAUSED"
    assert sorted(shown["held"]) == sorted([str(campaign.id), str(other.id)])


def test_a_correction_tells_whom_it_released(manager, campaign, body):
    manager.post("spends/", **body | {"amount": "100"})
    shown = manager.post("spends/", **body | {"amount": "-1", "correction": True}).json()
    assert (shown["kind"], shown["amount"]) == ("correction", "-1.00")
    assert (shown["campaign_status"], shown["released"]) == ("ACTIVE", [str(campaign.id)])


def test_the_same_again_is_200_and_counts_once(manager, campaign, body):
    body |= {"external_id": "r-1", "source": "google"}
    first, second = manager.post("spends/", **body), manager.post("spends/", **body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"]
    assert manager.get(f"campaigns/{campaign.id}/").json()["daily_spend"] == "25.50"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "25.51"),
        ("spend_date", "2026-03-01"),
        ("spend_type", "MONTHLY"),
        ("correction", True),
    ],
)
def test_the_same_id_with_other_content_is_409(manager, campaign, body, field, value):
    body |= {"external_id": "r-1"}
    manager.post("spends/", **body)
    answer = manager.post("spends/", **body | {field: value})
    assert (answer.status_code, list(answer.json())) == (409, ["external_id"])
    assert manager.get(f"campaigns/{campaign.id}/").json()["monthly_spend"] == "25.50"


def test_the_same_id_of_another_source_is_another_spend(manager, campaign, body):
    for source in ("google", "meta"):
        body |= {"external_id": "r-1", "source": source}
        assert manager.post("spends/", **body).status_code == 201


def test_without_an_id_each_counts(manager, campaign, body):
    assert {manager.post("spends/", **body).status_code for _ in range(2)} == {201}
    assert manager.get(f"campaigns/{campaign.id}/").json()["daily_spend"] == "51.00"


def test_monthly_spend_counts_in_the_month_only(manager, campaign, body):
    manager.post("spends/", **body | {"spend_type": "MONTHLY"})
    shown = manager.get(f"campaigns/{campaign.id}/").json()
    assert (shown["daily_spend"], shown["monthly_spend"]) == ("0.00", "25.50")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("25.5", "25.50"), (25.5, "25.50"), (25, "25.00"), ("0.000001", "0.000001"), ("0", "0.00")],
)
def test_an_amount_keeps_its_digits(manager, body, sent, shown):
    answer = manager.post("spends/", **body | {"amount": sent})
    assert (answer.status_code, answer.json()["amount"]) == (201, shown)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "-1"),
        ("amount", "0.0000001"),
        ("amount", "NaN"),
        ("amount", "Infinity"),
        ("amount", "1e400"),
        ("amount", "1_000"),
        ("amount", "25,50"),
        ("amount", "٢٥"),
        ("amount", ""),
        ("amount", None),
        ("amount", True),
        ("amount", ["1"]),
        ("amount", {"1": 1}),
        ("amount", str(AMOUNT_MAX + 1)),
        ("amount", 10**300),
        ("amount", "9" * 5000),
        ("campaign", "7"),
        ("campaign", 7),
        ("campaign", None),
        ("spend_date", "2026-03-03"),
        ("spend_date", "2026-02-30"),
        ("spend_date", "0001-01-01"),
        ("spend_date", "9999-12-31"),
        ("spend_date", "20260302"),
        ("spend_date", "2026-W10-1"),
        ("spend_date", "2026-03-02T12:00:00Z"),
        ("spend_date", 20260302),
        ("spend_type", "WEEKLY"),
        ("spend_type", ["DAILY"]),
        ("description", 5),
        ("description", "x" * 501),
        ("description", None),
        ("external_id", "x" * 256),
        ("external_id", "entry:1"),
        ("external_id", "reversal:1"),
        ("external_id", "Entry:1"),
        ("source", ""),
        ("source", "x" * 65),
        ("correction", "yes"),
        ("currency", "EUR"),
        ("kind", "reversal"),
        ("reverses", NOBODY),
        ("nonsense", 1),
    ],
)
def test_a_bad_value_names_its_field_and_stores_nothing(manager, body, field, value):
    answer = manager.post("spends/", **body | {field: value})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not SpendEntry.objects.exists()


def test_a_campaign_that_is_not_there_is_404_with_its_field(manager, body):
    answer = manager.post("spends/", **body | {"campaign": str(uuid4())})
    assert (answer.status_code, list(answer.json())) == (404, ["campaign"])


def test_a_correction_says_why(manager, body):
    answer = manager.post("spends/", **body | {"correction": True, "description": " "})
    assert (answer.status_code, list(answer.json())) == (400, ["description"])


def test_a_role_that_records_only_can_not_correct_or_reverse(manager, body, monkeypatch):
    entry = manager.post("spends/", **body).json()
    monkeypatch.setitem(RIGHTS, Role.MANAGER, RIGHTS[Role.MANAGER] - {Right.CORRECT_SPEND})
    assert manager.post("spends/", **body).status_code == 201
    assert manager.post("spends/", **body | {"correction": True}).status_code == 403
    assert manager.delete(f"spends/{entry['id']}/").status_code == 403
    assert SpendEntry.objects.count() == 2


def test_delete_reverses_once(manager, campaign, body):
    entry = manager.post("spends/", **body | {"external_id": "r-1"}).json()
    first = manager.delete(f"spends/{entry['id']}/")
    assert first.status_code == 200
    assert (first.json()["kind"], first.json()["amount"]) == ("reversal", "-25.50")
    assert (first.json()["reverses"], first.json()["external_id"]) == (entry["id"], "")
    assert manager.delete(f"spends/{entry['id']}/").json()["id"] == first.json()["id"]
    assert manager.get(f"spends/{entry['id']}/").json()["reversed"] is True
    assert manager.get(f"campaigns/{campaign.id}/").json()["monthly_spend"] == "0.00"


def test_the_same_again_after_its_reversal_is_still_known(manager, body):
    body |= {"external_id": "r-1"}
    entry = manager.post("spends/", **body).json()
    manager.delete(f"spends/{entry['id']}/")
    answer = manager.post("spends/", **body)
    assert (answer.status_code, answer.json()["reversed"]) == (200, True)


def test_a_reversal_is_not_reversed(manager, body):
    entry = manager.post("spends/", **body).json()
    reversal = manager.delete(f"spends/{entry['id']}/").json()
    assert manager.delete(f"spends/{reversal['id']}/").status_code == 409


@pytest.mark.parametrize("method", ["put", "patch"])
def test_it_is_never_changed_and_says_how_to_correct(manager, body, method):
    entry = manager.post("spends/", **body).json()
    answer = getattr(manager, method)(f"spends/{entry['id']}/", amount="1")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, DELETE"
    assert "DELETE" in answer.json()["detail"]
    assert '"correction": true' in answer.json()["detail"]


def test_spend_of_an_archived_campaign_is_recorded(manager, body, campaign):
    manager.post("spends/", **body)
    manager.delete(f"campaigns/{campaign.id}/")
    assert manager.post("spends/", **body).status_code == 201


def record(campaign, amount, day=NOON.date(), **fields):
    spend = NewSpend(campaign.id, Decimal(amount), day, **fields)
    return record_spend(spend=spend, now=NOON, by=ANN).entries[0]


@pytest.mark.parametrize(
    ("query", "amounts"),
    [
        ({}, ["3.00", "2.00", "1.00"]),
        ({"start_date": "2026-03-01"}, ["3.00", "2.00"]),
        ({"end_date": "2026-03-01"}, ["2.00", "1.00"]),
        ({"start_date": "2026-03-01", "end_date": "2026-03-01"}, ["2.00"]),
        ({"source": "google"}, ["1.00"]),
        ({"external_id": "r-1"}, ["1.00"]),
        ({"spend_type": "MONTHLY"}, ["2.00"]),
        ({"kind": "reversal"}, []),
        ({"campaign": "campaign"}, ["3.00", "2.00", "1.00"]),
        ({"brand": "brand"}, ["3.00", "2.00", "1.00"]),
        ({"brand": "other"}, []),
    ],
)
def test_the_list_is_filtered(manager, campaign, query, amounts):
    for days, amount, fields in (
        (2, "1", {"source": "google", "external_id": "r-1"}),
        (1, "2", {"spend_type": "MONTHLY"}),
        (0, "3", {}),
    ):
        record(campaign, amount, NOON.date() - timedelta(days=days), **fields)
    other = make_brand("Contoso")
    ids = {"campaign": campaign.id, "brand": campaign.brand_id, "other": other.id}
    asked = {name: ids.get(word, word) for name, word in query.items()}
    shown = manager.get("spends/", **asked).json()["results"]
    assert [spend["amount"] for spend in shown] == amounts


def test_a_generated_key_is_not_found_by_its_text(manager, campaign):
    entry = record(campaign, "1")
    assert manager.get("spends/", external_id=entry.key).json()["count"] == 0


def test_days_the_wrong_way_round_are_400(manager):
    answer = manager.get("spends/", start_date="2026-03-02", end_date="2026-03-01")
    assert (answer.status_code, list(answer.json())) == (400, ["end_date"])


def rows_of(answer):
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.streaming
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


@pytest.mark.parametrize("ask", ["format", "accept"])
def test_it_is_exported_as_csv_whole(manager, campaign, ask):
    for number in range(3):
        record(campaign, f"1.{number}")
    if ask == "format":
        answer = manager.get("spends/", format="csv", page_size="1")
    else:
        answer = manager.client.get("/api/spends/?page_size=1", headers={"Accept": "text/csv"})
    rows = rows_of(answer)
    assert [row["amount"] for row in rows] == ["1.20", "1.10", "1.00"]
    assert rows[0]["campaign_name"] == "Search"
    assert rows[0]["brand_name"] == "Northwind"
    assert answer["Content-Disposition"] == 'attachment; filename="spends.csv"'


def test_the_export_takes_the_filters(manager, campaign):
    record(campaign, "1"), record(campaign, "2", source="google")
    rows = rows_of(manager.get("spends/", format="csv", source="google"))
    assert [row["amount"] for row in rows] == ["2.00"]


@pytest.mark.parametrize(
    ("text", "exported"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"),
        ("-12.5", "-12.5"),
        ('a "quoted", text', 'a "quoted", text'),
    ],
)
def test_a_cell_is_no_formula(manager, campaign, text, exported):
    record(campaign, "1", description=text)
    (row,) = rows_of(manager.get("spends/", format="csv"))
    assert row["description"] == exported


def test_a_negative_amount_stays_a_number(manager, campaign):
    record(campaign, "-1", is_correction=True, description="Refund")
    (row,) = rows_of(manager.get("spends/", format="csv"))
    assert row["amount"] == "-1.00"


def test_the_export_is_another_agencys_never(stranger, campaign):
    record(campaign, "1")
    assert rows_of(stranger.get("spends/", format="csv")) == []


def test_the_export_is_read_in_the_agencys_own_context(own_agency):
    """Outside of any transaction, and sent after the middleware has left the agency."""
    _, secret = create_api_key(name="probe", role=Role.VIEWER)
    record(make_campaign(make_brand()), "1")
    host = f"{own_agency.slug}.localhost:8000"
    client = Client(HTTP_HOST=host, HTTP_AUTHORIZATION=f"Api-Key {secret}")
    connection.leave()  # type: ignore[attr-defined]
    answer = client.get("/api/spends/?format=csv")
    assert connection.schema_name is None  # type: ignore[attr-defined]
    assert [row["amount"] for row in rows_of(answer)] == ["1.00"]
    assert connection.schema_name is None  # type: ignore[attr-defined]


def test_a_post_adds_two_statements_to_the_service(manager, campaign, body):
    manager.post("spends/", **body)  # The first one of a process may look up more.
    with CaptureQueriesContext(connection) as whole:
        manager.post("spends/", **body)
    with CaptureQueriesContext(connection) as service:
        record(campaign, "25.50")
    assert statements(whole) - statements(service) == STATEMENTS_AROUND_THE_SERVICE


def statements(captured):
    """Count statements, but for those that enter a context: a served connection sends them once."""
    return sum("search_path" not in query["sql"] for query in captured)
