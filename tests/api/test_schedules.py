"""Schedules: a window a row, with its campaign."""

from datetime import time
from uuid import uuid4

import pytest

from dayparting.models import Window
from tests.conftest import make_brand, make_campaign

OFFICE = {"day_of_week": 1, "start_time": "09:00:00", "end_time": "18:00:00", "is_active": True}


@pytest.fixture
def campaign(acme):
    return make_campaign(make_brand())


@pytest.fixture
def window(manager, campaign):
    return manager.post("schedules/", campaign=str(campaign.id), **OFFICE).json()


def test_a_window_is_made(campaign, window):
    assert window == {
        "id": str(Window.objects.get().id),
        "campaign": str(campaign.id),
        **OFFICE,
        "created_at": window["created_at"],
        "updated_at": window["updated_at"],
    }


def test_it_is_active_unless_told_otherwise(manager, campaign):
    body = {name: value for name, value in OFFICE.items() if name != "is_active"}
    assert manager.post("schedules/", campaign=str(campaign.id), **body).json()["is_active"] is True


def test_a_closed_window_holds_the_campaign_at_once(manager, campaign, window):
    # Noon of a Monday; the window is of Tuesday.
    shown = manager.get(f"campaigns/{campaign.id}/").json()
    assert (shown["status"], shown["pause_reason"]) == ("PAUSED", "daypart")
    assert shown["holds"][0]["until"] == "2026-03-03T09:00:00Z"


def test_a_change_opens_it_at_once(manager, campaign, window):
    manager.patch(f"schedules/{window['id']}/", day_of_week=0)
    assert manager.get(f"campaigns/{campaign.id}/").json()["status"] == "ACTIVE"


def test_deleting_the_last_window_opens_it(manager, campaign, window):
    assert manager.delete(f"schedules/{window['id']}/").status_code == 204
    assert manager.get(f"campaigns/{campaign.id}/").json()["status"] == "ACTIVE"


def test_get_edit_put_works(manager, window):
    address = f"schedules/{window['id']}/"
    answer = manager.put(address, **window | {"end_time": "00:00:00"})
    assert (answer.status_code, answer.json()["end_time"]) == (200, "00:00:00")


@pytest.mark.parametrize("missing", ["campaign", "day_of_week", "start_time", "end_time"])
def test_put_wants_the_required_fields(manager, campaign, window, missing):
    body = {"campaign": str(campaign.id), **OFFICE}
    del body[missing]
    answer = manager.put(f"schedules/{window['id']}/", **body)
    assert (answer.status_code, list(answer.json())) == (400, [missing])


def test_put_keeps_what_it_does_not_name(manager, campaign, window):
    address = f"schedules/{window['id']}/"
    manager.patch(address, is_active=False)
    body = {name: value for name, value in OFFICE.items() if name != "is_active"}
    assert manager.put(address, campaign=str(campaign.id), **body).json()["is_active"] is False


def test_it_does_not_move_to_another_campaign(manager, campaign, window):
    other = make_campaign(campaign.brand, "Other")
    answer = manager.patch(f"schedules/{window['id']}/", campaign=str(other.id))
    assert (answer.status_code, list(answer.json())) == (400, ["campaign"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("day_of_week", 7),
        ("day_of_week", -1),
        ("day_of_week", 10**400),
        ("day_of_week", "1"),
        ("day_of_week", 1.5),
        ("day_of_week", True),
        ("start_time", "24:00"),
        ("start_time", "9:00"),
        ("start_time", "09:00:00+02:00"),
        ("start_time", 9),
        ("end_time", "09:00:00"),
        ("end_time", None),
        ("is_active", "true"),
        ("is_active", 1),
        ("is_active", None),
        ("nonsense", 1),
    ],
)
def test_a_bad_value_names_its_field_and_stores_nothing(manager, campaign, field, value):
    body = {"campaign": str(campaign.id), **OFFICE, field: value}
    answer = manager.post("schedules/", **body)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not Window.objects.exists()


def test_a_campaign_that_is_not_there_is_404_with_its_field(manager):
    answer = manager.post("schedules/", campaign=str(uuid4()), **OFFICE)
    assert (answer.status_code, list(answer.json())) == (404, ["campaign"])


def test_a_window_may_cross_midnight(manager, campaign):
    body = {"day_of_week": 4, "start_time": "22:00", "end_time": "02:00"}
    assert manager.post("schedules/", campaign=str(campaign.id), **body).status_code == 201
    assert Window.objects.get().end_time == time(2)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"day_of_week": "1"}, 1),
        ({"day_of_week": "2"}, 0),
        ({"campaign": "campaign"}, 1),
        ({"campaign": "other"}, 0),
        ({"brand": "brand"}, 1),
    ],
)
def test_the_list_is_filtered(manager, campaign, window, query, count):
    other = make_campaign(campaign.brand, "Other")
    ids = {"campaign": campaign.id, "other": other.id, "brand": campaign.brand_id}
    asked = {name: ids.get(word, word) for name, word in query.items()}
    assert manager.get("schedules/", **asked).json()["count"] == count
