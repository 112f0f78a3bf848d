"""What happened, told: holds in sentences, changes of status with who made them."""

from campaigns.models import Hold, StatusChange
from campaigns.services import campaigns
from tests.backoffice.conftest import page
from tests.backoffice.rows import make_spend
from tests.conftest import ANN, NOON, make_brand, make_campaign


def test_a_hold_is_told_with_its_numbers_and_its_end(acme, vic):
    brand = make_brand(daily="10", time_zone="Europe/Riga")
    make_spend(make_campaign(brand), "12.5")
    hold = Hold.objects.get()
    listed = vic.get(page(Hold, "changelist")).content.decode()
    sentence = "daily budget of Northwind spent, 12.50 of 10.00 USD. Resumes 00:00 Europe/Riga."
    assert sentence in listed
    shown = vic.get(page(Hold, "change", hold.pk)).content.decode()
    assert "2 Mar 2026 14:00 Europe/Riga, Ann" in shown
    assert "3 Mar 2026 00:00 Europe/Riga" in shown


def test_open_and_released_holds_are_filtered(acme, vic):
    campaign = make_campaign(make_brand(), status="PAUSED")
    for state, count in (("open", 1), ("released", 0)):
        address = page(Hold, "changelist") + f"?state={state}"
        assert len(vic.get(address).context["cl"].result_list) == count
    campaigns.command(campaign_ids=[campaign.id], status="ACTIVE", now=NOON, by=ANN)
    listed = vic.get(page(Hold, "changelist") + "?state=released").content.decode()
    assert "Released 12:00 by Ann." in listed


def test_a_change_is_told_with_its_reasons(acme, vic):
    make_spend(make_campaign(make_brand(daily="10", monthly="10")), "10")
    listed = vic.get(page(StatusChange, "changelist") + "?became=PAUSED").content.decode()
    assert "Northwind / Search" in listed
    assert "Daily budget, Monthly budget" in listed


def test_the_changes_of_a_deleted_campaign_are_still_told(acme, vic):
    campaign = make_campaign(make_brand(), "Short", platform="meta", external_id="m-1")
    campaigns.remove_campaign(campaign_id=campaign.id, now=NOON, by=ANN)
    listed = vic.get(page(StatusChange, "changelist") + "?q=m-1").content.decode()
    assert "Short (deleted)" in listed
    last = StatusChange.objects.latest("id")
    shown = vic.get(page(StatusChange, "change", last.pk)).content.decode()
    assert "Short (deleted)" in shown
    assert "2 Mar 2026 12:00 UTC" in shown
