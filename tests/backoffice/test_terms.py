"""What bears on a budget in the admin: its mode, early stop, coming limits, and their histories."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from budgets.models import Budget, Period
from budgets.services import current_limits, lock_brand, root_of
from campaigns.enforcement import enforce_delivery
from campaigns.models import Campaign
from campaigns.services import budgets, campaigns
from tests.backoffice.conftest import errors_of, messages_of, page
from tests.backoffice.rows import make_group, make_spend
from tests.conftest import ANN, NOON, make_brand, make_campaign

DECEMBER = date(2026, 12, 1)
TERMS = {
    "name": "Prospecting",
    "daily_budget": "100.00",
    "monthly_budget": "",
    "from_day": "",
    "mode": "",
    "stop_at": "100",
    **{
        f"{inline}-{count}_FORMS": "0"
        for inline in ("limits", "adjustments", "changes")
        for count in ("TOTAL", "INITIAL")
    },
}


@pytest.fixture
def group(acme) -> Budget:
    return make_group(make_brand(), daily="100")


def test_mode_and_early_stop_are_set_through_the_service(max_, group):
    said = {**TERMS, "mode": "pause", "stop_at": "90"}
    max_.post(page(Budget, "change", group.pk), said)
    group.refresh_from_db()
    assert (group.mode, group.stop_at) == ("pause", 90)
    shown = max_.get(page(Budget, "change", group.pk)).content.decode()
    assert "when it is spent: pause, until a person resumes; counts as spent from: 90 %" in shown


def test_a_page_that_is_sent_unchanged_changes_nothing(max_, group):
    root = root_of(group.brand)
    for budget, said in ((group, TERMS), (root, {**TERMS, "daily_budget": ""})):
        before = budget.changes.count()
        said = {**said, "mode": "pause_resume"} if budget == root else said
        max_.post(page(Budget, "change", budget.pk), said)
        assert budget.changes.count() == before


def test_a_limit_begins_on_a_coming_day(max_, group):
    said = {**TERMS, "daily_budget": "80", "from_day": "2026-12-01"}
    max_.post(page(Budget, "change", group.pk), said)
    assert current_limits(group, on=NOON.date()).daily == 100
    assert current_limits(group, on=DECEMBER).daily == 80


def test_back_to_todays_limits_from_a_later_day(max_, group):
    budgets.update_budget(
        budget_id=group.id,
        changes={"daily_budget": Decimal(10), "from_day": date(2026, 11, 1)},
        now=NOON,
        by=ANN,
    )
    max_.post(page(Budget, "change", group.pk), {**TERMS, "from_day": "2026-12-01"})
    assert current_limits(group, on=DECEMBER).daily == 100


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("stop_at", "49", "A budget stops at 50 to 100 percent of its limit."),
        ("stop_at", "101", "A budget stops at 50 to 100 percent of its limit."),
        ("stop_at", "x", "Enter a whole number."),
        ("mode", "explode", "Select a valid choice."),
        ("from_day", "2026-03-01", "The past is not rewritten: today is 2026-03-02."),
        ("from_day", "soon", "Enter a valid date."),
    ],
)
def test_bad_terms_are_told_at_their_field_and_nothing_is_stored(
    max_, group, field, value, sentence
):
    said = {**TERMS, "name": "Renamed", "daily_budget": "80", field: value}
    (error,) = errors_of(max_.post(page(Budget, "change", group.pk), said))[field]
    assert error.startswith(sentence)
    group.refresh_from_db()
    assert (group.name, current_limits(group, on=DECEMBER).daily) == ("Prospecting", Decimal(100))


def test_a_group_is_made_with_its_mode_and_early_stop(acme, max_):
    said = {**TERMS, "brand": make_brand().pk, "mode": "alert_only", "stop_at": "80"}
    assert "was added" in messages_of(max_.post(page(Budget, "add"), said, follow=True))
    group = Budget.objects.get(name="Prospecting")
    assert (group.mode, group.stop_at) == ("alert_only", 80)


def test_a_viewer_reads_what_bears_on_a_budget_and_changes_nothing(vic, group):
    budgets.update_budget(
        budget_id=root_of(group.brand).id, changes={"mode": "pause"}, now=NOON, by=ANN
    )
    for amount, note in ((200, "Launch day"), (-50, "Taken back")):
        given = budgets.adjust_budget(
            budget_id=group.id,
            amount=Decimal(amount),
            period=Period.DAY,
            note=note,
            now=NOON,
            by=ANN,
        )
    budgets.withdraw_adjustment(budget_id=group.id, adjustment_id=given.id, now=NOON, by=ANN)
    shown = vic.get(page(Budget, "change", group.pk)).content.decode()
    assert "Pause, until a person resumes, as Northwind" in shown
    assert "+200.00 USD" in shown
    assert "In force" in shown
    assert "Withdrawn</span> 2 Mar 2026 12:00 UTC, Ann" in shown
    assert f"/budgets/{group.id}/adjust/" not in shown
    assert vic.post(page(Budget, "change", group.pk), TERMS).status_code == 403


def test_a_manager_is_led_to_where_a_budget_is_adjusted(max_, group):
    shown = max_.get(page(Budget, "change", group.pk)).content.decode()
    assert f'href="/budgets/{group.id}/adjust/"' in shown


def test_a_campaign_that_waits_for_a_person_says_so(acme, max_):
    brand = make_brand(daily="10", now=NOON - timedelta(days=1))
    budgets.update_budget(
        budget_id=root_of(brand).id,
        changes={"mode": "pause"},
        now=NOON - timedelta(days=1),
        by=ANN,
    )
    campaign = make_campaign(brand, now=NOON - timedelta(days=1))
    make_spend(campaign, "10", spend_date=NOON.date())
    enforce_delivery({brand.id: lock_brand(brand.id, by=ANN)}, now=NOON, by=ANN)
    enforce_delivery({brand.id: lock_brand(brand.id, by=ANN)}, now=NOON + timedelta(days=1), by=ANN)
    listed = max_.get(page(Campaign, "changelist")).content.decode()
    assert "Waits for you" in listed
    campaigns.command(
        campaign_ids=[campaign.id], status="ACTIVE", now=NOON + timedelta(days=1), by=ANN
    )
    assert "Waits for you" not in max_.get(page(Campaign, "changelist")).content.decode()
