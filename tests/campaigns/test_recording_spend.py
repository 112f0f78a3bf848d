"""The spend that crosses a limit holds every campaign below that limit, in the same transaction."""

from datetime import timedelta
from decimal import Decimal

import pytest

from budgets.models import Period, SpendType
from budgets.services import root_of
from campaigns.audit import audit
from campaigns.models import Campaign, Hold, Reason, Status, StatusChange
from campaigns.services import budgets
from campaigns.services.spend import NewSpend, record_spend
from tests.conftest import ANN, NOON, make_brand, make_campaign

# A savepoint and its release; source, brand, campaign; entry, totals; brand. Near a limit also the
# limits and, where one is the month's, what that has spent.
RECORD = 8
RECORD_NEAR_A_LIMIT = 10


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


@pytest.mark.parametrize("amount", ["1", "49.99"])
def test_what_turns_no_limit_is_not_judged(acme, amount):
    brand = make_brand(daily="50", monthly="50")
    recorded = spend(make_campaign(brand), amount)
    assert recorded.outcome.checked == 0
    brand.refresh_from_db()
    assert brand.decided_at == NOON


def test_an_own_limit_that_turns_concerns_its_campaign_alone(acme):
    brand = make_brand(daily="1000")
    one, _other = make_campaign(brand, "One", daily="50"), make_campaign(brand, "Other")
    assert spend(one, "50").outcome.checked == 1


def test_a_shared_limit_that_turns_back_concerns_all_below_it(acme):
    brand = make_brand(daily="50")
    one, other = make_campaign(brand, "One"), make_campaign(brand, "Other")
    spend(one, "50")
    recorded = spend(one, "-0.01", is_correction=True, description="too much")
    assert {d.campaign.campaign_id for d in recorded.outcome.moves} == {one.id, other.id}


def test_what_was_spent_above_the_limit_already_turns_nothing(acme):
    brand = make_brand(daily="50")
    one, other = make_campaign(brand, "One"), make_campaign(brand, "Other")
    spend(one, "60")
    assert spend(other, "5").outcome.checked == 0
    assert set(Campaign.objects.values_list("status", flat=True)) == {Status.PAUSED}
    assert audit().violations == []


def test_more_spend_can_move_the_end_of_a_hold(acme):
    brand = make_brand(daily="100")
    campaign, _other = make_campaign(brand, "One"), make_campaign(brand, "Other")
    evening = NOON + timedelta(hours=6)
    budgets.adjust_budget(
        budget_id=root_of(brand).id,
        amount=Decimal(-20),
        period=Period.DAY,
        note="careful until six",
        expires_at=evening,
        now=NOON,
        by=ANN,
    )
    spend(campaign, "85")
    assert {hold.until for hold in Hold.objects.all()} == {evening}
    spend(campaign, "20")
    assert {hold.until for hold in Hold.objects.all()} == {NOON + timedelta(hours=12)}
    assert audit().violations == []


def test_the_monthly_limit_turns_by_spend_of_an_earlier_day(acme):
    later = NOON + timedelta(days=3)
    campaign = make_campaign(make_brand(monthly="100"), now=later)
    spend(campaign, "60", now=later, day=NOON.date())
    recorded = spend(campaign, "40", now=later, spend_type=SpendType.MONTHLY)
    assert [d.reasons for d in recorded.outcome.moves] == [(Reason.MONTHLY_BUDGET,)]


def test_spend_of_another_month_turns_nothing(acme):
    campaign = make_campaign(make_brand(daily="50", monthly="50"))
    recorded = spend(campaign, "60", day=NOON.date() - timedelta(days=5))
    assert (recorded.outcome.checked, recorded.status_of(campaign.id)) == (0, Status.ACTIVE)


def test_when_the_time_of_a_decision_has_come_all_are_judged(acme):
    brand = make_brand(daily="50")
    one, other = make_campaign(brand, "One"), make_campaign(brand, "Other")
    spend(one, "50")
    tomorrow = NOON + timedelta(days=1)
    recorded = spend(one, "1", now=tomorrow, day=tomorrow.date())
    assert {d.campaign.campaign_id for d in recorded.outcome.moves} == {one.id, other.id}
    assert recorded.status_of(one.id) == Status.ACTIVE


@pytest.mark.parametrize("count", [1, 40])
def test_it_takes_the_same_statements_in_a_brand_of_any_size(
    acme, count, django_assert_num_queries
):
    brand = make_brand(daily="1000", monthly="10000")
    several = [make_campaign(brand, f"Campaign {n}", daily="100") for n in range(count)]
    # The source is known from here on.
    spend(several[0], "1")
    with django_assert_num_queries(RECORD):
        spend(several[0], "1")
    spend(several[0], "9998", spend_type=SpendType.MONTHLY)
    with django_assert_num_queries(RECORD_NEAR_A_LIMIT):
        spend(several[0], "1")
