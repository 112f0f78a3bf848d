"""Shared schedules, and exceptions by date of both kinds, in the agency's admin."""

from datetime import date, time

import pytest

from campaigns.models import Campaign, Status, StatusChange
from campaigns.services import exceptions, shared_schedules
from campaigns.services.schedules import NewWindow
from dayparting.models import Schedule, ScheduleException, SharedSchedule, Window
from tests.backoffice.conftest import errors_of, messages_of, page
from tests.conftest import ANN, NOON, make_brand, make_campaign

TODAY = "2026-03-02"


@pytest.fixture
def office(acme) -> Schedule:
    return shared_schedules.create_shared_schedule(
        name="Office", windows=[NewWindow(0, time(9), time(18))], by=ANN
    )


@pytest.fixture
def campaign(office) -> Campaign:
    return make_campaign(make_brand(), shared_schedule=office.id)


def formset(prefix: str, *rows: dict[str, str], known: int = 0) -> dict[str, str]:
    said = {f"{prefix}-TOTAL_FORMS": str(len(rows)), f"{prefix}-INITIAL_FORMS": str(known)}
    for number, row in enumerate(rows):
        said |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return said


def known_row(row, **said: str) -> dict[str, str]:
    return {"id": str(row.pk), "schedule": str(row.schedule_id), **said}


def save(client, schedule=None, *, name="Office", windows=None, days=None):
    address = (
        page(SharedSchedule, "change", schedule.pk) if schedule else page(SharedSchedule, "add")
    )
    said = {"name": name, **(windows or formset("windows")), **(days or formset("exceptions"))}
    return client.post(address, said, follow=True)


def test_a_schedule_is_made_with_its_windows_and_exceptions(acme, max_):
    window = {"day_of_week": "0", "start_time": "09:00", "end_time": "18:00", "is_active": "on"}
    day = {"day": "2026-12-25", "hours": "", "note": "Christmas"}
    save(max_, windows=formset("windows", window), days=formset("exceptions", day))
    schedule = Schedule.objects.get(name="Office")
    assert [str(each) for each in schedule.windows.all()] == ["Monday 09:00–18:00"]
    assert [str(each) for each in schedule.exceptions.all()] == ["2026-12-25: closed"]


def test_an_exception_is_changed_and_removed_and_acts_at_once(acme, max_, office, campaign):
    save(max_, office, windows=kept(office), days=formset("exceptions", {"day": TODAY}))
    assert Campaign.objects.get().status == Status.PAUSED
    row = ScheduleException.objects.get()
    hours = known_row(row, day=TODAY, hours="11:00-13:00, 22:00–02:00", note="Sale")
    save(max_, office, windows=kept(office), days=formset("exceptions", hours, known=1))
    row.refresh_from_db()
    assert (str(row), row.note) == ("2026-03-02: 11:00–13:00, 22:00–02:00", "Sale")
    assert Campaign.objects.get().status == Status.ACTIVE
    gone = known_row(row, day=TODAY, hours="", DELETE="on")
    save(max_, office, windows=kept(office), days=formset("exceptions", gone, known=1))
    assert not ScheduleException.objects.exists()


def kept(schedule: Schedule) -> dict[str, str]:
    """Its one window, as the page would send it back."""
    window = Window.objects.get(schedule=schedule)
    row = {"day_of_week": "0", "start_time": "09:00", "end_time": "18:00", "is_active": "on"}
    return formset("windows", known_row(window, **row), known=1)


def test_replacing_todays_exception_changes_no_status_in_between(acme, max_, office, campaign):
    old = exceptions.add_exception(
        schedule_id=office.id,
        day=NOON.date(),
        hours=[exceptions.DayHours(time(10), time(14))],
        now=NOON,
        by=ANN,
    )
    before = StatusChange.objects.count()
    gone = known_row(old, day=TODAY, hours="10:00–14:00", DELETE="on")
    new = {"day": TODAY, "hours": "11:00–15:00"}
    save(max_, office, windows=kept(office), days=formset("exceptions", gone, new, known=1))
    assert str(ScheduleException.objects.get()) == "2026-03-02: 11:00–15:00"
    assert StatusChange.objects.count() == before


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        ("25:00–26:00", "25:00 is no time of day."),
        ("09:00", "Write hours as 10:00–14:00, 22:00–02:00."),
        ("all day", "Write hours as 10:00–14:00, 22:00–02:00."),
        ("09:00–09:00", "Hours need a length: start and end are equal."),
        ("09:00–12:00, 11:00–13:00", "Hours of one day can't overlap."),
    ],
)
def test_hours_that_can_not_be_are_refused_and_nothing_is_stored(acme, max_, office, hours, told):
    days = formset("exceptions", {"day": TODAY, "hours": hours})
    response = save(max_, office, windows=kept(office), days=days)
    assert told in response.content.decode().replace("&#x27;", "'")
    assert not ScheduleException.objects.exists()


def test_two_exceptions_on_one_day_are_refused(acme, max_, office):
    days = formset("exceptions", {"day": TODAY}, {"day": TODAY, "hours": "10:00–14:00"})
    response = save(max_, office, windows=kept(office), days=days)
    assert "The schedule has an exception on 2026-03-02 already." in response.content.decode()
    assert not ScheduleException.objects.exists()


@pytest.mark.parametrize(
    ("name", "told"), [("office", "is here already"), ("", "required"), (" ", "required")]
)
def test_a_name_that_can_not_be_is_told_at_its_field(acme, max_, office, name, told):
    assert told in errors_of(save(max_, name=name))["name"][0]
    assert Schedule.objects.exclude(name="").count() == 1


def test_a_schedule_that_is_used_is_not_deleted(acme, max_, office, campaign):
    address = page(SharedSchedule, "delete", office.pk)
    response = max_.post(address, {"post": "yes"}, follow=True)
    assert "1 campaign uses Office" in messages_of(response)
    campaign.refresh_from_db()
    campaign_page = page(Campaign, "change", campaign.pk)
    assert "Office: Mon 09:00–18:00" in max_.get(campaign_page).content.decode()
    max_.post(campaign_page, {"name": "Search", "shared_schedule": "", "command": ""}, follow=True)
    max_.post(address, {"post": "yes"})
    assert not Schedule.objects.filter(pk=office.pk).exists()


def test_a_campaign_is_given_a_shared_schedule(acme, max_, office):
    campaign = make_campaign(make_brand())
    said = {"name": "Search", "shared_schedule": str(office.pk), "command": ""}
    max_.post(page(Campaign, "change", campaign.pk), said)
    assert Campaign.objects.get().shared_schedule == office


def test_a_campaigns_own_exceptions_are_edited_with_its_hours(acme, max_):
    campaign = make_campaign(make_brand())
    said = formset("windows") | formset("exceptions", {"day": TODAY, "note": "Holiday"})
    max_.post(page(Schedule, "change", campaign.schedule_id), said)
    assert Campaign.objects.get().status == Status.PAUSED


def test_the_list_of_hours_knows_exceptions_and_shared_schedules(acme, vic, office, campaign):
    own = make_campaign(make_brand("Own"), "Own")
    listed = vic.get(page(Schedule, "changelist")).content.decode()
    assert (listed.count(">Open<"), listed.count(">Closed<")) == (2, 0)
    assert "Office" in listed
    for whose in (office.id, own.schedule_id):
        ScheduleException.objects.create(schedule_id=whose, day=date(2026, 3, 2))
    listed = vic.get(page(Schedule, "changelist")).content.decode()
    assert (listed.count(">Open<"), listed.count(">Closed<")) == (0, 2)


def test_a_viewer_reads_exceptions_and_changes_none(acme, vic, office):
    exceptions.add_exception(schedule_id=office.id, day=NOON.date(), now=NOON, by=ANN)
    shown = vic.get(page(SharedSchedule, "change", office.pk)).content.decode()
    assert "closed" in shown
    assert 'name="exceptions-0-day"' not in shown
    response = save(vic, office, days=formset("exceptions", {"day": "2026-03-03"}))
    assert response.status_code == 403
    assert ScheduleException.objects.count() == 1
