"""The feed of status changes: in order, from a cursor, none skipped and none twice."""

import pytest

from tests.conftest import make_brand, make_campaign


@pytest.fixture
def campaign(acme):
    return make_campaign(make_brand(), "Search", platform="google", external_id="g-1")


def test_a_change_tells_the_platform_what_to_do(manager, campaign):
    manager.patch(f"campaigns/{campaign.id}/", status="PAUSED")
    made, paused = manager.get("status-changes/").json()["results"]
    assert (made["from"], made["to"], made["version"]) == (None, "ACTIVE", 1)
    assert paused == {
        "id": paused["id"],
        "campaign": str(campaign.id),
        "name": "Search",
        "platform": "google",
        "external_id": "g-1",
        "from": "ACTIVE",
        "to": "PAUSED",
        "reasons": ["manual"],
        "version": 2,
        "at": "2026-03-02T12:00:00Z",
        "by": "API key manager of acme",
    }


def test_it_is_read_on_from_the_cursor(manager, campaign):
    for status in ("PAUSED", "ACTIVE", "PAUSED", "ACTIVE"):
        manager.patch(f"campaigns/{campaign.id}/", status=status)
    versions, cursor, has_more = [], "", True
    while has_more:
        shown = manager.get("status-changes/", after=cursor, page_size="2").json()
        versions += [change["version"] for change in shown["results"]]
        assert shown["has_more"] is (len(versions) < 5)
        cursor, has_more = shown["next"], shown["has_more"]
    assert versions == [1, 2, 3, 4, 5]


def test_at_the_end_the_cursor_stays_and_later_changes_follow(manager, campaign):
    cursor = manager.get("status-changes/").json()["next"]
    nothing = manager.get("status-changes/", after=cursor).json()
    assert nothing == {"results": [], "next": cursor, "has_more": False}
    manager.patch(f"campaigns/{campaign.id}/", status="PAUSED")
    (change,) = manager.get("status-changes/", after=cursor).json()["results"]
    assert change["to"] == "PAUSED"


def test_before_the_first_change_there_is_a_cursor_too(manager, acme):
    cursor = manager.get("status-changes/").json()["next"]
    make_campaign(make_brand())
    assert len(manager.get("status-changes/", after=cursor).json()["results"]) == 1


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "1e3", "9" * 19, "9" * 400, "١", "\0", " 1"])
def test_a_cursor_that_is_none_is_400(manager, after):
    answer = manager.get("status-changes/", after=after)
    assert (answer.status_code, list(answer.json())) == (400, ["after"])


def test_it_is_filtered_by_platform_campaign_and_brand(manager, campaign):
    make_campaign(make_brand("Contoso"), "Other", platform="meta")
    for query in (
        {"platform": "google"},
        {"campaign": campaign.id},
        {"brand": campaign.brand_id},
    ):
        shown = manager.get("status-changes/", **query).json()["results"]
        assert [change["name"] for change in shown] == ["Search"]


def test_a_viewer_reads_it_and_a_stranger_sees_nothing(viewer, stranger, campaign):
    assert len(viewer.get("status-changes/").json()["results"]) == 1
    assert stranger.get("status-changes/").json()["results"] == []


def test_nobody_writes_it(manager):
    assert manager.post("status-changes/").status_code == 405


def test_the_feed_of_a_brand_tells_of_its_deleted_campaigns(manager):
    brand = make_brand()
    campaign = make_campaign(brand)
    manager.delete(f"campaigns/{campaign.id}/")
    told = manager.get("status-changes/", brand=brand.id).json()["results"]
    assert [change["to"] for change in told] == ["ACTIVE", "INACTIVE"]
