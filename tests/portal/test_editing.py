"""Managers edit through the same services as everybody: a refusal is told at its field."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from budgets.models import Brand, Budget, BudgetKind
from budgets.services import current_limits, root_of
from campaigns.models import Campaign, Hold, Status
from campaigns.services import budgets
from tests.conftest import ANN, NOON, make_brand, make_campaign

from .conftest import spend

BRAND = {
    "name": "Fabrikam",
    "currency": "EUR",
    "time_zone": "Europe/Riga",
    "daily_budget": "50.00",
    "monthly_budget": "",
}


def errors(page) -> dict[str, list[str]]:
    return {field: list(found) for field, found in page.context["form"].errors.items()}


def limits_of(brand):
    return current_limits(root_of(brand), on=NOON.date())


def test_a_brand_is_made_with_its_limits(manager, acme):
    page = manager.post("/brands/new/", BRAND)
    brand = Brand.objects.get()
    assert page["Location"] == f"/brands/{brand.id}/"
    assert (brand.name, brand.currency, brand.time_zone) == ("Fabrikam", "EUR", "Europe/Riga")
    assert limits_of(brand) == (Decimal(50), None)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", "northwind", "is here already"),
        ("name", "   ", "required"),
        ("currency", "XXX", "valid choice"),
        ("time_zone", "Mars/Olympus", "no time zone"),
        ("daily_budget", "-1", "negative"),
        ("daily_budget", "1.005", "at most 2 decimals"),
        ("daily_budget", "NaN", "Enter a number"),
        ("monthly_budget", "1e30", "larger"),
    ],
)
def test_a_refusal_is_told_at_its_field_and_what_was_entered_stays(
    manager, brand, field, value, told
):
    page = manager.post("/brands/new/", {**BRAND, field: value})
    assert told in " ".join(errors(page)[field])
    assert list(errors(page)) == [field]
    assert 'value="Europe/Riga"' in page.content.decode() or field == "time_zone"
    assert 'aria-invalid="true"' in page.content.decode()
    assert Brand.objects.count() == 1


def test_a_brands_form_shows_what_is_there(manager, brand):
    page = manager.get(f"/brands/{brand.id}/edit/").content.decode()
    for value in ("Northwind", "100.00", "2000.00", "UTC"):
        assert f'value="{value}"' in page


def test_a_raised_budget_frees_what_it_held(manager, brand, campaign):
    spend(campaign, "100")
    manager.post(f"/brands/{brand.id}/edit/", {**BRAND, "currency": "USD", "daily_budget": "150"})
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE


def test_the_currency_is_fixed_once_there_is_spend(manager, brand, campaign):
    spend(campaign, "1")
    page = manager.post(f"/brands/{brand.id}/edit/", BRAND)
    assert "can't change any more" in errors(page)["currency"][0]


def test_a_new_zone_says_from_when_it_applies(manager, brand):
    data = {**BRAND, "currency": "USD"}
    saved = manager.post(f"/brands/{brand.id}/edit/", data, follow=True).content.decode()
    assert "Fabrikam is saved. Europe/Riga applies from 3 Mar 2026, 00:00 Europe/Riga on" in saved
    page = manager.get(f"/brands/{brand.id}/").content.decode()
    assert "From 3 Mar 2026, 00:00 Europe/Riga its days are those of Europe/Riga" in page
    form = manager.get(f"/brands/{brand.id}/edit/").content.decode()
    assert "Europe/Riga applies from 3 Mar 2026, 00:00 Europe/Riga on; until then UTC does." in form


def test_a_zone_that_applies_already_is_no_news(manager, brand):
    manager.post(f"/brands/{brand.id}/edit/", {**BRAND, "currency": "USD"}, follow=True)
    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        assert "until then" not in manager.get(f"/brands/{brand.id}/").content.decode()
        assert "until then" not in manager.get(f"/brands/{brand.id}/edit/").content.decode()
        # Another change does not speak of the zone.
        again = {**BRAND, "currency": "USD", "name": "Again"}
        saved = manager.post(f"/brands/{brand.id}/edit/", again, follow=True).content.decode()
        assert "Again is saved.</p>" in saved


@pytest.mark.parametrize(("has_spend", "left"), [(False, 0), (True, 1)])
def test_a_brand_without_spend_is_deleted_and_one_with_spend_archived(
    manager, brand, campaign, has_spend, left
):
    if has_spend:
        spend(campaign, "1")
    assert manager.get(f"/brands/{brand.id}/remove/").status_code == 200
    manager.post(f"/brands/{brand.id}/remove/")
    assert Brand.objects.count() == left
    assert not Brand.objects.filter(archived_at=None).exists()


def test_a_group_is_made_changed_and_deleted(manager, brand):
    data = {"name": "Video", "daily_budget": "10", "monthly_budget": ""}
    manager.post(f"/brands/{brand.id}/groups/new/", data)
    group = Budget.objects.get(kind=BudgetKind.GROUP)
    assert "0.00 of 10.00 USD" in manager.get(f"/brands/{brand.id}/").content.decode()
    manager.post(f"/groups/{group.id}/edit/", {**data, "name": "Film", "daily_budget": "20"})
    group.refresh_from_db()
    assert (group.name, current_limits(group, on=NOON.date()).daily) == ("Film", Decimal(20))
    manager.post(f"/groups/{group.id}/remove/")
    assert not Budget.objects.filter(kind=BudgetKind.GROUP).exists()


def test_a_group_that_held_a_campaign_stays_and_says_why(manager, brand):
    group = budgets.create_group(
        brand_id=brand.id, name="Video", daily_budget=Decimal(10), now=NOON, by=ANN
    )
    spend(make_campaign(brand, group=group.id), "10")
    page = manager.post(f"/groups/{group.id}/remove/")
    assert "their history names it" in page.content.decode().replace("&#x27;", "'")
    assert Budget.objects.filter(id=group.id).exists()


CAMPAIGN = {"name": "Spring", "status": "ACTIVE", "daily_budget": "20", "platform": "meta"}


@pytest.mark.parametrize(
    ("status", "stored"),
    [("ACTIVE", Status.ACTIVE), ("PAUSED", Status.PAUSED), ("INACTIVE", Status.INACTIVE)],
)
def test_a_campaign_is_made_as_it_should_start(manager, brand, status, stored):
    manager.post(f"/brands/{brand.id}/campaigns/new/", {**CAMPAIGN, "status": status})
    campaign = Campaign.objects.get()
    assert (campaign.name, campaign.platform, campaign.status) == ("Spring", "meta", stored)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "search"}, "name"),
        ({"end_date": "2026-02-01", "start_date": "2026-02-02"}, "end_date"),
        ({"start_date": "1900-01-01"}, "start_date"),
        ({"group": "00000000-0000-0000-0000-000000000000"}, "group"),
        ({"daily_budget": "1.001"}, "daily_budget"),
    ],
)
def test_a_campaigns_refusal_is_told_at_its_field(manager, brand, campaign, changes, field):
    page = manager.post(f"/brands/{brand.id}/campaigns/new/", {**CAMPAIGN, **changes})
    assert list(errors(page)) == [field]
    assert Campaign.objects.count() == 1


def test_a_campaign_moves_into_a_group_and_its_limits_change(manager, brand, campaign):
    group = budgets.create_group(brand_id=brand.id, name="Video", now=NOON, by=ANN)
    data = {"name": "Search", "group": str(group.id), "daily_budget": "5", "end_date": "2026-03-09"}
    manager.post(f"/campaigns/{campaign.id}/edit/", data)
    campaign.refresh_from_db()
    assert (campaign.budget.parent_id, str(campaign.end_date)) == (group.id, "2026-03-09")
    form = manager.get(f"/campaigns/{campaign.id}/edit/").content.decode()
    assert 'value="5.00"' in form
    assert f'value="{group.id}" selected' in form


def test_another_brands_group_is_no_choice(manager, brand, campaign):
    foreign = budgets.create_group(brand_id=make_brand("Other").id, name="X", now=NOON, by=ANN)
    data = {"name": "Search", "group": str(foreign.id)}
    assert "group" in errors(manager.post(f"/campaigns/{campaign.id}/edit/", data))


def command(client, campaign, status, **data):
    path = f"/campaigns/{campaign.id}/command/"
    return client.post(path, {"status": status, **data}, follow=True)


def test_pause_and_resume(manager, campaign):
    page = command(manager, campaign, "PAUSED").content.decode()
    assert "Paused since 12:00: paused by Max. Resumes when a person resumes it." in page
    assert 'value="ACTIVE">Resume' in page
    page = command(manager, campaign, "ACTIVE").content.decode()
    assert "Search runs." in page
    assert 'value="PAUSED">Pause' in page


def test_resuming_tells_what_still_holds_it(manager, brand, campaign):
    spend(campaign, "100")
    command(manager, campaign, "PAUSED")
    page = command(manager, campaign, "ACTIVE").content.decode()
    assert "still held. Paused since 12:00: daily budget of Northwind spent" in page
    assert not Hold.objects.filter(origin="pause", released_at=None).exists()


def test_switch_off_and_on(manager, campaign):
    assert "Switch on" in command(manager, campaign, "INACTIVE").content.decode()
    campaign.refresh_from_db()
    assert campaign.status == Status.INACTIVE
    command(manager, campaign, "ACTIVE")
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE


def test_an_unknown_command_is_a_bad_request(manager, campaign):
    assert command(manager, campaign, "DELETED").status_code == 400


@pytest.mark.parametrize(
    ("back", "lands"),
    [
        ("/?status=paused", "/?status=paused"),
        ("https://evil.example/", None),
        ("//evil.example/", None),
        ("", None),
    ],
)
def test_a_command_leads_back_to_pages_of_ours_only(manager, campaign, back, lands):
    page = manager.post(f"/campaigns/{campaign.id}/command/", {"status": "PAUSED", "next": back})
    assert page["Location"] == (lands or f"/campaigns/{campaign.id}/")


@pytest.mark.parametrize(("has_spend", "left"), [(False, 0), (True, 1)])
def test_a_campaign_is_deleted_or_archived(manager, campaign, has_spend, left):
    if has_spend:
        spend(campaign, "1")
    manager.post(f"/campaigns/{campaign.id}/remove/")
    assert Campaign.objects.count() == left
    assert not Campaign.objects.filter(archived_at=None).exists()


def test_the_campaigns_page_names_every_budget_that_binds_it(viewer, brand):
    group = budgets.create_group(
        brand_id=brand.id, name="Video", monthly_budget=Decimal(500), now=NOON, by=ANN
    )
    spend(make_campaign(brand, daily="40", group=group.id), "10")
    page = viewer.get(f"/campaigns/{Campaign.objects.get().id}/")
    told = [(b.name, b.level, b.gauges.today.sentence) for b in page.context["budgets"]]
    assert told == [
        ("Search", "campaign", "10.00 of 40.00 USD"),
        ("Video", "group", "10.00 USD, no limit"),
        ("Northwind", "brand", "10.00 of 100.00 USD"),
    ]


def test_history_tells_the_holds_that_are_over(viewer, manager, campaign):
    command(manager, campaign, "PAUSED")
    command(manager, campaign, "ACTIVE")
    page = viewer.get(f"/campaigns/{campaign.id}/history/").content.decode()
    assert "paused by Max. Released 12:00 by Max." in page
    assert page.count("<b>Active</b>") == 2


@pytest.mark.parametrize("count", [1, 9])
def test_brand_and_campaign_pages_take_the_same_statements_for_any_number(
    viewer, brand, count, django_assert_num_queries
):
    for number in range(count):
        group = budgets.create_group(brand_id=brand.id, name=f"Group {number}", now=NOON, by=ANN)
        campaign = make_campaign(brand, f"Campaign {number}", daily="10", group=group.id)
        spend(campaign, "10")
    with django_assert_num_queries(16):
        viewer.get(f"/brands/{brand.id}/")
    with django_assert_num_queries(19):
        viewer.get(f"/campaigns/{campaign.id}/")
