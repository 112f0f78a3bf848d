"""What bears on a budget beside its limits: mode, early stop, adjustments, coming limits."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from budgets.models import (
    Brand,
    Budget,
    BudgetAdjustment,
    BudgetChange,
    BudgetKind,
    LimitVersion,
    Period,
)
from budgets.services import current_limits, root_of
from budgets.terms import Limits
from campaigns.models import Campaign, Status
from campaigns.services import budgets, campaigns
from campaigns.services.budgets import LimitChanges
from tests.conftest import ANN, NOON, make_brand, make_campaign

from .conftest import spend
from .test_dashboard import text
from .test_editing import errors

DECEMBER = date(2026, 12, 1)
GIVEN = {"amount": "200", "period": "DAY", "note": "Launch day", "expires_at": ""}


def set_terms(budget_id, **changes: Any) -> None:
    budgets.update_budget(
        budget_id=budget_id, changes=cast("LimitChanges", changes), now=NOON, by=ANN
    )


def give(budget_id, amount="200", **fields):
    values = {"period": Period.DAY, "note": "Launch day", **fields}
    return budgets.adjust_budget(
        budget_id=budget_id, amount=Decimal(amount), now=NOON, by=ANN, **values
    )


def make_group(brand, **limits):
    return budgets.create_group(brand_id=brand.id, name="Video", now=NOON, by=ANN, **limits)


def budget_of(level, brand):
    """A budget of the brand at a level, with a daily limit, and the page that shows it."""
    if level == "brand":
        return root_of(brand), f"/brands/{brand.id}/"
    if level == "group":
        group = make_group(brand, daily_budget=Decimal(100))
        return group, f"/groups/{group.id}/"
    campaign = make_campaign(brand, daily="100")
    return campaign.budget, f"/campaigns/{campaign.id}/"


LEVELS = pytest.mark.parametrize("level", ["brand", "group", "campaign"])


# Adjustments


@LEVELS
def test_a_budget_is_adjusted_and_its_page_says_so(manager, viewer, brand, level):
    budget, page = budget_of(level, brand)
    answer = manager.post(f"/budgets/{budget.id}/adjust/", GIVEN)
    assert answer["Location"] == page
    told = "+200.00 USD for today, until midnight Launch day, by Max"
    assert told in text(viewer.get(page))
    assert "0.00 of 300.00 USD" in text(viewer.get(page))
    assert "Limits 100.00 USD a day" in text(viewer.get(page))
    assert "Withdraw" not in text(viewer.get(page))
    assert "Withdraw" in text(manager.get(page))


def test_an_adjustment_frees_what_was_held_and_withdrawing_it_holds_again(manager, brand, campaign):
    spend(campaign, "100")
    root = root_of(brand)
    manager.post(f"/budgets/{root.id}/adjust/", GIVEN)
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE
    given = BudgetAdjustment.objects.get()
    back = f"/brands/{brand.id}/?month=2026-02"
    answer = manager.post(
        f"/budgets/{root.id}/adjustments/{given.id}/withdraw/", {"next": back}, follow=True
    )
    assert answer.redirect_chain == [(back, 302)]
    assert "Northwind: the adjustment is withdrawn." in text(answer)
    campaign.refresh_from_db()
    assert campaign.status == Status.PAUSED


def test_what_was_withdrawn_already_is_told(manager, brand):
    given = give(root_of(brand).id)
    path = f"/budgets/{given.budget_id}/adjustments/{given.id}/withdraw/"
    manager.post(path)
    assert "It was withdrawn already." in text(manager.post(path, follow=True))


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("amount", "0", "changes nothing"),
        ("amount", "1.005", "at most 2 decimals"),
        ("amount", "1e30", "larger"),
        ("amount", "", "required"),
        ("note", "  ", "required"),
        ("period", "YEAR", "valid choice"),
        ("expires_at", "2026-03-02T11:59", "in the future"),
        ("expires_at", "tomorrow", "valid date/time"),
    ],
)
def test_a_refused_adjustment_is_told_at_its_field_and_what_was_typed_stays(
    manager, brand, field, value, told
):
    data = {**GIVEN, "note": "Launch of spring", field: value}
    page = manager.post(f"/budgets/{root_of(brand).id}/adjust/", data)
    assert list(errors(page)) == [field]
    assert told in errors(page)[field][0]
    for typed in {value, data["note"]} - {"YEAR"}:
        assert f'value="{typed.strip()}"' in page.content.decode() or not typed.strip()
    assert not BudgetAdjustment.objects.exists()


def test_without_a_limit_there_is_nothing_to_adjust(manager, acme):
    budget = root_of(make_brand(daily="100"))
    page = manager.post(f"/budgets/{budget.id}/adjust/", {**GIVEN, "period": "MONTH"})
    assert errors(page) == {"period": ["There is no monthly budget to adjust."]}
    bare = make_brand("Bare")
    assert "Adjust for" not in text(manager.get(f"/brands/{bare.id}/"))


def test_an_expiry_is_told_on_the_brands_wall_clock(manager, viewer, acme):
    brand = make_brand("Empire", daily="100", time_zone="America/New_York")
    budget = root_of(brand)
    assert "In America/New_York." in text(manager.get(f"/budgets/{budget.id}/adjust/"))
    manager.post(f"/budgets/{budget.id}/adjust/", {**GIVEN, "expires_at": "2026-03-02T18:30"})
    assert str(BudgetAdjustment.objects.get().expires_at) == "2026-03-02 23:30:00+00:00"
    told = "+200.00 USD for today, until 18:30 Launch day"
    assert told in text(viewer.get(f"/brands/{brand.id}/"))


def test_an_expiry_after_a_coming_change_of_zone_is_read_in_the_new_zone(manager, acme):
    brand = make_brand(monthly="100", time_zone="America/New_York")
    brand.time_zone, brand.time_zone_before = "Europe/Riga", "America/New_York"
    brand.time_zone_since = NOON + timedelta(days=3)
    brand.save()
    data = {**GIVEN, "period": "MONTH", "expires_at": "2026-03-20T12:00"}
    manager.post(f"/budgets/{root_of(brand).id}/adjust/", data)
    assert str(BudgetAdjustment.objects.get().expires_at) == "2026-03-20 10:00:00+00:00"


def test_an_hour_that_does_not_exist_is_refused(manager, acme):
    budget = root_of(make_brand(monthly="100", time_zone="America/New_York"))
    data = {**GIVEN, "period": "MONTH", "expires_at": "2026-03-08T02:30"}
    page = manager.post(f"/budgets/{budget.id}/adjust/", data)
    assert "may not exist" in errors(page)["expires_at"][0]


def test_an_adjustment_of_the_month_tells_its_month(viewer, brand):
    give(root_of(brand).id, "-50", period=Period.MONTH)
    told = "-50.00 USD for March, until 1 Apr 2026, 00:00"
    assert told in text(viewer.get(f"/brands/{brand.id}/"))


def test_the_days_bar_of_the_chart_is_measured_with_its_adjustment(viewer, brand, campaign):
    give(root_of(brand).id)
    spend(campaign, "150")
    chart = viewer.get(f"/brands/{brand.id}/").context["chart"]
    assert [(bar.level, bar.label) for bar in chart.bars if bar.height] == [
        ("fine", "Mon 2 Mar: 150.00 of 300.00 USD")
    ]


def test_what_is_archived_is_adjusted_no_more(manager, campaign):
    spend(campaign, "1")
    campaigns.remove_campaign(campaign_id=campaign.id, now=NOON, by=ANN)
    path = f"/budgets/{campaign.budget_id}"
    assert manager.post(f"{path}/adjust/", GIVEN).status_code == 404
    assert manager.get(f"{path}/history/").status_code == 200


# Limits from a day, mode and early stop


def form_of(level, brand):
    """The form of a budget's level: its address, and what a browser would send unchanged."""
    budget, _ = budget_of(level, brand)
    same = {"daily_budget": "100.00", "monthly_budget": "", "from_day": "", "stop_at": "100"}
    if level == "brand":
        named = {"name": "Northwind", "currency": "USD", "time_zone": "UTC", "mode": "pause_resume"}
        same["monthly_budget"] = "2000.00"
        return budget, f"/brands/{brand.id}/edit/", {**same, **named}
    if level == "group":
        return budget, f"/groups/{budget.id}/edit/", {**same, "name": "Video", "mode": ""}
    address = f"/campaigns/{budget.campaign.id}/edit/"
    return budget, address, {**same, "name": "Search", "mode": ""}


@LEVELS
def test_a_form_that_is_sent_unchanged_changes_nothing(manager, brand, level):
    _, address, data = form_of(level, brand)
    before = BudgetChange.objects.count()
    assert manager.post(address, data).status_code == 302
    assert BudgetChange.objects.count() == before


@LEVELS
def test_a_limit_from_a_coming_day_waits_for_it_and_can_be_taken_back(manager, brand, level):
    budget, address, data = form_of(level, brand)
    answer = manager.post(address, {**data, "daily_budget": "80", "from_day": "2026-12-01"})
    page = answer["Location"]
    assert current_limits(budget, on=NOON.date()).daily == 100
    assert "From 1 Dec 2026: 80.00 USD a day Take back" in text(manager.get(page))
    manager.post(f"/budgets/{budget.id}/take-back/", {"day": "2026-12-01"})
    assert current_limits(budget, on=DECEMBER).daily == 100
    assert "Coming limits" not in text(manager.get(page))


@LEVELS
def test_mode_and_early_stop_are_set_on_the_form_of_the_level(manager, brand, level):
    budget, address, data = form_of(level, brand)
    page = manager.post(address, {**data, "mode": "pause", "stop_at": "90"})["Location"]
    budget.refresh_from_db()
    assert (budget.mode, budget.stop_at) == ("pause", 90)
    shown = text(manager.get(page))
    assert "Pause, until a person resumes" in shown
    assert "from 90 % of a limit on" in shown
    assert 'value="90"' in manager.get(address).content.decode()


@LEVELS
@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("stop_at", "49", "50 to 100 percent"),
        ("stop_at", "101", "50 to 100 percent"),
        ("from_day", "2026-03-01", "The past is not rewritten"),
        ("from_day", "2200-01-01", "before 2200"),
        ("mode", "explode", "valid choice"),
    ],
)
def test_bad_terms_are_told_at_their_field_and_nothing_is_stored(
    manager, brand, level, field, value, told
):
    budget, address, data = form_of(level, brand)
    data = {**data, "name": "Renamed", "daily_budget": "80", field: value}
    page = manager.post(address, data)
    assert list(errors(page)) == [field]
    assert told in errors(page)[field][0]
    assert 'value="80"' in page.content.decode()
    # What of the page would have been accepted is not stored either.
    for model in (Brand, Budget, Campaign):
        assert not model.objects.filter(name="Renamed").exists()
    assert current_limits(budget, on=date(2199, 12, 31)).daily == 100


def test_a_limit_from_a_day_leaves_the_other_as_it_will_be_then(manager, brand):
    root, address, data = form_of("brand", brand)
    set_terms(root.id, monthly_budget=Decimal(500), from_day=date(2026, 11, 1))
    manager.post(address, {**data, "daily_budget": "80", "from_day": "2026-12-01"})
    assert current_limits(root, on=DECEMBER) == Limits(Decimal(80), Decimal(500))


def test_back_to_todays_limits_from_a_later_day(manager, brand):
    root, address, data = form_of("brand", brand)
    set_terms(root.id, daily_budget=Decimal(10), from_day=date(2026, 11, 1))
    manager.post(address, {**data, "from_day": "2026-12-01"})
    assert current_limits(root, on=DECEMBER).daily == 100


def test_a_group_is_made_with_a_mode_and_an_early_stop(manager, brand):
    data = {"name": "Video", "daily_budget": "10", "mode": "alert_only", "stop_at": "80"}
    manager.post(f"/brands/{brand.id}/groups/new/", data)
    group = Budget.objects.get(kind=BudgetKind.GROUP)
    assert (group.mode, group.stop_at) == ("alert_only", 80)


def test_a_page_says_where_its_mode_is_from(viewer, manager, brand):
    set_terms(root_of(brand).id, mode="pause")
    group = make_group(brand)
    campaign = make_campaign(brand, group=group.id)
    told = "Pause, until a person resumes as Northwind"
    for path in (f"/groups/{group.id}/", f"/campaigns/{campaign.id}/"):
        assert told in text(viewer.get(path))
    form = text(manager.get(f"/campaigns/{campaign.id}/edit/"))
    assert "As the budget above: pause, until a person resumes" in form


def test_rows_tell_what_is_not_as_usual_with_a_budget(viewer, brand):
    group = make_group(brand, daily_budget=Decimal(100), mode="alert_only", stop_at=90)
    give(group.id)
    told = "0 campaigns only alerts · stops at 90 % · +200.00 USD today"
    assert told in text(viewer.get(f"/brands/{brand.id}/"))


@pytest.mark.parametrize(
    ("day", "status"),
    [("2026-03-02", 302), ("2026-12-02", 302), ("soon", 400), ("", 400)],
)
def test_only_a_coming_day_is_taken_back(manager, brand, day, status):
    set_terms(root_of(brand).id, daily_budget=Decimal(80), from_day=DECEMBER)
    before = list(LimitVersion.objects.values_list("from_day", flat=True))
    path = f"/budgets/{root_of(brand).id}/take-back/"
    assert manager.post(path, {"day": day}).status_code == status
    assert list(LimitVersion.objects.values_list("from_day", flat=True)) == before


def test_an_early_stop_is_marked_on_the_bar_and_told_beside_it(viewer, brand, campaign):
    set_terms(root_of(brand).id, stop_at=90)
    spend(campaign, "60")
    page = viewer.get(f"/brands/{brand.id}/")
    assert '<rect class="bar-stop" x="900"' in page.content.decode()
    assert "30.00 USD left until it counts as spent, at 90 %" in text(page)
    spend(campaign, "30")
    page = viewer.get(f"/brands/{brand.id}/")
    assert page.context["gauges"].today.level == "spent"
    assert "It counts as spent from 90 % on." in text(page)


# History


def test_history_tells_who_changed_what_from_what_to_what(viewer, brand):
    root = root_of(brand)
    set_terms(root.id, daily_budget=Decimal(80), from_day=DECEMBER)
    set_terms(root.id, mode="alert_only", stop_at=90)
    given = give(root.id)
    budgets.withdraw_adjustment(budget_id=root.id, adjustment_id=given.id, now=NOON, by=ANN)
    page = text(viewer.get(f"/budgets/{root.id}/history/"))
    assert "Daily budget: 100.00 USD → 80.00 USD from 1 Dec 2026 on" in page
    assert "When it is spent: as the budget above → only tell" in page
    assert "Counts as spent from: 100 % → 90 %" in page
    assert "Daily budget: no limit → 100.00 USD" in page
    assert "2 Mar 2026, 12:00 UTC, by Ann" in page
    assert "withdrawn 2 Mar 2026, 12:00 UTC, by Ann" in page


@pytest.mark.parametrize("count", [1, 9])
def test_budget_pages_take_the_same_statements_for_any_number(
    viewer, brand, count, django_assert_num_queries
):
    group = make_group(brand, daily_budget=Decimal(10))
    for number in range(count):
        give(group.id, str(number + 1))
        set_terms(group.id, daily_budget=Decimal(number + 20), from_day=date(2026, 4, number + 1))
        spend(make_campaign(brand, f"Campaign {number}", group=group.id), "10")
    with django_assert_num_queries(15):
        viewer.get(f"/groups/{group.id}/")
    with django_assert_num_queries(8):
        viewer.get(f"/budgets/{group.id}/history/")
