"""Each hold is released only by what placed it, and no job undoes a person's decision."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from budgets.models import Brand
from campaigns import sweep
from campaigns.audit import audit
from campaigns.models import Campaign, Hold, Reason, StatusChange
from campaigns.services import brands, budgets, campaigns, schedules
from campaigns.services.spend import NewSpend, record_spend, reverse_spend
from kernel.errors import Conflict, InvalidValue, NameTaken
from tests.conftest import ANN, NOON, make_brand, make_campaign

NEXT_DAY = datetime(2026, 3, 3, 0, 0, tzinfo=UTC)


def spend(campaign, amount, *, now=NOON, day=None, **fields):
    new = NewSpend(campaign.id, Decimal(amount), day or now.date(), **fields)
    return record_spend(spend=new, now=now, by=ANN)


def command(campaign, status, *, now=NOON):
    campaigns.command(campaign_ids=[campaign.id], status=status, now=now, by=ANN)


def sweep_at(now):
    return sweep.enforce(sweep.all_brands(), now=now)


def status_of(campaign):
    return Campaign.objects.get(id=campaign.id).status


def open_reasons(campaign):
    holds = Hold.objects.filter(campaign=campaign, released_at=None)
    return set(holds.values_list("reason", flat=True))


@pytest.fixture(autouse=True)
def the_books_agree(request, acme):
    yield
    assert audit().violations == []


def test_midnight_brings_back_what_the_daily_budget_held(acme):
    campaign = make_campaign(make_brand(daily="50"))
    spend(campaign, "50")
    assert sweep_at(NEXT_DAY - timedelta(seconds=1)).differences == []
    assert status_of(campaign) == "PAUSED"
    assert sweep_at(NEXT_DAY).counters["reactivated"] == 1
    assert status_of(campaign) == "ACTIVE"


def test_midnight_never_wakes_a_campaign_that_a_person_paused(acme):
    campaign = make_campaign(make_brand(daily="50"))
    command(campaign, "PAUSED")
    spend(campaign, "50")
    sweep_at(NEXT_DAY)
    assert open_reasons(campaign) == {Reason.MANUAL}
    assert status_of(campaign) == "PAUSED"


def test_a_person_cannot_wake_what_the_budget_holds(acme):
    campaign = make_campaign(make_brand(daily="50"))
    spend(campaign, "50")
    command(campaign, "PAUSED")
    command(campaign, "ACTIVE")
    assert open_reasons(campaign) == {Reason.DAILY_BUDGET}


def test_a_persons_command_leaves_what_the_budget_holds_as_it_stands(acme):
    campaign = make_campaign(make_brand(daily="50"))
    spend(campaign, "50")
    before = Hold.objects.get(campaign=campaign)
    command(campaign, "PAUSED")
    command(campaign, "ACTIVE", now=NOON + timedelta(hours=1))
    (after,) = Hold.objects.filter(campaign=campaign, reason=Reason.DAILY_BUDGET)
    assert (after.id, after.placed_at, after.released_at) == (before.id, NOON, None)


def test_a_budget_that_comes_back_outside_the_hours_waits_for_the_window(acme):
    campaign = make_campaign(make_brand(daily="50"))
    schedules.add_window(
        campaign_id=campaign.id,
        day_of_week=0,
        start_time=time(9),
        end_time=time(18),
        now=NOON,
        by=ANN,
    )
    spend(campaign, "50")
    sweep_at(NEXT_DAY)
    assert open_reasons(campaign) == {Reason.DAYPART}
    sweep_at(datetime(2026, 3, 9, 9, 0, tzinfo=UTC))
    assert status_of(campaign) == "ACTIVE"


def test_a_limit_still_spent_in_a_new_period_is_a_new_hold_without_a_status_change(acme):
    campaign = make_campaign(make_brand(daily="0"))
    before = StatusChange.objects.count()
    sweep_at(NEXT_DAY)
    first, second = Hold.objects.filter(campaign=campaign).order_by("placed_at")
    assert (first.period_start, second.period_start) == (date(2026, 3, 2), date(2026, 3, 3))
    assert (first.released_at, second.released_at) == (NEXT_DAY, None)
    assert StatusChange.objects.count() == before


def test_raising_the_limit_releases_at_once_and_lowering_holds_at_once(acme):
    brand = make_brand(daily="50")
    campaign = make_campaign(brand)
    spend(campaign, "60")
    for limit, status in (("60.01", "ACTIVE"), ("60", "PAUSED"), (None, "ACTIVE")):
        value = None if limit is None else Decimal(limit)
        brands.update_brand(brand_id=brand.id, changes={"daily_budget": value}, now=NOON, by=ANN)
        assert status_of(campaign) == status


def test_a_raised_limit_that_is_still_spent_shows_in_the_standing_hold(acme):
    brand = make_brand(daily="50")
    campaign = make_campaign(brand)
    spend(campaign, "80")
    brands.update_brand(brand_id=brand.id, changes={"daily_budget": Decimal(70)}, now=NOON, by=ANN)
    (hold,) = Hold.objects.filter(campaign=campaign)
    assert (hold.limit, hold.spent) == (Decimal(70), Decimal(80))


def test_reversing_the_spend_releases_every_campaign_below_the_limit(acme):
    brand = make_brand(daily="50")
    one, other = make_campaign(brand, "One"), make_campaign(brand, "Other")
    entry = spend(one, "50").entries[0]
    assert status_of(other) == "PAUSED"
    reversal, is_new = reverse_spend(entry_id=entry.id, now=NOON, by=ANN)
    assert is_new
    assert (status_of(one), status_of(other)) == ("ACTIVE", "ACTIVE")
    assert reverse_spend(entry_id=entry.id, now=NOON, by=ANN) == (reversal, False)
    with pytest.raises(Conflict):
        reverse_spend(entry_id=reversal.id, now=NOON, by=ANN)


def test_a_groups_limit_holds_the_groups_campaigns_only(acme):
    brand = make_brand()
    group = budgets.create_group(
        brand_id=brand.id, name="Search", daily_budget=Decimal(10), now=NOON, by=ANN
    )
    inside = make_campaign(brand, "Inside", group=group.id)
    sibling = make_campaign(brand, "Sibling", group=group.id)
    outside = make_campaign(brand, "Outside")
    spend(inside, "10")
    assert [status_of(c) for c in (inside, sibling, outside)] == ["PAUSED", "PAUSED", "ACTIVE"]


def test_a_campaign_that_changes_group_takes_its_spend_along(acme):
    brand = make_brand()
    small, large = (
        budgets.create_group(
            brand_id=brand.id, name=name, daily_budget=Decimal(limit), now=NOON, by=ANN
        )
        for name, limit in (("Small", 10), ("Large", 100))
    )
    mover = make_campaign(brand, "Mover", group=small.id)
    stays = make_campaign(brand, "Stays", group=small.id)
    spend(mover, "10")
    campaigns.update_campaign(campaign_id=mover.id, changes={"group": large.id}, now=NOON, by=ANN)
    assert (status_of(mover), status_of(stays)) == ("ACTIVE", "ACTIVE")


def test_spend_of_a_campaign_that_is_switched_off_counts_for_its_brand(acme):
    brand = make_brand(daily="50")
    off, running = make_campaign(brand, "Off", status="INACTIVE"), make_campaign(brand, "Running")
    spend(off, "50")
    assert (status_of(off), status_of(running)) == ("INACTIVE", "PAUSED")


def test_switching_off_closes_the_rules_holds_and_keeps_the_persons(acme):
    campaign = make_campaign(make_brand(daily="50"))
    spend(campaign, "50")
    command(campaign, "PAUSED")
    command(campaign, "INACTIVE")
    assert open_reasons(campaign) == {Reason.MANUAL}
    assert status_of(campaign) == "INACTIVE"


def test_going_live_again_decides_in_the_same_transaction(acme):
    brand = make_brand(daily="50")
    campaign = make_campaign(brand, status="INACTIVE")
    spend(campaign, "50")
    command(campaign, "ACTIVE")
    assert status_of(campaign) == "PAUSED"


def test_what_has_spend_is_archived_and_its_name_is_free_again(acme):
    brand = make_brand()
    campaign = make_campaign(brand, "Search")
    spend(campaign, "5")
    archived = campaigns.remove_campaign(campaign_id=campaign.id, now=NOON, by=ANN)
    assert archived is not None
    assert archived.status == "INACTIVE"
    make_campaign(brand, "search")
    with pytest.raises(NameTaken):
        make_campaign(brand, "SEARCH")


def test_what_has_no_spend_is_deleted(acme):
    brand = make_brand()
    make_campaign(brand)
    budgets.create_group(brand_id=brand.id, name="G", daily_budget=Decimal(1), now=NOON, by=ANN)
    assert brands.remove_brand(brand_id=brand.id, now=NOON, by=ANN) is None
    assert not Brand.objects.exists()


def test_the_same_key_counts_once_and_other_content_is_a_conflict(acme):
    campaign = make_campaign(make_brand())
    first = spend(campaign, "5", external_id="x1")
    again = spend(campaign, "5.000000", external_id="x1")
    assert (again.is_new, again.entries) == ([False], first.entries)
    with pytest.raises(Conflict):
        spend(campaign, "6", external_id="x1")


def test_spend_after_the_brands_today_is_refused_in_its_own_zone(acme):
    campaign = make_campaign(make_brand(time_zone="Pacific/Kiritimati"))
    tomorrow_utc = NOON.date() + timedelta(days=1)
    spend(campaign, "5", day=tomorrow_utc)  # It is the 3rd there already.
    with pytest.raises(InvalidValue) as refusal:
        spend(campaign, "5", day=tomorrow_utc + timedelta(days=1))
    assert refusal.value.field == "spend_date"


def test_spend_of_utcs_today_is_refused_where_the_brands_is_still_yesterday(acme):
    evening = NEXT_DAY + timedelta(hours=2)  # Still the 2nd in New York.
    campaign = make_campaign(make_brand(time_zone="America/New_York", now=evening), now=evening)
    spend(campaign, "5", now=evening, day=NOON.date())
    with pytest.raises(InvalidValue) as refusal:
        spend(campaign, "5", now=evening, day=evening.date())
    assert refusal.value.field == "spend_date"


def test_an_instant_that_grew_old_waiting_for_the_lock_does_not_turn_time_back(acme):
    campaign = make_campaign(make_brand(daily="50"))
    spend(campaign, "50", now=NEXT_DAY + timedelta(hours=1))
    spend(campaign, "1", now=NOON, day=NOON.date())
    assert status_of(campaign) == "PAUSED"


def test_a_new_zone_applies_from_its_own_next_midnight(acme):
    brand = make_brand(daily="50")
    campaign = make_campaign(brand)
    spend(campaign, "50")
    brands.update_brand(
        brand_id=brand.id, changes={"time_zone": "America/New_York"}, now=NOON, by=ANN
    )
    (hold,) = Hold.objects.filter(campaign=campaign)
    # Until New York's midnight of the 3rd (05:00 UTC) the old zone applies, so UTC's begins the
    # day.
    assert hold.until == datetime(2026, 3, 3, 0, 0, tzinfo=UTC)
    sweep_at(datetime(2026, 3, 3, 0, 0, tzinfo=UTC))
    assert status_of(campaign) == "ACTIVE"


def test_a_spend_that_comes_before_the_sweep_does_its_work(acme):
    brand = make_brand()
    spending, other = make_campaign(brand, "Spending"), make_campaign(brand, "Other")
    schedules.add_window(
        campaign_id=other.id,
        day_of_week=0,
        start_time=time(9),
        end_time=time(18),
        now=NOON,
        by=ANN,
    )
    assert status_of(other) == "ACTIVE"
    spend(spending, "1", now=NOON + timedelta(hours=7))
    assert open_reasons(other) == {Reason.DAYPART}


def test_a_campaign_that_takes_a_credit_out_of_its_group_leaves_the_limit_crossed(acme):
    brand = make_brand()
    group = budgets.create_group(
        brand_id=brand.id, name="G", daily_budget=Decimal(55), now=NOON, by=ANN
    )
    credited, stays = (make_campaign(brand, name, group=group.id) for name in ("One", "Two"))
    spend(credited, "-10", is_correction=True, description="a credit")
    spend(stays, "60")
    assert status_of(stays) == "ACTIVE"
    campaigns.update_campaign(campaign_id=credited.id, changes={"group": None}, now=NOON, by=ANN)
    assert status_of(stays) == "PAUSED"


def test_the_feed_tells_that_a_running_campaign_was_deleted(acme):
    campaign = make_campaign(make_brand(), "Search", external_id="g-1", platform="google")
    campaigns.remove_campaign(campaign_id=campaign.id, now=NOON, by=ANN)
    assert not Campaign.objects.exists()
    last = StatusChange.objects.latest("id")
    assert (last.from_status, last.to_status, last.version) == ("ACTIVE", "INACTIVE", 2)
    assert (last.campaign_id, last.external_id) == (campaign.id, "g-1")
    assert StatusChange.objects.select_related("campaign").latest("id").campaign is None


def test_deleting_a_brand_tells_it_of_each_of_its_campaigns(acme):
    brand = make_brand()
    for name in ("One", "Two"):
        make_campaign(brand, name)
    brands.remove_brand(brand_id=brand.id, now=NOON, by=ANN)
    told = StatusChange.objects.filter(to_status="INACTIVE").values_list("campaign_name", flat=True)
    assert sorted(told) == ["One", "Two"]
