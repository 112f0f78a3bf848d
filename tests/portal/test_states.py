"""Scheduled and ended are what people call a campaign that its flight alone holds."""

from datetime import timedelta
from decimal import Decimal

import pytest

from budgets.services import lock_brand, root_of
from campaigns.enforcement import enforce_delivery
from campaigns.models import Campaign, Hold
from campaigns.services import budgets, campaigns
from campaigns.services.spend import NewSpend, record_spend
from portal.states import State, state_expression, state_of
from tests.conftest import ANN, NOON, make_brand, make_campaign

from .conftest import spend

TODAY = NOON.date()
DAY = timedelta(days=1)


def _running(brand):
    return make_campaign(brand)


def _scheduled(brand):
    return make_campaign(brand, start_date=TODAY + DAY)


def _ended(brand):
    return make_campaign(brand, end_date=TODAY - DAY)


def _ended_and_spent(brand):
    campaign = make_campaign(brand, daily="10", end_date=TODAY - DAY)
    spend(campaign, "10")
    return campaign


def _paused(brand):
    return make_campaign(brand, status="PAUSED")


def _waits(brand, *, end_date=None):
    root = root_of(brand)
    now, by = NOON - DAY, ANN
    budgets.update_budget(
        budget_id=root.id, changes={"mode": "pause", "daily_budget": Decimal(10)}, now=now, by=by
    )
    campaign = make_campaign(brand, now=now, end_date=end_date)
    new = NewSpend(campaign.id, Decimal(10), TODAY - DAY)
    record_spend(spend=new, now=now, by=by)
    enforce_delivery({brand.id: lock_brand(brand.id, by=ANN)}, now=NOON, by=by)
    return campaign


def _waits_and_ended(brand):
    return _waits(brand, end_date=TODAY - DAY)


def _waits_and_spent(brand):
    campaign = _waits(brand)
    spend(campaign, "10")
    return campaign


def _off(brand):
    return make_campaign(brand, status="INACTIVE")


def _archived(brand):
    campaign = make_campaign(brand)
    spend(campaign, "1")
    campaigns.remove_campaign(campaign_id=campaign.id, now=NOON, by=ANN)
    return campaign


@pytest.mark.parametrize(
    ("make", "state"),
    [
        (_running, State.RUNNING),
        (_scheduled, State.SCHEDULED),
        (_ended, State.ENDED),
        (_ended_and_spent, State.PAUSED),
        (_paused, State.PAUSED),
        (_waits, State.WAITING),
        (_waits_and_ended, State.ENDED),
        (_waits_and_spent, State.WAITING),
        (_off, State.OFF),
        (_archived, State.ARCHIVED),
    ],
)
def test_python_and_sql_call_it_the_same(acme, make, state):
    campaign = make(make_brand())
    stored = Campaign.objects.annotate(state=state_expression()).get(id=campaign.id)
    holds = Hold.objects.filter(campaign=campaign, released_at=None)
    assert (stored.state, state_of(stored, list(holds))) == (state, state)
