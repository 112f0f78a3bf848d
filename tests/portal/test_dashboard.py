"""The dashboard tells every figure and every reason, and costs the same for any number of rows."""

import re

import pytest

from campaigns.services import campaigns, schedules
from campaigns.services.schedules import NewWindow
from portal import overview
from tests.conftest import ANN, NOON, make_brand, make_campaign

from .conftest import part, spend

STATEMENTS = 16


def text(response) -> str:
    """The page as people read it: without tags, and with single spaces."""
    plain = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(plain.split())


def test_it_shows_todays_and_the_months_figures_of_brand_and_campaign(viewer, brand):
    spend(make_campaign(brand, "Search", daily="80"), "30")
    page = text(viewer.get("/"))
    assert "30.00 of 100.00 USD 30 %" in page
    assert "30.00 of 2,000.00 USD 1 %" in page
    assert "30.00 of 80.00 USD 37 %" in page


def test_a_held_campaign_says_why_and_when_it_comes_back(viewer, brand, campaign):
    spend(campaign, "100")
    page = text(viewer.get("/"))
    sentence = (
        "Paused since 12:00: daily budget of Northwind spent, 100.00 of 100.00 USD."
        " Resumes 00:00 UTC."
    )
    # Once among what needs attention, once beside the campaign.
    assert page.count(sentence) == 2


def test_times_are_those_of_the_brands_wall_clock(viewer, acme):
    make_brand("Kaito", time_zone="Asia/Tokyo")
    assert "21:00 Asia/Tokyo" in text(viewer.get("/"))


@pytest.mark.parametrize(
    ("amount", "is_told"), [("79.99", False), ("80.00", True), ("100.00", True)]
)
def test_a_limit_needs_attention_from_80_percent_on(viewer, brand, campaign, amount, is_told):
    spend(campaign, amount)
    attention = viewer.get("/").context["board"].attention
    assert [item.subject for item in attention.urgent] == ([brand] if is_told else [])


def test_one_limit_that_holds_many_campaigns_is_one_item(viewer, brand, campaign):
    for name in ("Two", "Three"):
        make_campaign(brand, name)
    spend(campaign, "100")
    page = viewer.get("/")
    assert [item.held for item in page.context["board"].attention.urgent] == [3]
    assert "3 campaigns held." in text(page)


def test_what_hours_and_flights_hold_is_told_apart_as_planned(viewer, brand):
    night = make_campaign(brand, "Night")
    window = NewWindow(0, NOON.time().replace(hour=20), NOON.time().replace(hour=22))
    schedules.change_windows(campaign_id=night.id, add=[window], now=NOON, by=ANN)
    make_campaign(brand, "Held", status="PAUSED")
    attention = viewer.get("/").context["board"].attention
    assert [str(item.subject) for item in attention.urgent] == ["Held"]
    assert [str(item.subject) for item in attention.planned] == ["Night"]
    assert "Resumes 20:00 UTC." in attention.planned[0].sentence


def test_what_is_switched_off_needs_no_attention(viewer, brand):
    campaign = make_campaign(brand, daily="10")
    spend(campaign, "10")
    campaigns.command(campaign_ids=[campaign.id], status="INACTIVE", now=NOON, by=ANN)
    assert viewer.get("/").context["board"].attention.urgent == []


def test_it_counts_campaigns_by_what_people_call_them(viewer, brand):
    make_campaign(brand, "Runs")
    make_campaign(brand, "Waits", start_date=NOON.date().replace(day=9))
    make_campaign(brand, "Off", status="INACTIVE")
    counts = dict(viewer.get("/").context["board"].counts)
    assert counts == {
        "running": 1, "waiting": 0, "paused": 0, "scheduled": 1, "ended": 0, "off": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Search", "Video"}),
        ("?q=sea", {"Search"}),
        ("?q=NORTH", {"Search"}),
        ("?q=yt-7", {"Video"}),
        ("?status=paused", {"Video"}),
        ("?status=running&q=video", set()),
        ("?status=nonsense", {"Search", "Video"}),
    ],
)
def test_it_filters_by_words_and_status(viewer, brand, query, names):
    make_campaign(brand, "Search")
    make_campaign(make_brand("Other"), "Video", status="PAUSED", external_id="yt-7")
    board = viewer.get(f"/{query}").context["board"]
    assert {line.campaign.name for block in board.blocks for line in block.lines} == names


def test_it_filters_by_brand(viewer, brand, campaign):
    other = make_brand("Other")
    board = viewer.get(f"/?brand={other.id}").context["board"]
    assert [block.brand.name for block in board.blocks] == ["Other"]


@pytest.mark.parametrize("count", [1, 12])
def test_it_takes_the_same_statements_for_any_number(
    viewer, acme, count, django_assert_num_queries
):
    for number in range(count):
        brand = make_brand(f"Brand {number}", daily="100")
        for name in ("One", "Two", "Three")[: min(count, 3)]:
            spend(make_campaign(brand, name, daily="50"), "45")
        make_campaign(brand, "Held", status="PAUSED")
        make_campaign(brand, "Late", start_date=NOON.date().replace(day=9))
    with django_assert_num_queries(STATEMENTS):
        viewer.get("/")


def test_a_page_has_a_limit_of_brands_and_of_rows(viewer, acme, monkeypatch):
    monkeypatch.setattr(overview, "BRANDS_A_PAGE", 2)
    monkeypatch.setattr(overview, "ROWS_UNASKED", 3)
    monkeypatch.setattr(overview, "CAMPAIGNS_A_BRAND", 2)
    for name in ("A", "B", "C"):
        brand = make_brand(name)
        for number in range(3):
            make_campaign(brand, f"Campaign {number}")
    board = viewer.get("/").context["board"]
    shown = [(block.brand.name, block.is_open, len(block.lines)) for block in board.blocks]
    assert shown == [("A", True, 2), ("B", False, 0)]
    assert (board.blocks[0].more, board.page.has_next) == (1, True)
    assert [b.brand.name for b in viewer.get("/?page=9").context["board"].blocks] == ["C"]


def live(client, query=""):
    return client.get(f"/{query}", headers={"hx-request": "true"})


def test_the_live_part_comes_alone_and_is_left_alone_where_nothing_changed(viewer, brand, campaign):
    first = live(viewer)
    assert first.content.startswith(b'<div id="live"')
    digest = part(r'"seen":"(\w+)"', first.content.decode())
    assert live(viewer, f"?seen={digest}").status_code == 204
    spend(campaign, "1")
    assert live(viewer, f"?seen={digest}").status_code == 200


def test_the_live_part_keeps_the_filter_but_not_its_own_parameters(viewer, brand):
    page = live(viewer, "?status=paused&seen=abc&folds=1&open=planned").content.decode()
    assert 'hx-get="/?status=paused"' in page


def test_folds_stay_as_the_browser_says(viewer, brand, campaign):
    key = f"brand-{brand.id}"
    opened = live(viewer, f"?folds=1&open={key}").content.decode()
    closed = live(viewer, "?folds=1").content.decode()
    assert f'id="{key}" data-fold open' in opened
    assert f'id="{key}" data-fold>' in closed
    assert "Search" not in text(live(viewer, "?folds=1"))


def test_an_empty_agency_is_told_what_to_do_next(owner, viewer, acme):
    assert "Create the first brand" in text(owner.get("/"))
    assert "Create the first brand" not in text(viewer.get("/"))


def test_amounts_of_two_currencies_stand_apart(viewer, acme):
    make_brand("Yen", currency="JPY", daily="5000")
    make_brand("Dollar", currency="USD", daily="50")
    page = text(viewer.get("/"))
    assert "0 of 5,000 JPY" in page
    assert "0.00 of 50.00 USD" in page
