"""Shared schedules and exceptions by date, as people edit them."""

from datetime import date, time

import pytest

from campaigns.models import Campaign, Status, StatusChange
from campaigns.services import campaigns, exceptions, schedules, shared_schedules
from campaigns.services.schedules import NewWindow
from dayparting.models import Schedule, ScheduleException, Window
from tests.conftest import ANN, NOON, make_brand, make_campaign

from .conftest import spend

TODAY = NOON.date()
EVENING = {"days": [0], "start_time": "18:00", "end_time": "22:00"}


@pytest.fixture
def office(acme) -> Schedule:
    """Monday, 9 to 18."""
    return shared_schedules.create_shared_schedule(
        name="Office", windows=[NewWindow(0, time(9), time(18))], by=ANN
    )


def use(campaign: Campaign, schedule: Schedule | None) -> None:
    campaigns.update_campaign(
        campaign_id=campaign.id,
        changes={"shared_schedule": schedule.id if schedule else None},
        now=NOON,
        by=ANN,
    )


def close(day: date = TODAY, **whose) -> ScheduleException:
    return exceptions.add_exception(day=day, now=NOON, by=ANN, **whose)


def status_of(campaign: Campaign) -> str:
    return Campaign.objects.get(id=campaign.id).status


def errors(page, form: str = "form") -> dict[str, list[str]]:
    return {field: list(found) for field, found in page.context[form].errors.items()}


def text(page) -> str:
    return page.content.decode().replace("&#x27;", "'")


# Shared schedules ---------------------------------------------------------------------------------
def test_a_schedule_is_made_filled_renamed_and_deleted(manager, acme):
    page = manager.post("/schedules/new/", {"name": "Office"})
    schedule = Schedule.objects.get(name="Office")
    assert page["Location"] == f"/schedules/{schedule.id}/"
    manager.post(f"/schedules/{schedule.id}/add/", {**EVENING, "days": [0, 1]})
    manager.post(f"/schedules/{schedule.id}/copy/", {"source": 0, "targets": [5]})
    manager.post(f"/schedules/{schedule.id}/edit/", {"name": "Evening"})
    listed = text(manager.get("/schedules/"))
    assert "Evening" in listed
    assert "Mon Tue Sat 18:00–22:00" in listed
    manager.post(f"/schedules/{schedule.id}/remove/")
    assert not Schedule.objects.filter(id=schedule.id).exists()


def test_the_list_says_how_many_campaigns_use_each(viewer, brand, office):
    for name in ("One", "Two"):
        use(make_campaign(brand, name), office)
    shared_schedules.create_shared_schedule(name="Unused", by=ANN)
    page = viewer.get("/schedules/")
    assert [(s.name, s.campaigns) for s in page.context["schedules"]] == [
        ("Office", 2),
        ("Unused", 0),
    ]


def test_its_page_names_the_campaigns_that_use_it_with_their_clocks(viewer, office):
    use(make_campaign(make_brand("Fabrikam", time_zone="Europe/Riga")), office)
    page = text(viewer.get(f"/schedules/{office.id}/"))
    assert "1 campaign uses it" in page
    assert "Fabrikam" in page
    assert "Europe/Riga" in page


@pytest.mark.parametrize(
    ("path", "data", "form", "field"),
    [
        ("/schedules/new/", {"name": "office"}, "form", "name"),
        ("/schedules/new/", {"name": "  "}, "form", "name"),
        ("/schedules/new/", {"name": "x" * 101}, "form", "name"),
        ("/schedules/{id}/add/", {**EVENING, "end_time": "18:00"}, "add", "end_time"),
        ("/schedules/{id}/add/", {**EVENING, "end_time": "25:00"}, "add", "end_time"),
        ("/schedules/{id}/add/", {**EVENING, "days": [7]}, "add", "days"),
        ("/schedules/{id}/add/", {**EVENING, "days": []}, "add", "days"),
        ("/schedules/{id}/copy/", {"source": 0}, "copy", "targets"),
    ],
)
def test_a_schedules_refusal_is_told_at_its_field(manager, office, path, data, form, field):
    page = manager.post(path.format(id=office.id), data)
    assert list(errors(page, form)) == [field]
    assert (Schedule.objects.exclude(name="").count(), Window.objects.count()) == (1, 1)


def test_a_name_that_another_schedule_has_is_refused(manager, office):
    other = shared_schedules.create_shared_schedule(name="Night", by=ANN)
    page = manager.post(f"/schedules/{other.id}/edit/", {"name": "OFFICE"})
    assert errors(page) == {"name": ["A shared schedule named 'OFFICE' is here already."]}


def test_a_schedule_that_is_used_stays_and_says_so(manager, campaign, office):
    use(campaign, office)
    page = manager.post(f"/schedules/{office.id}/remove/")
    assert "1 campaign uses Office: give them another schedule first." in text(page)
    assert Schedule.objects.filter(id=office.id).exists()


def test_one_that_only_archived_campaigns_used_may_go(manager, brand, campaign, office):
    use(campaign, office)
    spend(campaign, "1")
    campaigns.remove_campaign(campaign_id=campaign.id, now=NOON, by=ANN)
    assert "0</td>" in text(manager.get("/schedules/"))
    manager.post(f"/schedules/{office.id}/remove/")
    assert not Schedule.objects.filter(id=office.id).exists()
    assert manager.get(f"/campaigns/{campaign.id}/").status_code == 200


def test_an_edit_acts_on_all_who_use_it_at_once(manager, office):
    several = [make_campaign(make_brand(name)) for name in ("One", "Two")]
    for campaign in several:
        use(campaign, office)
    window = Window.objects.get(schedule=office)
    data = {"day_of_week": "0", "start_time": "13:00", "end_time": "18:00", "is_active": "on"}
    page = manager.post(f"/windows/{window.id}/edit/", data)
    assert page["Location"] == f"/schedules/{office.id}/"
    assert [status_of(each) for each in several] == [Status.PAUSED] * 2
    manager.post(f"/windows/{window.id}/remove/")
    assert [status_of(each) for each in several] == [Status.ACTIVE] * 2


def test_copying_over_the_day_that_is_open_leaves_no_trace_of_a_pause(manager, campaign, office):
    schedules.change_windows(
        schedule_id=office.id, add=[NewWindow(1, time(9), time(17))], now=NOON, by=ANN
    )
    use(campaign, office)
    before = StatusChange.objects.count()
    manager.post(f"/schedules/{office.id}/copy/", {"source": 1, "targets": [0], "replace": "on"})
    assert str(Window.objects.get(day_of_week=0)) == "Monday 09:00–17:00"
    assert StatusChange.objects.count() == before


def test_seconds_survive_an_edit(manager, office):
    window = Window.objects.get(schedule=office)
    data = {"day_of_week": "0", "start_time": "09:00:30", "end_time": "18:00", "is_active": "on"}
    manager.post(f"/windows/{window.id}/edit/", data)
    assert 'value="09:00:30"' in text(manager.get(f"/windows/{window.id}/edit/"))
    assert "09:00:30–18:00" in text(manager.get(f"/schedules/{office.id}/"))


# Which hours a campaign has -----------------------------------------------------------------------
def test_a_campaign_chooses_a_shared_schedule_and_its_own_hours_again(manager, campaign, office):
    manager.post(f"/campaigns/{campaign.id}/schedule/add/", EVENING)
    assert status_of(campaign) == Status.PAUSED
    choose = f"/campaigns/{campaign.id}/schedule/choose/"
    page = manager.post(choose, {"shared_schedule": str(office.id)}, follow=True)
    assert "Search runs by Office from now on." in text(page)
    assert "09:00–18:00" in text(page)
    assert status_of(campaign) == Status.ACTIVE
    assert f'href="/schedules/{office.id}/">Office</a>' in text(
        manager.get(f"/campaigns/{campaign.id}/")
    )
    manager.post(choose, {"shared_schedule": ""})
    assert status_of(campaign) == Status.PAUSED
    assert "18:00–22:00" in text(manager.get(f"/campaigns/{campaign.id}/schedule/"))


def test_own_hours_that_do_not_count_are_not_offered_for_edits(manager, campaign, office):
    own = f"/campaigns/{campaign.id}/schedule/"
    manager.post(f"{own}add/", EVENING)
    use(campaign, office)
    page = text(manager.get(own))
    assert "Its own hours are kept" in page
    assert f'action="{own}add/"' not in page
    assert "/windows/" not in page


@pytest.mark.parametrize("choice", ["00000000-0000-0000-0000-000000000000", "office", "\0"])
def test_a_schedule_that_is_not_there_is_no_choice(manager, campaign, office, choice):
    page = manager.post(f"/campaigns/{campaign.id}/schedule/choose/", {"shared_schedule": choice})
    assert list(errors(page, "choose")) == ["shared_schedule"]


def test_anothers_own_hours_are_no_choice(manager, brand, campaign, office):
    other = make_campaign(brand, "Other")
    choice = {"shared_schedule": str(other.schedule_id)}
    page = manager.post(f"/campaigns/{campaign.id}/schedule/choose/", choice)
    assert list(errors(page, "choose")) == ["shared_schedule"]


def test_a_new_campaign_may_start_with_a_shared_schedule(manager, brand, office):
    data = {"name": "Spring", "status": "ACTIVE", "shared_schedule": str(office.id)}
    manager.post(f"/brands/{brand.id}/campaigns/new/", data)
    assert Campaign.objects.get().shared_schedule == office


def test_without_a_shared_schedule_a_campaign_has_nothing_to_choose(manager, brand, campaign):
    for path in (f"/brands/{brand.id}/campaigns/new/", f"/campaigns/{campaign.id}/schedule/"):
        assert "shared_schedule" not in text(manager.get(path))


# Exceptions by date -------------------------------------------------------------------------------
def exception(**said) -> dict[str, object]:
    return {"day": "2026-03-02", "kind": "closed", "note": "Holiday", **said}


def hours(*pairs: tuple[str, str]) -> dict[str, object]:
    starts, ends = zip(*pairs, strict=True)
    return exception(kind="hours", hours_from=starts, hours_until=ends)


def test_a_closed_day_closes_and_opens_again(manager, campaign):
    own = f"/campaigns/{campaign.id}/schedule/"
    page = manager.post(f"{own}exceptions/new/", exception(), follow=True)
    assert "Mon 2 Mar 2026 is closed." in text(page)
    assert "Holiday" in text(page)
    assert status_of(campaign) == Status.PAUSED
    closed = ScheduleException.objects.get()
    manager.post(f"/exceptions/{closed.id}/edit/", hours(("11:00", "13:00"), ("22:00", "02:00")))
    assert status_of(campaign) == Status.ACTIVE
    assert "11:00–13:00, 22:00–02:00" in text(manager.get(own))
    form = text(manager.get(f"/exceptions/{closed.id}/edit/"))
    for value in ("2026-03-02", "11:00", "02:00", "Holiday"):
        assert f'value="{value}"' in form
    page = manager.post(f"/exceptions/{closed.id}/remove/", follow=True)
    assert "Mon 2 Mar 2026 is like any other Monday again." in text(page)
    assert not ScheduleException.objects.exists()


def test_an_exception_of_a_shared_schedule_acts_on_all_who_use_it(manager, campaign, office):
    use(campaign, office)
    page = manager.post(f"/schedules/{office.id}/exceptions/new/", exception())
    assert page["Location"] == f"/schedules/{office.id}/"
    assert status_of(campaign) == Status.PAUSED
    assert "Holiday" in text(manager.get(f"/campaigns/{campaign.id}/schedule/"))


@pytest.mark.parametrize(
    ("data", "field", "told"),
    [
        (exception(day=""), "day", "required"),
        (exception(day="2026-02-30"), "day", "valid date"),
        (exception(day="1900-01-01"), "day", "between 1970 and 2199"),
        (exception(day="2026-03-04"), "day", "has an exception on 2026-03-04 already"),
        (exception(kind="open"), "kind", "valid choice"),
        (exception(kind="hours"), "hours", "Which hours does the day have?"),
        (hours(("09:00", "12:00"), ("11:00", "13:00")), "hours", "can't overlap"),
        (hours(("25:00", "12:00")), "hours", "25:00 is no time of day."),
        (hours(("09:00", "09:00")), "hours", "Hours need a length"),
        (hours(("09:00", "")), "hours", "a beginning and an end"),
        (hours(*[("09:00", "10:00")] * 51), "hours", "at most 50"),
        ({**hours(("09:00", "12:00")), "kind": "closed"}, "hours", "A closed day has no hours"),
        (exception(note="x" * 201), "note", "at most 200"),
    ],
)
def test_an_exceptions_refusal_is_told_at_its_field(manager, campaign, data, field, told):
    close(date(2026, 3, 4), campaign_id=campaign.id)
    page = manager.post(f"/campaigns/{campaign.id}/schedule/exceptions/new/", data)
    assert list(errors(page)) == [field]
    assert told in errors(page)[field][0]
    assert 'value="Holiday"' in text(page) or field == "note"
    assert ScheduleException.objects.count() == 1


def test_what_was_entered_of_hours_stays_on_the_form(manager, campaign):
    said = hours(("09:00", "12:00"), ("11:00", "13:00"))
    page = manager.post(f"/campaigns/{campaign.id}/schedule/exceptions/new/", said)
    for value in ("09:00", "12:00", "11:00", "13:00"):
        assert f'value="{value}"' in text(page)


def test_exceptions_are_listed_as_they_come_and_past_ones_folded_away(viewer, campaign):
    for day in (date(2026, 3, 9), date(2026, 2, 2), TODAY, date(2026, 3, 1)):
        close(day, campaign_id=campaign.id)
    shown = viewer.get(f"/campaigns/{campaign.id}/schedule/").context["hours"]
    assert [each.row.day for each in shown.upcoming] == [TODAY, date(2026, 3, 9)]
    assert [each.row.day for each in shown.past] == [date(2026, 3, 1), date(2026, 2, 2)]


def test_the_exceptions_of_an_archived_campaign_stay(manager, campaign):
    spend(campaign, "1")
    closed = close(campaign_id=campaign.id)
    campaigns.remove_campaign(campaign_id=campaign.id, now=NOON, by=ANN)
    page = manager.post(f"/exceptions/{closed.id}/edit/", exception(note="Late"))
    assert errors(page) == {"__all__": ["Search is archived."]}
    manager.post(f"/exceptions/{closed.id}/remove/")
    assert ScheduleException.objects.filter(note="").count() == 1


@pytest.mark.parametrize("count", [1, 12])
def test_pages_of_schedules_take_the_same_statements_for_any_number(
    viewer, brand, campaign, office, count, django_assert_num_queries
):
    for number in range(count):
        shared_schedules.create_shared_schedule(
            name=f"Schedule {number}", windows=[NewWindow(number % 7, time(9), time(18))], by=ANN
        )
        use(make_campaign(make_brand(f"Brand {number}"), f"Campaign {number}"), office)
        close(date(2026, 3, 2 + number), schedule_id=office.id)
        close(date(2026, 3, 2 + number), campaign_id=campaign.id)
    with django_assert_num_queries(7):
        viewer.get("/schedules/")
    with django_assert_num_queries(10):
        viewer.get(f"/schedules/{office.id}/")
    with django_assert_num_queries(10):
        viewer.get(f"/campaigns/{campaign.id}/schedule/")
