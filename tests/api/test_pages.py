"""Lists: paged, totally ordered, of the same cost for any number, and strict about their query."""

from datetime import time
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.services.budgets import create_group
from campaigns.services.campaigns import command
from campaigns.services.schedules import add_window
from campaigns.services.spend import NewSpend, record_spends
from tests.conftest import ANN, NOON, make_brand, make_campaign

LISTS = ["brands", "budgets", "campaigns", "spends", "schedules"]
# Each with the host's agency, the key, the count, and the page itself.
STATEMENTS = {
    "brands/": 6,  # + limits, spend
    "budgets/": 7,  # + limits, spend, adjustments
    "campaigns/": 7,  # + limits, spend, holds
    "spends/": 4,
    "schedules/": 4,
    "status-changes/": 3,  # no count
    "campaigns/{}/holds/": 5,  # + the campaign
    "reports/monthly/": 9,  # brands, roots, campaigns, limits, spend, holds, adjustments; no pages
}


def fill(count):
    """Make `count` of everything, below one brand and each below its own; return one campaign."""
    shared = make_brand("Shared", daily="1000000")
    for number in range(count):
        own = make_brand(f"Own {number:02}", daily="10", monthly="100")
        group = create_group(brand_id=own.id, name="Social", now=NOON, by=ANN)
        campaign = make_campaign(own, "Search", daily="5", group=group.id)
        shares = make_campaign(shared, f"Part {number:02}")
        spends = [
            NewSpend(c.id, Decimal(7), NOON.date(), external_id=f"{c.id}")
            for c in (campaign, shares)
        ]
        record_spends(spends=spends, now=NOON, by=ANN)
        for day in (0, 1):
            add_window(
                campaign_id=shares.id,
                day_of_week=day,
                start_time=time(9),
                end_time=time(18),
                now=NOON,
                by=ANN,
            )
        command(campaign_ids=[campaign.id, shares.id], status="PAUSED", now=NOON, by=ANN)
    for _ in range(count):
        command(campaign_ids=[campaign.id], status="ACTIVE", now=NOON, by=ANN)
        command(campaign_ids=[campaign.id], status="PAUSED", now=NOON, by=ANN)
    return campaign


@pytest.mark.parametrize("count", [1, 40])
def test_a_list_takes_the_same_statements_for_any_number(manager, count):
    campaign = fill(count)
    manager.get("brands/")  # The first request of a minute notes that the key is used.
    taken = {}
    for path in STATEMENTS:
        with CaptureQueriesContext(connection) as queries:
            query = {} if "reports" in path else {"page_size": "1000"}
            shown = manager.get(path.format(campaign.id), **query).json()
        assert len(shown["results"]) >= count
        # A connection that is served keeps its context; the tests' enters two for each request.
        taken[path] = sum("search_path" not in query["sql"] for query in queries)
    assert taken == STATEMENTS


@pytest.fixture
def brands(acme):
    return [make_brand(f"Brand {number:02}") for number in range(7)]


def names(answer):
    return [row["name"] for row in answer.json()["results"]]


def test_pages_follow_one_another(manager, brands):
    seen, address = [], "/api/brands/?page_size=3"
    counts = set()
    while address:
        answer = manager.client.get(address)
        counts.add(answer.json()["count"])
        seen += names(answer)
        address = answer.json()["next"]
    assert seen == [brand.name for brand in brands]
    assert counts == {7}
    assert answer.json()["previous"] == "http://acme.localhost:8000/api/brands/?page=2&page_size=3"


def test_a_page_has_fifty_rows_unless_told_otherwise(manager, acme):
    for number in range(51):
        make_brand(f"Brand {number:02}")
    assert len(names(manager.get("brands/"))) == 50
    assert len(names(manager.get("brands/", page_size="1000"))) == 51
    assert len(names(manager.get("brands/", page_size="5000"))) == 51


@pytest.mark.parametrize("page", ["2", "999999999"])
def test_a_page_beyond_the_last_is_404(manager, brands, page):
    answer = manager.get("brands/", page=page)
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])


def test_the_first_page_of_nothing_is_empty(manager):
    empty: dict[str, object] = {"count": 0, "next": None, "previous": None, "results": []}
    for name in LISTS:
        assert manager.get(f"{name}/").json() == empty


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("page", "0"),
        ("page", "-1"),
        ("page", "x"),
        ("page", "1" * 5000),
        ("page", "\0"),
        ("page", "١"),
        ("page_size", "0"),
        ("page_size", "-5"),
        ("page_size", "many"),
        ("page_size", "1" * 5000),
        ("format", "xml"),
        ("brand_id", "1"),
        ("Brand", ""),
    ],
)
def test_a_bad_word_of_the_query_is_400_and_named(manager, name, word, value):
    answer = manager.get(f"{name}/", **{word: value})
    assert (answer.status_code, list(answer.json())) == (400, [word])


@pytest.mark.parametrize(
    ("path", "word", "value"),
    [
        ("brands/", "archived", "maybe"),
        ("brands/", "search", "\0"),
        ("brands/", "name", "x" * 300),
        ("budgets/", "kind", "trunk"),
        ("budgets/", "brand", "7"),
        ("campaigns/", "brand", "' OR 1=1"),
        ("campaigns/", "status", "active"),
        ("campaigns/", "group", "null"),
        ("spends/", "start_date", "2026-02-30"),
        ("spends/", "end_date", "yesterday"),
        ("spends/", "campaign", "7"),
        ("spends/", "spend_type", "daily"),
        ("schedules/", "day_of_week", "7"),
        ("schedules/", "day_of_week", "Monday"),
        ("status-changes/", "brand", "7"),
        ("status-changes/", "page", "2"),
        ("reports/monthly/", "brand", "7"),
        ("reports/monthly/", "page", "1"),
    ],
)
def test_a_bad_filter_is_400_and_named(manager, path, word, value):
    answer = manager.get(path, **{word: value})
    assert (answer.status_code, list(answer.json())) == (400, [word])


def test_a_word_that_comes_twice_is_400(manager):
    answer = manager.client.get("/api/campaigns/?platform=google&platform=meta")
    assert (answer.status_code, list(answer.json())) == (400, ["platform"])


def test_one_row_takes_no_filter(manager, brands):
    assert manager.get(f"brands/{brands[0].id}/", name="N").status_code == 400


def test_another_format_than_it_has_does_not_keep_a_list_from_answering(manager, brands):
    answer = manager.client.get("/api/brands/", headers={"Accept": "image/png"})
    assert answer["Content-Type"] == "application/json"


# Addresses ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["brands", "docs", "schema", "reports/monthly", "health"])
def test_an_address_without_its_slash_leads_there_with_method_and_body(manager, path):
    answer = manager.get(path, page="1")
    assert (answer.status_code, answer["Location"]) == (308, f"/api/{path}/?page=1")


def test_a_post_without_its_slash_is_not_lost(manager):
    address = "/api/brands"
    manager.client.handler.enforce_csrf_checks = True
    answer = manager.client.post(address, {"name": "N"}, "application/json", follow=True)
    assert (answer.status_code, answer.json()["name"]) == (201, "N")


def test_a_redirect_stays_on_the_host(manager):
    answer = manager.client.get("/api//evil.example/brands")
    assert answer.status_code == 404


@pytest.mark.parametrize("tail", ["x", "7", "%00", "..", "NULL", "{id}x", "{id}%0a", "{ID}"])
def test_an_id_with_something_wrong_is_404(manager, brands, tail):
    known = str(brands[0].id)
    path = tail.replace("{id}", known).replace("{ID}", known.upper())
    answer = manager.client.get(f"/api/brands/{path}/")
    assert answer.status_code == 404
    assert "detail" in answer.json()


def test_head_and_options_are_no_writing(viewer, brands):
    assert viewer.client.head("/api/brands/").status_code == 200
    answer = viewer.client.options("/api/brands/")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")
