"""The spend that crosses a limit holds every campaign below that limit, in the same transaction."""

from datetime import timedelta
from decimal import Decimal

import pytest

from budgets.models import SpendType
from campaigns.models import Campaign, Hold, Reason, Status, StatusChange
from campaigns.services.spend import NewSpend, record_spend
from tests.conftest import ANN, NOON, make_brand, make_campaign


def spend(campaign, amount, *, now=NOON, **fields):
    day = fields.pop("day", NOON.date())
    new = NewSpend(campaign.id, Decimal(amount), day, **fields)
    return record_spend(spend=new, now=now, by=ANN)


@pytest.mark.parametrize(
    ("amount", "status"),
    [("49.99", Status.ACTIVE), ("50.00", Status.PAUSED), ("50.01", Status.PAUSED)],
)
def test_it_holds_exactly_at_the_daily_limit(acme, amount, status):
    brand = make_brand(daily="50")
    one, other = make_campaign(brand, "One"), make_campaign(brand, "Other")
    spend(one, amount)
    assert {c.status for c in Campaign.objects.filter(id__in=[one.id, other.id])} == {status}


def test_it_writes_one_status_change_for_two_limits_crossed_at_once(acme):
    campaign = make_campaign(make_brand(daily="50", monthly="50"))
    spend(campaign, "60")
    change = StatusChange.objects.filter(campaign=campaign).latest("id")
    assert (change.from_status, change.to_status, change.version) == ("ACTIVE", "PAUSED", 2)
    assert change.reasons == [Reason.DAILY_BUDGET, Reason.MONTHLY_BUDGET]


def test_spend_of_yesterday_counts_in_the_month_only(acme):
    campaign = make_campaign(make_brand(daily="50", monthly="500"))
    spend(campaign, "60", day=NOON.date() - timedelta(days=1))
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE


def test_a_monthly_charge_counts_in_the_month_only(acme):
    campaign = make_campaign(make_brand(daily="50", monthly="60"))
    spend(campaign, "59.99", spend_type=SpendType.MONTHLY)
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE
    spend(campaign, "0.01", spend_type=SpendType.MONTHLY)
    (hold,) = Hold.objects.filter(campaign=campaign)
    assert hold.reason == Reason.MONTHLY_BUDGET
