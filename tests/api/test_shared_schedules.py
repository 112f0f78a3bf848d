"""Shared schedules, exceptions by date, and the timeline, as the API has them."""

from datetime import date

import pytest

from tests.conftest import NOBODY, make_brand, make_campaign

# Noon of Monday, 2 March 2026.
MORNING = {"day_of_week": 0, "start_time": "06:00:00", "end_time": "10:00:00"}
ALL_DAY = {"day_of_week": 0, "start_time": "06:00:00", "end_time": "22:00:00"}


@pytest.fixture
def campaign(acme):
    return make_campaign(make_brand())


def status_of(client, campaign):
    return client.get(f"campaigns/{campaign.id}/").json()["status"]


def test_a_schedule_is_made_used_changed_and_left(manager, campaign):
    made = manager.post("shared-schedules/", name="Office", windows=[MORNING])
    assert made.status_code == 201
    schedule = made.json()
    assert schedule == {
        "id": schedule["id"],
        "name": "Office",
        "windows": [MORNING | {"is_active": True}],
        "campaigns": 0,
    }
    address = f"shared-schedules/{schedule['id']}/"
    other = make_campaign(make_brand("Contoso"))
    for each in (campaign, other):
        used = manager.patch(f"campaigns/{each.id}/", shared_schedule=schedule["id"]).json()
        assert (used["shared_schedule"], used["status"]) == (schedule["id"], "PAUSED")
    assert manager.delete(address).status_code == 409
    # A change decides at once for every brand that uses it.
    assert manager.patch(address, windows=[ALL_DAY]).json()["campaigns"] == 2
    assert [status_of(manager, each) for each in (campaign, other)] == ["ACTIVE", "ACTIVE"]
    assert manager.put(address, **manager.get(address).json()).status_code == 200
    for each in (campaign, other):
        manager.patch(f"campaigns/{each.id}/", shared_schedule=None)
    assert manager.delete(address).status_code == 204


def test_a_campaigns_own_windows_wait_while_it_uses_a_shared_schedule(manager, campaign):
    schedule = manager.post("shared-schedules/", name="Office", windows=[MORNING]).json()
    manager.post("schedules/", campaign=str(campaign.id), **ALL_DAY)
    assert manager.get("schedules/").json()["count"] == 1
    used = manager.patch(f"campaigns/{campaign.id}/", shared_schedule=schedule["id"]).json()
    assert used["status"] == "PAUSED"
    own = manager.patch(f"campaigns/{campaign.id}/", shared_schedule=None).json()
    assert own["status"] == "ACTIVE"


def test_a_campaign_may_be_made_with_a_shared_schedule(manager, campaign):
    schedule = manager.post("shared-schedules/", name="Office", windows=[MORNING]).json()
    made = manager.post(
        "campaigns/",
        brand=str(campaign.brand_id),
        name="New",
        shared_schedule=schedule["id"],
    ).json()
    assert (made["pause_reason"], made["holds"][0]["until"]) == ("daypart", "2026-03-09T06:00:00Z")


def test_a_closed_day_closes_and_the_hold_tells_the_window_that_will_open(manager, campaign):
    for day in (0, 1, 2):
        window = ALL_DAY | {"day_of_week": day}
        manager.post("schedules/", campaign=str(campaign.id), **window)
    closed = {"campaign": str(campaign.id), "closed": True, "note": "Holiday"}
    assert manager.post("schedule-exceptions/", **closed, day="2026-03-03").status_code == 201
    made = manager.post("schedule-exceptions/", **closed, day="2026-03-02").json()
    assert made == {
        "id": made["id"],
        "campaign": str(campaign.id),
        "shared_schedule": None,
        "day": "2026-03-02",
        "hours": [],
        "closed": True,
        "note": "Holiday",
        "created_at": made["created_at"],
        "updated_at": made["updated_at"],
    }
    (hold,) = manager.get(f"campaigns/{campaign.id}/").json()["holds"]
    assert (hold["reason"], hold["until"]) == ("daypart", "2026-03-04T06:00:00Z")
    address = f"schedule-exceptions/{made['id']}/"
    hours = [{"start_time": "11:00:00", "end_time": "13:00:00"}]
    assert manager.patch(address, hours=hours).json()["closed"] is False
    assert status_of(manager, campaign) == "ACTIVE"
    assert manager.put(address, **manager.get(address).json()).status_code == 200
    assert manager.patch(address, closed=True).json()["hours"] == []
    assert manager.delete(address).status_code == 204
    assert status_of(manager, campaign) == "ACTIVE"


def test_no_window_opens_after_the_flights_end(manager, campaign):
    manager.post("schedules/", campaign=str(campaign.id), **MORNING)
    manager.patch(f"campaigns/{campaign.id}/", end_date="2026-03-08")
    (hold,) = manager.get(f"campaigns/{campaign.id}/").json()["holds"]
    assert (hold["reason"], hold["until"]) == ("daypart", None)
    manager.patch(f"campaigns/{campaign.id}/", end_date="2026-03-09")
    (hold,) = manager.get(f"campaigns/{campaign.id}/").json()["holds"]
    assert hold["until"] == "2026-03-09T06:00:00Z"


def test_an_exception_of_a_shared_schedule_closes_all_its_users(manager, campaign):
    schedule = manager.post("shared-schedules/", name="Office").json()
    other = make_campaign(make_brand("Contoso", time_zone="Pacific/Kiritimati"))
    for each in (campaign, other):
        manager.patch(f"campaigns/{each.id}/", shared_schedule=schedule["id"])
    manager.post(
        "schedule-exceptions/", shared_schedule=schedule["id"], day="2026-03-02", closed=True
    )
    # In Kiritimati it is Tuesday already.
    assert [status_of(manager, each) for each in (campaign, other)] == ["PAUSED", "ACTIVE"]
    listed = manager.get("schedule-exceptions/", shared_schedule=schedule["id"]).json()
    assert listed["count"] == 1
    assert manager.get("schedule-exceptions/", campaign=str(campaign.id)).json()["count"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"day": "2026-02-30"}, "day"),
        ({"day": "1969-12-31"}, "day"),
        ({"day": "2200-01-01"}, "day"),
        ({"day": "2026-03-05"}, "day"),
        ({"closed": False}, "hours"),
        ({"closed": None}, "closed"),
        ({"hours": [{"start_time": "09:00:00", "end_time": "10:00:00"}]}, "closed"),
        ({"closed": False, "hours": []}, "closed"),
        ({"closed": False, "hours": [{"start_time": "09:00", "end_time": "09:00"}]}, "hours"),
        (
            {
                "closed": False,
                "hours": [
                    {"start_time": "09:00", "end_time": "11:00"},
                    {"start_time": "10:59:59", "end_time": "12:00"},
                ],
            },
            "hours",
        ),
        ({"closed": False, "hours": [{"start_time": "25:00", "end_time": "26:00"}]}, "hours"),
        ({"campaign": NOBODY}, "campaign"),
        ({"campaign": None}, "campaign"),
        ({"note": "n" * 201}, "note"),
        ({"weekday": 3}, "weekday"),
    ],
)
def test_an_exception_that_can_not_be_is_refused_by_its_name(manager, campaign, change, field):
    body = {"campaign": str(campaign.id), "day": "2026-03-04", "closed": True}
    assert manager.post("schedule-exceptions/", **body | {"day": "2026-03-05"}).status_code == 201
    answer = manager.post("schedule-exceptions/", **(body | change))
    assert answer.status_code in (400, 404)
    assert list(answer.json()) == [field]
    assert manager.get("schedule-exceptions/").json()["count"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "office"}, "name"),
        ({"name": ""}, "name"),
        ({"windows": [MORNING | {"day_of_week": 7}]}, "windows"),
        ({"windows": [MORNING | {"end_time": "06:00:00"}]}, "end_time"),
        ({"windows": "always"}, "windows"),
        ({"windows": [MORNING] * 501}, "windows"),
    ],
)
def test_a_shared_schedule_that_can_not_be_is_refused(manager, change, field):
    manager.post("shared-schedules/", name="Office")
    answer = manager.post("shared-schedules/", **({"name": "Night"} | change))
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert manager.get("shared-schedules/").json()["count"] == 1


def test_archived_campaigns_are_no_users(manager, campaign):
    schedule = manager.post("shared-schedules/", name="Office").json()
    manager.patch(f"campaigns/{campaign.id}/", shared_schedule=schedule["id"])
    spend = {"campaign": str(campaign.id), "amount": "1", "spend_date": "2026-03-02"}
    assert manager.post("spends/", **spend).status_code == 201
    manager.delete(f"campaigns/{campaign.id}/")
    address = f"shared-schedules/{schedule['id']}/"
    assert manager.get(address).json()["campaigns"] == 0
    assert manager.delete(address).status_code == 204
    assert manager.get(f"campaigns/{campaign.id}/").json()["shared_schedule"] is None


def test_a_viewer_looks_and_a_stranger_finds_nothing(manager, viewer, stranger, campaign):
    schedule = manager.post("shared-schedules/", name="Office").json()
    exception = manager.post(
        "schedule-exceptions/", campaign=str(campaign.id), day="2026-03-04", closed=True
    ).json()
    addresses = [f"shared-schedules/{schedule['id']}/", f"schedule-exceptions/{exception['id']}/"]
    for address in addresses:
        assert viewer.get(address).status_code == 200
        assert viewer.delete(address).status_code == 403
        assert stranger.get(address).status_code == 404
        assert stranger.delete(address).status_code == 404
    assert viewer.post("shared-schedules/", name="N").status_code == 403
    assert viewer.post("schedule-exceptions/", day="2026-03-04", closed=True).status_code == 403
    assert stranger.get("shared-schedules/").json()["count"] == 0
    assert stranger.get("schedule-exceptions/").json()["count"] == 0
    theirs = stranger.post(
        "schedule-exceptions/", shared_schedule=schedule["id"], day="2026-03-04", closed=True
    )
    assert theirs.status_code == 404
    assert viewer.get(f"campaigns/{campaign.id}/timeline/").status_code == 200
    assert stranger.get(f"campaigns/{campaign.id}/timeline/").status_code == 404


# The timeline -------------------------------------------------------------------------------------
def timeline(client, campaign, **query):
    answer = client.get(f"campaigns/{campaign.id}/timeline/", **query)
    assert answer.status_code == 200, answer.content
    return [(each["start"], each["end"]) for each in answer.json()["intervals"]]


def test_the_timeline_tells_windows_exceptions_and_the_flight(manager, acme):
    campaign = make_campaign(
        make_brand(time_zone="Europe/Riga"),
        start_date=date(2026, 3, 27),
        end_date=date(2026, 3, 31),
    )
    for day in range(7):
        window = {"day_of_week": day, "start_time": "09:00:00", "end_time": "18:00:00"}
        manager.post("schedules/", campaign=str(campaign.id), **window)
    manager.post("schedule-exceptions/", campaign=str(campaign.id), day="2026-03-28", closed=True)
    hours = [{"start_time": "22:00:00", "end_time": "02:00:00"}]
    manager.post("schedule-exceptions/", campaign=str(campaign.id), day="2026-03-30", hours=hours)
    assert timeline(manager, campaign, **{"from": "2026-03-25", "to": "2026-04-10"}) == [
        ("2026-03-27T07:00:00Z", "2026-03-27T16:00:00Z"),
        # The clock was put forward on the 29th.
        ("2026-03-29T06:00:00Z", "2026-03-29T15:00:00Z"),
        ("2026-03-30T19:00:00Z", "2026-03-30T23:00:00Z"),
        ("2026-03-31T06:00:00Z", "2026-03-31T15:00:00Z"),
    ]


def test_what_is_always_open_is_one_interval(manager, campaign):
    query = {"from": "2026-03-02T12:00:00+02:00", "to": "2026-03-03T00:00:00Z"}
    assert timeline(manager, campaign, **query) == [
        ("2026-03-02T10:00:00Z", "2026-03-03T00:00:00Z")
    ]


@pytest.mark.parametrize(("last", "code"), [("2026-12-01", 200), ("2026-12-02", 400)])
def test_62_days_may_be_an_hour_longer_where_the_clock_goes_back(manager, acme, last, code):
    campaign = make_campaign(make_brand(time_zone="America/New_York"))
    query = {"from": "2026-10-01", "to": last}
    assert manager.get(f"campaigns/{campaign.id}/timeline/", **query).status_code == code


def test_a_day_as_its_end_is_included(manager, campaign):
    query = {"from": "2026-03-02", "to": "2026-05-02"}
    assert timeline(manager, campaign, **query) == [
        ("2026-03-02T00:00:00Z", "2026-05-03T00:00:00Z")
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-03-02", "to": "2026-05-04"}, "to"),
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-05-03T00:00:01Z"}, "to"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-02T00:00:00Z"}, "to"),
        ({"from": "2026-03-02T00:00:00"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"from": "0001-01-01"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"until": "2026-03-02"}, "until"),
    ],
)
def test_a_timeline_that_can_not_be_is_refused(manager, campaign, query, field):
    answer = manager.get(f"campaigns/{campaign.id}/timeline/", **query)
    assert (answer.status_code, list(answer.json())) == (400, [field])
