"""Campaigns that wait for a person are told apart; budgets that only alert pause nothing."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from budgets.services import lock_brand, root_of
from campaigns.enforcement import enforce_delivery
from campaigns.models import WAITS, Campaign, Hold, Status
from campaigns.services import campaigns
from campaigns.services.spend import NewSpend, record_spend
from tests.conftest import ANN, NOON, make_campaign

from .conftest import spend
from .test_budgets import set_terms
from .test_dashboard import text

TUESDAY = NOON + timedelta(days=1)


@pytest.fixture
def waiting(brand, campaign):
    """Tuesday noon: Monday's daily budget of the brand was spent, and its mode resumes nothing."""
    set_terms(root_of(brand).id, mode="pause")
    make_campaign(brand, "Video")
    spend(campaign, "100")
    enforce_delivery({brand.id: lock_brand(brand.id, by=ANN)}, now=TUESDAY, by=ANN)
    with time_machine.travel(TUESDAY, tick=False):
        yield campaign


SENTENCE = "Its day is over; resumes when a person resumes it."


def test_what_waits_for_a_person_says_so_and_is_resumed(manager, waiting):
    path = f"/campaigns/{waiting.id}/"
    page = manager.get(path).content.decode()
    assert "Waits for you" in page
    assert SENTENCE in page
    assert 'value="ACTIVE">Resume' in page
    manager.post(f"{path}command/", {"status": "ACTIVE"})
    waiting.refresh_from_db()
    assert waiting.status == Status.ACTIVE


def test_what_waits_is_an_item_of_its_own_and_a_status_to_filter_by(manager, viewer, waiting):
    board = manager.get("/?status=waiting").context["board"]
    (item,) = board.attention.urgent
    assert (item.level, item.kind, item.held) == ("waiting", "daily budget, waits for you", 2)
    assert SENTENCE in item.sentence
    assert dict(board.counts)["waiting"] == 2
    assert [line.campaign.name for line in board.blocks[0].lines] == ["Search", "Video"]
    assert "2 campaigns wait." in text(manager.get("/"))
    assert "Resume all 2" in text(manager.get("/"))
    assert "Resume" not in text(viewer.get("/"))


def test_what_waits_is_counted_apart_from_what_the_same_limit_holds_today(viewer, waiting):
    new = NewSpend(waiting.id, Decimal(100), TUESDAY.date())
    record_spend(spend=new, now=TUESDAY, by=ANN)
    items = viewer.get("/").context["board"].attention.urgent
    assert [(item.level, item.held) for item in items] == [("waiting", 2), ("spent", 2)]


def test_all_that_wait_for_a_budget_are_resumed_at_once(manager, brand, waiting):
    paused = Campaign.objects.get(name="Video")
    campaigns.command(campaign_ids=[paused.id], status="PAUSED", now=TUESDAY, by=ANN)
    off = make_campaign(brand, "Off", status="INACTIVE", now=TUESDAY)
    page = manager.post(f"/budgets/{root_of(brand).id}/resume/", {"next": "/"}, follow=True)
    assert "1 campaign resumed." in text(page)
    statuses = dict(Campaign.objects.values_list("name", "status"))
    # What somebody paused or switched off by hand is theirs to resume.
    assert statuses == {"Search": "ACTIVE", "Video": "PAUSED", off.name: "INACTIVE"}
    again = manager.post(f"/budgets/{root_of(brand).id}/resume/", follow=True)
    assert "Nothing waits here any more." in text(again)


def test_resuming_many_tells_how_many_are_still_held(manager, brand, waiting):
    campaigns.update_campaign(
        campaign_id=waiting.id, changes={"end_date": NOON.date()}, now=TUESDAY, by=ANN
    )
    page = manager.post(f"/budgets/{root_of(brand).id}/resume/", follow=True)
    assert "2 campaigns resumed. Of them 1 still held, for other reasons." in text(page)
    assert not Hold.objects.filter(origin=WAITS, released_at=None).exists()


def test_a_budget_that_only_alerts_says_what_it_would_have_held(viewer, brand, campaign):
    set_terms(root_of(brand).id, mode="alert_only")
    make_campaign(brand, "Video")
    spend(campaign, "100")
    page = text(viewer.get(f"/campaigns/{campaign.id}/"))
    told = (
        "would be held Since 12:00: daily budget of Northwind spent, 100.00 of 100.00 USD."
        " Its budget only alerts, so it runs on."
    )
    assert told in page
    assert "Running Nothing holds it." in page
    board = viewer.get("/")
    (item,) = board.context["board"].attention.urgent
    assert (item.level, item.held, item.is_alert) == ("spent", 2, True)
    assert "2 campaigns would be held." in text(board)
    assert dict(board.context["board"].counts)["paused"] == 0


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({}, "Pauses at the limit until 00:00 UTC."),
        ({"mode": "pause"}, "Pauses at the limit until a person resumes."),
        ({"mode": "alert_only"}, "It only alerts: nothing pauses at the limit."),
        ({"stop_at": 90}, "Pauses at 90 % of the limit until 00:00 UTC."),
    ],
)
def test_a_limit_that_is_near_tells_what_will_happen(viewer, brand, campaign, terms, told):
    set_terms(root_of(brand).id, **terms)
    spend(campaign, "85")
    assert [i.sentence for i in viewer.get("/").context["board"].attention.urgent] == [told]


def test_history_keeps_alerts_and_tells_when_they_were_over(viewer, brand, campaign):
    set_terms(root_of(brand).id, mode="alert_only")
    spend(campaign, "100")
    enforce_delivery({brand.id: lock_brand(brand.id, by=ANN)}, now=TUESDAY, by=ANN)
    page = text(viewer.get(f"/campaigns/{campaign.id}/history/"))
    assert re.search(
        r"only alerts, so it runs on\. noticed 2 Mar 2026, 12:00 UTC, over 3 Mar", page
    )
