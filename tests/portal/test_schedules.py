"""Windows are added and copied to several days in one go, and decided on once."""

from datetime import time

import pytest

from campaigns.models import Status, StatusChange
from campaigns.services import schedules
from campaigns.services.schedules import NewWindow
from dayparting.models import Window
from kernel.errors import InvalidValue
from tests.conftest import ANN, NOON, make_campaign

MONDAY, TUESDAY, SATURDAY = 0, 1, 5


def windows(campaign) -> list[tuple[int, str, str]]:
    rows = Window.objects.filter(schedule_id=campaign.schedule_id)
    return [(w.day_of_week, f"{w.start_time:%H:%M}", f"{w.end_time:%H:%M}") for w in rows]


def add(client, campaign, *days, start="09:00", end="18:00"):
    data = {"days": days, "start_time": start, "end_time": end}
    return client.post(f"/campaigns/{campaign.id}/schedule/add/", data)


def copy(client, campaign, source, *targets, **data):
    data = {"source": source, "targets": targets, **data}
    return client.post(f"/campaigns/{campaign.id}/schedule/copy/", data)


def test_a_window_is_added_to_several_days_at_once(manager, campaign):
    add(manager, campaign, MONDAY, TUESDAY)
    assert windows(campaign) == [(0, "09:00", "18:00"), (1, "09:00", "18:00")]


def test_adding_windows_around_now_leaves_no_trace_of_a_pause(manager, campaign):
    before = StatusChange.objects.count()
    # Saturday first: after it alone the campaign would be closed now.
    add(manager, campaign, SATURDAY, MONDAY)
    campaign.refresh_from_db()
    assert (campaign.status, StatusChange.objects.count()) == (Status.ACTIVE, before)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"start_time": "09:00", "end_time": "18:00"}, "days"),
        ({"days": [0], "start_time": "", "end_time": "18:00"}, "start_time"),
        ({"days": [0], "start_time": "25:00", "end_time": "18:00"}, "start_time"),
        ({"days": [0], "start_time": "09:00", "end_time": "09:00"}, "end_time"),
        ({"days": [7], "start_time": "09:00", "end_time": "18:00"}, "days"),
    ],
)
def test_a_refusal_is_told_at_its_field(manager, campaign, data, field):
    page = manager.post(f"/campaigns/{campaign.id}/schedule/add/", data)
    assert list(page.context["add"].errors) == [field]
    assert windows(campaign) == []


def test_a_day_is_copied_to_several_and_replaces_what_is_there(manager, campaign):
    add(manager, campaign, MONDAY)
    add(manager, campaign, TUESDAY, start="20:00", end="02:00")
    copy(manager, campaign, MONDAY, MONDAY, TUESDAY, SATURDAY, replace="on")
    assert windows(campaign) == [(day, "09:00", "18:00") for day in (0, 1, 5)]


def test_without_replacing_a_copy_is_added(manager, campaign):
    add(manager, campaign, MONDAY)
    add(manager, campaign, TUESDAY, start="20:00", end="02:00")
    copy(manager, campaign, MONDAY, TUESDAY)
    assert len(windows(campaign)) == 3


def test_a_window_is_changed_and_removed(manager, campaign):
    add(manager, campaign, MONDAY)
    window = Window.objects.get()
    assert 'value="09:00"' in manager.get(f"/windows/{window.id}/edit/").content.decode()
    data = {"day_of_week": "1", "start_time": "10:00", "end_time": "00:00"}
    manager.post(f"/windows/{window.id}/edit/", data)
    window.refresh_from_db()
    assert (window.day_of_week, window.end_time, window.is_active) == (1, time(0), False)
    manager.post(f"/windows/{window.id}/remove/")
    assert windows(campaign) == []


def test_closing_hours_pause_at_once_and_the_page_says_so(manager, viewer, campaign):
    add(manager, campaign, MONDAY, start="13:00", end="18:00")
    page = viewer.get(f"/campaigns/{campaign.id}/").content.decode()
    assert "Paused since 12:00: outside its hours. Resumes 13:00 UTC." in page


def test_the_timetable_says_its_windows_in_words(viewer, campaign):
    new = [NewWindow(4, time(22), time(2)), NewWindow(0, time(9), time(10), is_active=False)]
    schedules.change_windows(campaign_id=campaign.id, add=new, now=NOON, by=ANN)
    page = viewer.get(f"/campaigns/{campaign.id}/schedule/").content.decode()
    assert "22:00–02:00 of Friday" in page
    assert "09:00–10:00 (off); today" in page


def test_a_batch_of_windows_with_one_bad_one_changes_nothing(campaign):
    new = [NewWindow(0, time(9), time(10)), NewWindow(1, time(9), time(9))]
    with pytest.raises(InvalidValue):
        schedules.change_windows(campaign_id=campaign.id, add=new, now=NOON, by=ANN)
    assert windows(campaign) == []


def test_another_campaigns_windows_can_not_be_removed_along(brand, campaign):
    other = make_campaign(brand, "Other")
    new = [NewWindow(0, time(9), time(10))]
    (window,) = schedules.change_windows(campaign_id=other.id, add=new, now=NOON, by=ANN)
    schedules.change_windows(campaign_id=campaign.id, remove=[window.id], now=NOON, by=ANN)
    assert len(windows(other)) == 1
