"""Budgets: groups come and go, limits change, their history stays to be read."""

from datetime import date, timedelta
from decimal import Decimal

from budgets.models import Budget, BudgetKind
from budgets.queries import Figures, Spent, figures_by_day
from budgets.services import current_limits, set_limits
from budgets.terms import Limits, Terms
from campaigns.models import Campaign, Status
from tests.backoffice.conftest import errors_of, messages_of, page
from tests.backoffice.rows import make_group, make_spend
from tests.conftest import ANN, NOON, make_brand, make_campaign


def test_a_group_is_made_below_a_brand(acme, max_):
    brand = make_brand()
    said = {"brand": brand.pk, "name": "Prospecting", "daily_budget": "50", "monthly_budget": ""}
    max_.post(page(Budget, "add"), said)
    group = Budget.objects.get(kind=BudgetKind.GROUP)
    assert (group.brand, group.name) == (brand, "Prospecting")
    assert current_limits(group, on=NOON.date()) == Limits(Decimal(50), None)


def test_a_group_needs_a_name_of_its_own(acme, max_):
    brand = make_brand()
    make_group(brand, "Prospecting")
    said = {"brand": brand.pk, "name": "prospecting", "daily_budget": "", "monthly_budget": ""}
    assert "is here already" in errors_of(max_.post(page(Budget, "add"), said))["name"][0]
    said["name"] = ""
    assert errors_of(max_.post(page(Budget, "add"), said))["name"] == ["This field is required."]


def test_a_brand_of_another_agency_can_not_be_chosen(acme, zoe):
    brand = make_brand()
    said = {"brand": brand.pk, "name": "Sneaky", "daily_budget": "", "monthly_budget": ""}
    assert "brand" in errors_of(zoe.post(page(Budget, "add"), said))


def test_lowering_a_groups_limit_holds_its_campaigns(acme, max_):
    group = make_group(make_brand())
    campaign = make_campaign(group.brand, group=group.id)
    make_spend(campaign, "40")
    said = {"name": "Prospecting", "daily_budget": "40", "monthly_budget": "", **_no_inlines()}
    response = max_.post(page(Budget, "change", group.pk), said, follow=True)
    assert "Northwind / Prospecting" in messages_of(response)
    assert Campaign.objects.get().status == Status.PAUSED


def test_a_campaigns_budget_has_limits_and_no_name(acme, max_):
    campaign = make_campaign(make_brand(), daily="10")
    said = {"name": "Sneaky", "daily_budget": "20", "monthly_budget": "", **_no_inlines()}
    max_.post(page(Budget, "change", campaign.budget_id), said)
    budget = Budget.objects.get(pk=campaign.budget_id)
    assert budget.name == ""
    assert current_limits(budget, on=NOON.date()).daily == Decimal(20)


def test_a_group_is_deleted_and_its_campaigns_stay(acme, max_):
    group = make_group(make_brand())
    campaign = make_campaign(group.brand, group=group.id)
    response = max_.post(page(Budget, "delete", group.pk), {"post": "yes"}, follow=True)
    assert messages_of(response) == "Northwind / Prospecting was deleted."
    campaign.budget.refresh_from_db()
    assert campaign.budget.parent == Budget.objects.get(kind=BudgetKind.ROOT)


def test_a_group_that_held_campaigns_stays_and_says_why(acme, max_):
    group = make_group(make_brand(), daily="10")
    make_spend(make_campaign(group.brand, group=group.id), "10")
    response = max_.post(page(Budget, "delete", group.pk), {"post": "yes"}, follow=True)
    assert "their history names it" in messages_of(response)
    assert Budget.objects.filter(pk=group.pk).exists()


def test_a_brands_own_budget_can_not_be_deleted(acme, ann):
    root = Budget.objects.get(brand=make_brand(), kind=BudgetKind.ROOT)
    assert ann.post(page(Budget, "delete", root.pk), {"post": "yes"}).status_code == 403


def test_the_history_of_limits_is_shown(acme, vic):
    brand = make_brand(daily="100")
    root = Budget.objects.get(brand=brand, kind=BudgetKind.ROOT)
    later = NOON + timedelta(days=3)
    limits = Limits(Decimal(300))
    set_limits(
        root, limits, brand=brand, from_day=later.date(), today=later.date(), now=later, by=ANN
    )
    shown = vic.get(page(Budget, "change", root.pk)).content.decode()
    assert "100.00 USD" in shown
    assert "300.00 USD" in shown
    assert "5 Mar 2026 12:00 UTC" in shown


def test_figures_of_many_days_are_those_of_each_day(acme):
    brand = make_brand(daily="100", now=NOON - timedelta(days=10))
    campaign = make_campaign(brand)
    root = Budget.objects.get(brand=brand, kind=BudgetKind.ROOT)
    today = NOON.date()
    set_limits(
        root, Limits(Decimal(200)), brand=brand, from_day=today, today=today, now=NOON, by=ANN
    )
    make_spend(campaign, "10", spend_date=date(2026, 2, 27))
    make_spend(campaign, "20", spend_date=date(2026, 3, 1))
    make_spend(campaign, "30", spend_date=today)
    february, march = date(2026, 2, 28), today
    assert figures_by_day([(root.id, february), (root.id, march)], now=NOON) == {
        (root.id, february): Figures(Terms(Limits(Decimal(100))), Spent(Decimal(0), Decimal(10))),
        (root.id, march): Figures(Terms(Limits(Decimal(200))), Spent(Decimal(30), Decimal(50))),
    }


def _no_inlines() -> dict[str, str]:
    return {
        f"{inline}-{count}_FORMS": "0"
        for inline in ("limits", "adjustments", "changes")
        for count in ("TOTAL", "INITIAL")
    }
