"""The ledger's pages: it only grows, and a form that is sent twice counts once."""

import uuid
from decimal import Decimal

import pytest

from budgets.models import EntryKind, SpendEntry
from campaigns.models import Status
from tests.conftest import make_brand, make_campaign

from .conftest import spend


def form(**changes) -> dict[str, str]:
    return {
        "amount": "12.50",
        "spend_date": "2026-03-02",
        "spend_type": "DAILY",
        "description": "",
        "key": str(uuid.uuid4()),
        **changes,
    }


def record(client, campaign, **changes):
    return client.post(f"/campaigns/{campaign.id}/spend/", form(**changes), follow=True)


def correct(client, campaign, **changes):
    data = form(**{"source": "portal", "description": "Invoice 7", **changes})
    return client.post(f"/campaigns/{campaign.id}/correct/", data, follow=True)


def test_a_spend_is_recorded_and_what_it_uses_up_pauses_at_once(manager, campaign):
    page = record(manager, campaign, amount="100").content.decode()
    entry = SpendEntry.objects.get()
    assert (entry.amount, entry.source, entry.recorded_by_label) == (100, "portal", "Max")
    assert "100.00 USD recorded on 2026-03-02." in page
    assert "Paused since 12:00: daily budget of Northwind spent" in page


def test_the_same_form_sent_twice_counts_once(manager, campaign):
    key = str(uuid.uuid4())
    record(manager, campaign, key=key)
    page = record(manager, campaign, key=key).content.decode()
    assert SpendEntry.objects.count() == 1
    assert "it counts once" in page


def test_an_old_form_with_other_values_is_refused_and_may_be_sent_anew(manager, campaign):
    key = str(uuid.uuid4())
    record(manager, campaign, key=key)
    page = record(manager, campaign, key=key, amount="99")
    assert "recorded before, with other values" in page.content.decode()
    fresh = page.context["form"]["key"].value()
    assert fresh != key
    record(manager, campaign, key=fresh, amount="99")
    assert SpendEntry.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "-1"}, "amount"),
        ({"amount": "1.1234567"}, "amount"),
        ({"amount": "Infinity"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"spend_date": "2026-03-03"}, "spend_date"),
        ({"spend_date": "yesterday"}, "spend_date"),
        ({"spend_type": "HOURLY"}, "spend_type"),
        ({"key": "7"}, "key"),
    ],
)
def test_a_refusal_is_told_at_its_field(manager, campaign, changes, field):
    page = record(manager, campaign, **changes)
    assert list(page.context["form"].errors) == [field]
    assert not SpendEntry.objects.exists()


def test_a_correction_takes_back_with_a_reason_within_its_source(manager, campaign):
    spend(campaign, "100", source="google", external_id="a")
    page = manager.get(f"/campaigns/{campaign.id}/correct/").content.decode()
    assert page.index('value="google"') < page.index('value="portal"')
    correct(manager, campaign, amount="-40", source="google")
    entry = SpendEntry.objects.get(kind=EntryKind.CORRECTION)
    assert (entry.amount, entry.source, entry.description) == (-40, "google", "Invoice 7")
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE


def test_a_correction_needs_its_reason(manager, campaign):
    page = correct(manager, campaign, description=" ")
    assert list(page.context["form"].errors) == ["description"]


def test_a_correction_names_a_source_that_there_is(manager, campaign):
    page = correct(manager, campaign, source="nobody")
    assert list(page.context["form"].errors) == ["source"]


def test_an_entry_is_reversed_once(manager, campaign):
    spend(campaign, "60")
    entry = SpendEntry.objects.get()
    assert "Reverse 60.00 USD?" in manager.get(f"/spend/{entry.id}/reverse/").content.decode()
    manager.post(f"/spend/{entry.id}/reverse/")
    page = manager.post(f"/spend/{entry.id}/reverse/", follow=True).content.decode()
    assert "was reversed already" in page
    amounts = SpendEntry.objects.values_list("amount", flat=True)
    assert sorted(amounts) == [Decimal(-60), Decimal(60)]


def test_a_reversal_is_not_reversed(manager, campaign):
    spend(campaign, "60")
    manager.post(f"/spend/{SpendEntry.objects.get().id}/reverse/")
    reversal = SpendEntry.objects.get(kind=EntryKind.REVERSAL)
    page = manager.post(f"/spend/{reversal.id}/reverse/").content.decode()
    assert "This entry is a reversal" in page
    assert SpendEntry.objects.count() == 2


@pytest.fixture
def ledger(brand, campaign):
    """Northwind: 10 USD today on Search, 20 yesterday on Video. Kaito: 500 JPY today."""
    spend(campaign, "10")
    video = make_campaign(brand, "Video")
    spend(video, "20", day=brand.created_at.date().replace(day=1))
    kaito = make_brand("Kaito", currency="JPY", time_zone="Asia/Tokyo")
    spend(make_campaign(kaito, "Boots"), "500")
    return {"brand": brand.id, "video": video.id, "kaito": kaito.id}


@pytest.mark.parametrize(
    ("query", "amounts", "sums"),
    [
        ("", {10, 20, 500}, []),
        ("?brand={brand}", {10, 20}, ["30.00 USD"]),
        ("?campaign={video}", {20}, ["20.00 USD"]),
        ("?start_date=2026-03-02", {10, 500}, ["500 JPY", "10.00 USD"]),
        ("?end_date=2026-03-01", {20}, ["20.00 USD"]),
        ("?brand={kaito}&campaign={video}", set(), []),
        ("?campaign={brand}", set(), []),
    ],
)
def test_the_ledger_is_filtered_and_never_adds_two_currencies(viewer, ledger, query, amounts, sums):
    page = viewer.get(f"/spend/{query.format(**ledger)}")
    assert {int(entry.amount) for entry in page.context["entries"]} == amounts
    assert page.context["sums"] == sums


@pytest.mark.parametrize("count", [1, 9])
def test_it_takes_the_same_statements_for_any_number(
    viewer, brand, campaign, count, django_assert_num_queries
):
    for _ in range(count):
        spend(campaign, "1")
    with django_assert_num_queries(7):
        viewer.get("/spend/")


def test_a_campaign_is_found_by_its_own_or_its_brands_name(manager, ledger):
    def found(text):
        page = manager.get(f"/spend/new/?q={text}")
        return [campaign.name for campaign in page.context["campaigns"]]

    assert found("boot") == ["Boots"]
    assert found("north") == ["Search", "Video"]
    assert found("nothing") == []
