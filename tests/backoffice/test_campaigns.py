"""Campaigns: their form, the commands on the list, and how they are told."""

from datetime import date
from decimal import Decimal

import pytest

from budgets.models import Budget, BudgetKind
from budgets.services import current_limits
from campaigns.models import PAUSE, Campaign, Hold, Reason, Status
from campaigns.services import campaigns
from tests.backoffice.conftest import errors_of, messages_of, page
from tests.backoffice.rows import make_group, make_spend
from tests.conftest import ANN, NOON, make_brand, make_campaign

SEARCH = {
    "name": "Search",
    "platform": "google",
    "external_id": "g-1",
    "start_date": "",
    "end_date": "",
    "daily_budget": "50",
    "monthly_budget": "",
    "group": "",
    "command": "ACTIVE",
}


def _act(client, action: str, *campaigns: Campaign):
    chosen = {"action": action, "_selected_action": [c.pk for c in campaigns], "index": "0"}
    return client.post(page(Campaign, "changelist"), chosen, follow=True)


def test_a_campaign_is_made_in_a_group_with_limits(acme, max_):
    group = make_group(make_brand())
    said = {**SEARCH, "brand": group.brand_id, "group": group.pk, "start_date": "2026-03-01"}
    max_.post(page(Campaign, "add"), said)
    campaign = Campaign.objects.get()
    assert (campaign.platform, campaign.external_id) == ("google", "g-1")
    assert (campaign.start_date, campaign.status) == (date(2026, 3, 1), Status.ACTIVE)
    assert campaign.budget.parent == group
    assert current_limits(campaign.budget, on=NOON.date()).daily == Decimal(50)


def test_a_link_from_a_brand_offers_its_groups(acme, max_):
    group, other = make_group(make_brand()), make_group(make_brand("Other"), "Elsewhere")
    form = max_.get(f"{page(Campaign, 'add')}?brand={group.brand_id}").context["adminform"].form
    assert list(form.fields["group"].queryset) == [group]
    assert other not in form.fields["group"].queryset


@pytest.mark.parametrize("brand", ["no-uuid", "", "01a1fc38-3f95-7762-af36-9f84c74555c3"])
def test_a_brand_that_is_none_is_an_error_on_its_field(acme, max_, brand):
    assert "brand" in errors_of(max_.post(page(Campaign, "add"), {**SEARCH, "brand": brand}))


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"name": "search"}, "name", "has a campaign named 'search' already"),
        ({"external_id": "x-1"}, "external_id", "the external id 'x-1' already"),
        ({"start_date": "2026-03-05", "end_date": "2026-03-04"}, "end_date", "before it starts"),
        ({"start_date": "1066-10-14"}, "start_date", "between 1970 and 2199"),
        ({"start_date": "2026-02-30"}, "start_date", "Enter a valid date"),
        ({"daily_budget": "1.234"}, "daily_budget", "at most 2 decimals"),
        ({"group": "no-uuid"}, "group", "valid"),
        ({"command": "EXPLODE"}, "command", "Select a valid choice"),
    ],
)
def test_a_bad_value_is_an_error_on_its_field(acme, max_, changes, field, sentence):
    brand = make_brand()
    make_campaign(brand, "Search", platform="google", external_id="x-1")
    said = {**SEARCH, "name": "Other", "brand": brand.pk, **changes}
    assert sentence in errors_of(max_.post(page(Campaign, "add"), said))[field][0]
    assert Campaign.objects.count() == 1
    assert Budget.objects.filter(kind=BudgetKind.LEAF).count() == 1


def test_a_group_of_another_brand_can_not_be_chosen(acme, max_):
    campaign, group = make_campaign(make_brand()), make_group(make_brand("Other"))
    said = {**SEARCH, "command": "", "group": group.pk}
    assert "group" in errors_of(max_.post(page(Campaign, "change", campaign.pk), said))


def test_moving_to_a_group_decides_on_its_limit(acme, max_):
    group = make_group(make_brand(), daily="30")
    campaign = make_campaign(group.brand)
    make_spend(campaign, "30")
    said = {**SEARCH, "command": "", "group": group.pk}
    max_.post(page(Campaign, "change", campaign.pk), said)
    assert Campaign.objects.get().status == Status.PAUSED


def test_leaving_the_command_keeps_a_pause(acme, max_):
    campaign = make_campaign(make_brand(), status="PAUSED")
    max_.post(page(Campaign, "change", campaign.pk), {**SEARCH, "command": ""})
    assert Campaign.objects.get().status == Status.PAUSED


def test_the_brand_of_a_campaign_does_not_change(acme, max_):
    campaign, other = make_campaign(make_brand()), make_brand("Other")
    said = {**SEARCH, "command": "", "brand": other.pk}
    max_.post(page(Campaign, "change", campaign.pk), said)
    assert Campaign.objects.get().brand_id == campaign.brand_id


def test_pause_places_a_hold_that_names_the_person(acme, max_):
    one, two = make_campaign(make_brand(), "One"), make_campaign(make_brand("Other"), "Two")
    response = _act(max_, "pause", one, two)
    assert messages_of(response) == "Northwind / One, Other / Two paused."
    holds = Hold.objects.filter(reason=Reason.MANUAL, origin=PAUSE, released_at=None)
    assert {hold.placed_by_label for hold in holds} == {"Max"}
    assert holds.count() == 2


def test_resume_tells_what_still_holds(acme, max_):
    brand = make_brand(daily="10")
    campaign = make_campaign(brand, status="PAUSED")
    make_spend(campaign, "10")
    told = messages_of(_act(max_, "resume", campaign))
    assert "Northwind / Search resumed." in told
    assert "daily budget of Northwind spent, 10.00 of 10.00 USD" in told
    assert Campaign.objects.get().status == Status.PAUSED


def test_resume_brings_back_what_only_a_person_held(acme, max_):
    campaign = make_campaign(make_brand(), status="PAUSED")
    assert messages_of(_act(max_, "resume", campaign)) == "Northwind / Search resumed."
    assert Campaign.objects.get().status == Status.ACTIVE


def test_switched_off_is_inactive(acme, max_):
    _act(max_, "switch_off", make_campaign(make_brand()))
    assert Campaign.objects.get().status == Status.INACTIVE


def test_archived_ones_are_left_and_told(acme, max_):
    brand = make_brand()
    live, archived = make_campaign(brand, "Live"), make_campaign(brand, "Old")
    make_spend(archived)
    campaigns.remove_campaign(campaign_id=archived.pk, now=NOON, by=ANN)
    chosen = {"action": "pause", "_selected_action": [live.pk, archived.pk], "index": "0"}
    address = page(Campaign, "changelist") + "?archived=all"
    told = messages_of(max_.post(address, chosen, follow=True))
    assert "Northwind / Live paused." in told
    assert "Northwind / Old left as archived." in told


def test_a_viewer_has_no_actions(acme, vic):
    campaign = make_campaign(make_brand())
    assert "action_form" in vic.get(page(Campaign, "changelist")).context
    assert vic.get(page(Campaign, "changelist")).context["action_form"] is None
    _act(vic, "pause", campaign)
    assert Campaign.objects.get().status == Status.ACTIVE


def test_the_list_tells_status_and_why(acme, vic):
    brand = make_brand(daily="10")
    make_spend(make_campaign(brand, "Spent"), "10")
    make_campaign(make_brand("Other"), "Later", start_date=date(2026, 4, 1))
    listed = vic.get(page(Campaign, "changelist")).content.decode()
    assert "Paused since 12:00: daily budget of Northwind spent, 10.00 of 10.00 USD." in listed
    assert '<span class="chip chip-held">Paused</span>' in listed
    assert '<span class="chip chip-wait">Scheduled</span>' in listed
    assert 'class="bar bar-red"' in listed


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?held=manual", {"Paused"}),
        ("?held=daily_budget", set()),
        ("?status__exact=ACTIVE", {"Running"}),
        ("?platform=meta", {"Running"}),
        ("?q=running", {"Running"}),
        ("?q=other", {"Running"}),
        ("?brand={other}", {"Running"}),
        ("?archived=yes", set()),
    ],
)
def test_the_list_is_filtered(acme, vic, query, found):
    make_campaign(make_brand(), "Paused", status="PAUSED")
    other = make_brand("Other")
    make_campaign(other, "Running", platform="meta")
    address = page(Campaign, "changelist") + query.format(other=other.pk)
    assert {c.name for c in vic.get(address).context["cl"].result_list} == found


@pytest.mark.parametrize(
    "query", ["?brand=no-uuid", "?platform=%00", "?id__in=no-uuid", "?nothing=1", "?brand=%00"]
)
def test_a_filter_that_is_none_shows_the_list_without(acme, vic, query):
    make_campaign(make_brand())
    response = vic.get(page(Campaign, "changelist") + query, follow=True)
    assert response.redirect_chain[-1][0].endswith("?e=1")
    assert response.status_code == 200


@pytest.mark.parametrize("query", ["?q=%00", "?p=x", "?o=99.x", "?held=x", "?archived=x"])
def test_a_wild_address_is_no_error(acme, vic, query):
    make_campaign(make_brand())
    assert vic.get(page(Campaign, "changelist") + query).status_code == 200


def test_a_wild_choice_is_no_error(acme, max_):
    make_campaign(make_brand())
    chosen = {"action": "pause", "_selected_action": ["no-uuid"], "index": "0"}
    told = messages_of(max_.post(page(Campaign, "changelist"), chosen, follow=True))
    assert told == "What was chosen does not exist."
    asked = "app_label=campaigns&model_name=hold&field_name=campaign&term=%00"
    assert max_.get(f"/admin/autocomplete/?{asked}").status_code == 200


def test_choosing_offers_campaigns_with_their_brands(acme, vic):
    make_campaign(make_brand(), "Search")
    gone = make_campaign(make_brand("Gone"), "Search")
    make_spend(gone)
    campaigns.remove_campaign(campaign_id=gone.pk, now=NOON, by=ANN)
    asked = "app_label=campaigns&model_name=hold&field_name=campaign&term=sea"
    results = vic.get(f"/admin/autocomplete/?{asked}").json()["results"]
    assert [result["text"] for result in results] == ["Northwind / Search"]


def test_a_campaign_with_spend_is_archived(acme, max_):
    campaign = make_campaign(make_brand())
    make_spend(campaign)
    response = max_.post(page(Campaign, "delete", campaign.pk), {"post": "yes"}, follow=True)
    assert messages_of(response) == "Northwind / Search was archived, since it has spend."
    assert Campaign.objects.get().archived_at == NOON
