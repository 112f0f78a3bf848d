"""The ledger in the admin: recorded and reversed through the services, never changed."""

from decimal import Decimal

import pytest

from budgets.models import EntryKind, SpendEntry, SpendTotal
from campaigns.models import Campaign, Status
from tests.backoffice.conftest import errors_of, messages_of, page
from tests.backoffice.rows import make_spend
from tests.conftest import make_brand, make_campaign

SPENT = {
    "amount": "25.50",
    "spend_date": "2026-03-02",
    "spend_type": "DAILY",
    "description": "",
    "external_id": "",
    "page_key": "page:1",
}


def _reverse(client, *entries: SpendEntry):
    chosen = {"action": "reverse", "_selected_action": [entry.pk for entry in entries]}
    return client.post(page(SpendEntry, "changelist"), {**chosen, "post": "yes"}, follow=True)


def test_a_spend_is_recorded_by_the_person(acme, max_):
    campaign = make_campaign(make_brand())
    max_.post(page(SpendEntry, "add"), {**SPENT, "campaign": campaign.pk})
    entry = SpendEntry.objects.get()
    assert (entry.budget_id, entry.amount, entry.source) == (
        campaign.budget_id,
        Decimal("25.50"),
        "admin",
    )
    assert entry.recorded_by_label == "Max"
    assert SpendTotal.objects.get(budget=campaign.budget_id).daily_amount == Decimal("25.50")


def test_the_spend_that_crosses_the_limit_holds_and_says_so(acme, max_):
    campaign = make_campaign(make_brand(daily="25"))
    response = max_.post(page(SpendEntry, "add"), {**SPENT, "campaign": campaign.pk}, follow=True)
    assert "Search is now paused." in messages_of(response)
    assert Campaign.objects.get().status == Status.PAUSED


def test_a_page_sent_twice_counts_once(acme, max_):
    said = {**SPENT, "campaign": make_campaign(make_brand()).pk}
    max_.post(page(SpendEntry, "add"), said)
    response = max_.post(page(SpendEntry, "add"), said, follow=True)
    assert "it counts once" in messages_of(response)
    assert SpendEntry.objects.count() == 1


def test_each_page_has_a_key_of_its_own(acme, max_):
    keys = {
        max_.get(page(SpendEntry, "add")).context["adminform"].form["page_key"].value()
        for _ in range(2)
    }
    assert len(keys) == 2


def test_the_same_reference_with_another_amount_is_refused(acme, max_):
    said = {**SPENT, "campaign": make_campaign(make_brand()).pk, "external_id": "INV-7"}
    max_.post(page(SpendEntry, "add"), said)
    response = max_.post(page(SpendEntry, "add"), {**said, "amount": "26"})
    assert "in the ledger with another content" in errors_of(response)["external_id"][0]
    assert SpendEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"amount": "-5"}, "amount", "A spend can't be negative"),
        ({"amount": "NaN"}, "amount", "Enter a number"),
        ({"amount": "0.1234567"}, "amount", "no more than 6 decimal places"),
        ({"amount": "100000000000"}, "amount", "can't be larger"),
        ({"spend_date": "2026-03-03"}, "spend_date", "after Northwind's today"),
        ({"spend_date": "1969-12-31"}, "spend_date", "1970 or later"),
        ({"spend_date": "2026-02-30"}, "spend_date", "Enter a valid date"),
        ({"spend_type": "HOURLY"}, "spend_type", "Select a valid choice"),
        ({"campaign": "no-uuid"}, "campaign", "not a valid"),
        ({"campaign": "01a1fc38-3f95-7762-af36-9f84c74555c3"}, "campaign", "valid choice"),
        ({"correction": "on", "amount": "-5"}, "description", "needs a description"),
        ({"description": "x" * 501}, "description", "at most 500 characters"),
        ({"description": "\0"}, "description", "Null characters"),
    ],
)
def test_a_bad_value_is_an_error_on_its_field(acme, max_, changes, field, sentence):
    said = {**SPENT, "campaign": make_campaign(make_brand()).pk, **changes}
    assert sentence in errors_of(max_.post(page(SpendEntry, "add"), said))[field][0]
    assert not SpendEntry.objects.exists()


def test_a_campaign_of_another_agency_can_not_be_chosen(acme, zoe):
    said = {**SPENT, "campaign": make_campaign(make_brand()).pk}
    assert "campaign" in errors_of(zoe.post(page(SpendEntry, "add"), said))


def test_a_correction_goes_down_and_brings_the_campaign_back(acme, max_):
    campaign = make_campaign(make_brand(daily="25"))
    make_spend(campaign, "30")
    said = {**SPENT, "campaign": campaign.pk, "amount": "-10", "correction": "on"}
    max_.post(page(SpendEntry, "add"), {**said, "description": "Counted twice"})
    assert SpendEntry.objects.get(kind=EntryKind.CORRECTION).description == "Counted twice"
    assert Campaign.objects.get().status == Status.ACTIVE


def test_reversing_asks_first(acme, max_):
    entry = make_spend(make_campaign(make_brand()), "10")
    chosen = {"action": "reverse", "_selected_action": [entry.pk], "index": "0"}
    asked = max_.post(page(SpendEntry, "changelist"), chosen).content.decode()
    assert "Northwind / Search, 10.00 USD on 2026-03-02" in asked
    assert SpendEntry.objects.count() == 1


def test_a_spend_is_reversed_once(acme, max_):
    entry = make_spend(make_campaign(make_brand()), "10")
    assert messages_of(_reverse(max_, entry)) == "1 reversed."
    assert messages_of(_reverse(max_, entry)) == "1 had been reversed before."
    assert {e.amount for e in SpendEntry.objects.all()} == {Decimal(10), Decimal(-10)}


def test_a_reversal_is_not_reversed_and_others_are(acme, max_):
    campaign = make_campaign(make_brand())
    _reverse(max_, make_spend(campaign, "10"))
    reversal = SpendEntry.objects.get(kind=EntryKind.REVERSAL)
    told = messages_of(_reverse(max_, reversal, make_spend(campaign, "7")))
    assert "This entry is a reversal" in told
    assert "1 reversed." in told


@pytest.mark.parametrize("name", ["change", "delete"])
def test_an_entry_is_never_changed_or_deleted(acme, ann, name):
    entry = make_spend(make_campaign(make_brand()), "10")
    assert ann.post(page(SpendEntry, name, entry.pk), {"post": "yes"}).status_code == 403
    assert SpendEntry.objects.get().amount == 10


def test_a_viewer_reverses_nothing(acme, vic):
    _reverse(vic, make_spend(make_campaign(make_brand()), "10"))
    assert SpendEntry.objects.count() == 1


def test_a_row_shows_the_nearest_budget_on_its_day(acme, vic):
    campaign = make_campaign(make_brand(daily="100"), daily="20")
    make_spend(campaign, "18")
    listed = vic.get(page(SpendEntry, "changelist")).content.decode()
    assert "18.00 of 20.00 USD" in listed
    assert 'class="bar bar-amber"' in listed


def test_without_a_budget_of_its_own_the_brands_is_shown_by_name(acme, vic):
    make_spend(make_campaign(make_brand(daily="100")), "18")
    listed = vic.get(page(SpendEntry, "changelist")).content.decode()
    assert '18.00 of 100.00 USD</span> <span class="quiet">Northwind</span>' in listed
