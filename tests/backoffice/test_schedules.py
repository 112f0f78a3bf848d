"""Hours: all windows of one page are stored at once, and decided on once."""

from datetime import time

from campaigns.models import Campaign, Status, StatusChange
from campaigns.services import schedules
from dayparting.models import Schedule, Window
from kernel.errors import InvalidValue
from tests.backoffice.conftest import page
from tests.backoffice.rows import make_spend
from tests.conftest import ANN, NOON, make_brand, make_campaign


def _window(campaign: Campaign, start: int, end: int) -> Window:
    return schedules.add_window(
        campaign_id=campaign.id,
        day_of_week=0,
        start_time=time(start),
        end_time=time(end),
        now=NOON,
        by=ANN,
    )


def _line(number: int, window: Window | None, **said: str) -> dict[str, object]:
    fields = {"day_of_week": "0", "is_active": "on", **said}
    if window is not None:
        fields |= {"id": str(window.pk), "schedule": str(window.schedule_id)}
    return {f"windows-{number}-{name}": value for name, value in fields.items()}


def _post(client, campaign: Campaign, *lines: dict[str, object], known: int = 0):
    said: dict[str, object] = {
        "windows-TOTAL_FORMS": str(len(lines)),
        "windows-INITIAL_FORMS": str(known),
        "exceptions-TOTAL_FORMS": "0",
        "exceptions-INITIAL_FORMS": "0",
    }
    for line in lines:
        said |= line
    return client.post(page(Schedule, "change", campaign.schedule_id), said)


def test_windows_are_added_and_decided_on(acme, max_):
    campaign = make_campaign(make_brand())
    _post(max_, campaign, _line(0, None, start_time="22:00", end_time="02:00"))
    assert str(Window.objects.get()) == "Monday 22:00–02:00"
    assert Campaign.objects.get().status == Status.PAUSED


def test_replacing_the_only_window_changes_no_status_in_between(acme, max_):
    campaign = make_campaign(make_brand())
    old = _window(campaign, 9, 18)
    before = StatusChange.objects.count()
    gone = _line(0, old, start_time="09:00", end_time="18:00", DELETE="on")
    new = _line(1, None, start_time="11:00", end_time="13:00")
    _post(max_, campaign, gone, new, known=1)
    assert [str(window) for window in Window.objects.all()] == ["Monday 11:00–13:00"]
    assert StatusChange.objects.count() == before


def test_a_changed_window_stays_the_same_row(acme, max_):
    campaign = make_campaign(make_brand())
    window = _window(campaign, 9, 11)
    assert Campaign.objects.get().status == Status.PAUSED
    _post(max_, campaign, _line(0, window, start_time="09:00", end_time="18:00"), known=1)
    assert Window.objects.get().pk == window.pk
    assert Window.objects.get().end_time == time(18)
    assert Campaign.objects.get().status == Status.ACTIVE


def test_a_window_without_length_is_refused_and_nothing_stored(acme, max_):
    campaign = make_campaign(make_brand())
    response = _post(
        max_,
        campaign,
        _line(0, None, start_time="09:00", end_time="18:00"),
        _line(1, None, start_time="20:00", end_time="20:00"),
    )
    assert "A window needs a length" in response.content.decode()
    assert not Window.objects.exists()


def test_what_the_service_refuses_is_told_on_the_page(acme, max_, monkeypatch):
    campaign = make_campaign(make_brand())
    monkeypatch.setattr(schedules, "check_window", _refuse)
    response = _post(max_, campaign, _line(0, None, start_time="09:00", end_time="18:00"))
    assert response.context["adminform"].form.non_field_errors() == ["Not today."]
    assert not Window.objects.exists()


def _refuse(window: Window) -> None:
    raise InvalidValue("Not today.", field="end_time")


def test_the_window_of_another_campaign_is_not_changed(acme, max_):
    one, other = make_campaign(make_brand(), "One"), make_campaign(make_brand("B"), "Other")
    window = _window(other, 9, 18)
    _post(max_, one, _line(0, window, start_time="01:00", end_time="02:00"), known=1)
    assert Window.objects.get().start_time == time(9)


def test_the_schedule_of_an_archived_campaign_is_kept(acme, max_):
    campaign = make_campaign(make_brand())
    make_spend(campaign)
    max_.post(page(Campaign, "delete", campaign.pk), {"post": "yes"})
    assert _post(max_, campaign).status_code == 403


def test_the_list_tells_hours_and_whether_it_is_open(acme, vic):
    _window(make_campaign(make_brand()), 9, 18)
    _window(make_campaign(make_brand("Other")), 13, 18)
    listed = vic.get(page(Schedule, "changelist")).content.decode()
    assert "Mon 09:00–18:00" in listed
    assert '<span class="chip chip-run">Open</span>' in listed
    assert '<span class="chip chip-wait">Closed</span>' in listed
