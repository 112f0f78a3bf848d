"""The trail through the API: who changed what, the newest first, and for nobody to write."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiKey, User
from tests.api.conftest import Api
from tests.conftest import make_brand, make_campaign
from trail.models import Entry


@pytest.fixture
def campaign(acme):
    return make_campaign(make_brand("Northwind"), "Spring sale")


def trail(client, **query):
    answer = client.get("trail/", **query)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_a_change_by_a_key_is_told_with_who_and_from_what_to_what(manager, campaign):
    manager.patch(f"campaigns/{campaign.id}/", end_date="2026-12-15")
    key = ApiKey.objects.get(name="manager of acme")
    entry = trail(manager, kind="campaign")[0]
    sentence = "API key manager of acme changed campaign Spring sale: end date none → 15 Dec 2026"
    assert entry == {
        "id": entry["id"],
        "at": entry["at"],
        "by_kind": "key",
        "by_id": str(key.id),
        "by": "API key manager of acme",
        "operation": "update",
        "kind": "campaign",
        "object": str(campaign.id),
        "name": "Spring sale",
        "brand": str(campaign.brand_id),
        "campaign": str(campaign.id),
        "before": {"end_date": None},
        "after": {"end_date": "2026-12-15"},
        "sentence": sentence,
        "request_id": entry["request_id"],
    }


def test_a_change_by_a_session_is_the_persons(acme, log_in):
    max_ = Api(log_in("max@acme.example"))
    max_.post("brands/", name="Contoso")
    assert [e["by"] for e in trail(max_, kind="brand")] == ["Max"]


def test_limits_are_amounts_in_the_brands_currency(manager):
    yen = manager.post("brands/", name="Y", currency="JPY", daily_budget="1200").json()
    manager.post("brands/", name="D", monthly_budget="99.5")
    dollars, yens = trail(manager, kind="limit")
    assert (dollars["after"]["monthly_limit"], yens["after"]["daily_limit"]) == ("99.50", "1200")
    assert yens["brand"] == yen["id"]
    assert "daily budget 1,200 JPY" in yens["sentence"]


def test_it_is_read_back_page_by_page_and_none_comes_twice(manager, campaign):
    for number in range(7):
        manager.patch(f"campaigns/{campaign.id}/", name=f"Sale {number}")
    whole = [entry["id"] for entry in trail(manager)]
    read, cursor = [], ""
    while cursor is not None:
        page = manager.get("trail/", cursor=cursor, page_size="3").json()
        read += [entry["id"] for entry in page["results"]]
        cursor = page["next"]
        # What is added meanwhile shifts nothing.
        manager.patch(f"campaigns/{campaign.id}/", platform=f"p{len(read)}")
    assert read == whole
    assert whole == sorted(whole, key=int, reverse=True)


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 19, "9" * 400, "١", "\0"])
def test_a_cursor_that_is_none_is_400(manager, cursor):
    answer = manager.get("trail/", cursor=cursor)
    assert (answer.status_code, list(answer.json())) == (400, ["cursor"])


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "x"},
        {"operation": "x"},
        {"brand": "x"},
        {"from": "x"},
        {"from": "2026-03-02", "to": "2026-03-01"},
        {"after": "1"},
        {"format": "x"},
    ],
    ids=lambda query: next(iter(query)),
)
def test_a_filter_that_is_none_is_400(manager, query):
    assert manager.get("trail/", **query).status_code == 400


def test_it_is_filtered(manager, campaign, acme):
    other = make_campaign(make_brand("Contoso"), "Other")
    manager.patch(f"campaigns/{campaign.id}/", name="Summer sale")
    key = ApiKey.objects.get(name="manager of acme")
    monday = {"day_of_week": 0, "start_time": "09:00:00", "end_time": "17:00:00"}
    made = manager.post("schedules/", campaign=str(campaign.id), **monday).json()

    def found(**query):
        return {(e["kind"], e["operation"], e["name"]) for e in trail(manager, **query)}

    renamed = ("campaign", "update", "Summer sale")
    window = ("window", "insert", "Summer sale")
    assert found(actor=key.id) == {renamed, window}
    assert found(object=made["id"]) == {window}
    assert found(kind="campaign", operation="update") == {renamed}
    assert found(campaign=campaign.id) >= {renamed, window, ("campaign", "insert", "Spring sale")}
    assert found(campaign=campaign.id).isdisjoint(found(campaign=other.id))
    assert found(brand=other.brand_id) >= {
        ("brand", "insert", "Contoso"),
        ("campaign", "insert", "Other"),
    }
    assert renamed not in found(brand=other.brand_id)
    assert found(actor="system").isdisjoint({renamed, window})
    assert found(actor="nobody") == set()


def test_days_are_utcs_and_the_last_is_included(manager, campaign):
    # Rows of the trail can't be dated afterwards, so the question is moved instead.
    at = Entry.objects.earliest("pgh_created_at").pgh_created_at
    day = f"{at:%Y-%m-%d}"
    assert trail(manager, **{"from": day, "to": day})
    assert not trail(manager, to="2026-03-01")
    assert not trail(manager, **{"from": "2199-01-01"})
    since = Entry.objects.latest("pgh_id").pgh_created_at
    last = trail(manager, **{"from": since.isoformat()})
    assert [entry["id"] for entry in last] == [str(Entry.objects.latest("pgh_id").pgh_id)]


def test_it_is_a_file_too_that_a_spreadsheet_does_not_run(manager, campaign):
    manager.patch(f"campaigns/{campaign.id}/", name="=1+1")
    answer = manager.get("trail/", format="csv", kind="campaign")
    assert answer["Content-Disposition"] == 'attachment; filename="trail.csv"'
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [row["name"] for row in rows] == ["'=1+1", "Spring sale"]
    assert rows[0]["after"] == '{"name": "=1+1"}'
    assert rows[1]["before"] == ""
    assert rows[0]["sentence"].startswith("API key manager of acme changed campaign")


def test_a_long_file_is_read_in_chunks(manager, campaign, monkeypatch):
    monkeypatch.setattr("trail.queries.CHUNK_ROWS", 2)
    answer = manager.get("trail/", format="csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == 1 + Entry.objects.count()


def test_it_takes_the_same_statements_for_any_number(manager, campaign):
    group = manager.post("budgets/", brand=str(campaign.brand_id), name="Search").json()["id"]

    def statements():
        with CaptureQueriesContext(connection) as queries:
            trail(manager)
        return len(queries)

    manager.patch(f"campaigns/{campaign.id}/", group=group)
    before = statements()
    for number in range(20):
        make_campaign(campaign.brand, f"Sale {number}", daily="5")
    assert statements() == before


def test_a_deleted_campaign_leaves_its_trail(manager, campaign):
    manager.delete(f"campaigns/{campaign.id}/")
    told = trail(manager, campaign=campaign.id)
    assert ("campaign", "delete", "Spring sale") in {
        (e["kind"], e["operation"], e["name"]) for e in told
    }
    assert told[-1]["operation"] == "insert"


def test_a_viewer_may_not_read_it_and_a_stranger_sees_nothing_of_it(viewer, stranger, campaign):
    answer = viewer.get("trail/")
    assert answer.status_code == 403
    assert answer.json() == {"detail": "Your role does not include the right to read the trail."}
    assert viewer.get("trail/", format="csv").status_code == 403
    assert "Spring sale" not in str(trail(stranger))
    assert trail(stranger, campaign=campaign.id) == []


def test_a_key_that_is_limited_to_brands_reads_of_these(manager, campaign):
    other = make_campaign(make_brand("Contoso"), "Other")
    ApiKey.objects.update(brand_ids=[other.brand_id])
    told = trail(manager)
    assert {entry["brand"] for entry in told} == {str(other.brand_id)}
    assert trail(manager, campaign=campaign.id) == []


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_nobody_writes_it(manager, method):
    assert getattr(manager, method)("trail/").status_code == 405
    assert manager.delete("trail/").status_code == 405


def test_no_secret_is_in_it(manager, acme):
    user = User.objects.get(email="max@acme.example")
    user.set_password("another battery staple")
    user.save()
    told = trail(manager, kind="user")
    assert told[0]["after"] == {"password": "***"}
    assert "password changed" in told[0]["sentence"]
    assert user.password not in str(told)


def test_what_is_refused_leaves_no_trail(manager, campaign):
    count = Entry.objects.count()
    refused = manager.patch(
        f"campaigns/{campaign.id}/", start_date="2026-04-02", end_date="2026-04-01"
    )
    assert refused.status_code == 400
    assert Entry.objects.count() == count
