"""The tick takes what is due, once; the sweep of one agency neither stops nor delays another."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from budgets.models import Brand
from campaigns import sweep, tasks
from campaigns.audit import audit
from campaigns.models import Campaign, Hold
from campaigns.services import schedules
from campaigns.services.spend import NewSpend, record_spend
from kernel import clock
from tenants import claims, doorbell, lag
from tenants.claims import Report
from tenants.contexts import current_agency, owner_context, platform_context, tenant_context
from tenants.models import Agency, AgencyRun, Heartbeat
from tests.conftest import ANN, NOON, make_brand, make_campaign

FACTS = 5  # campaigns, windows, limits, totals, holds
SETTLED = NOON + timedelta(minutes=3)


@pytest.fixture
def settled(world):
    """Both agencies swept at noon, their next full turns more than a minute ahead."""
    with platform_context():
        Agency.objects.update(
            next_check_at=None,
            claimed_until=None,
            full_sweep_at=NOON + timedelta(hours=1),
        )
        for agency in (world.acme, world.zeta):
            AgencyRun.objects.update_or_create(agency=agency, defaults={"last_sweep_at": NOON})
    return world


def run_of(agency):
    with platform_context():
        return AgencyRun.objects.get(agency=agency)


def claimed(now=NOON):
    with platform_context():
        return {claim.agency_id: claim.is_full for claim in claims.claim_due(now=now)}


def test_nothing_due_is_nothing_claimed(settled):
    assert claimed() == {}


def test_an_agency_that_is_due_is_claimed_by_one_of_two_ticks(settled):
    doorbell.ring(settled.acme, at=NOON)
    assert claimed() == {settled.acme.pk: False}
    assert claimed() == {}


def test_a_claim_that_nobody_fulfilled_ends_by_itself(settled):
    doorbell.ring(settled.acme, at=NOON)
    claimed()
    later = NOON + timedelta(seconds=claims.CLAIM_SECONDS)
    assert settled.acme.pk in claimed(later)


def test_every_agency_has_its_full_turn_within_five_minutes_at_a_moment_of_its_own(settled):
    with platform_context():
        Agency.objects.update(full_sweep_at=None)
    assert set(claimed().values()) == {True}
    with platform_context():
        turns = list(Agency.objects.values_list("full_sweep_at", flat=True))
    assert all(NOON < turn <= NOON + timedelta(seconds=300) for turn in turns)
    assert len(set(turns)) == len(turns)


def test_an_inactive_agency_is_not_swept(settled):
    doorbell.ring(settled.acme, at=NOON)
    with platform_context():
        Agency.objects.filter(pk=settled.acme.pk).update(is_active=False)
    assert claimed() == {}


def test_a_sweep_does_not_raise_a_hint_that_an_edit_lowered_meanwhile(settled):
    agency = settled.acme
    with platform_context():
        read = Agency.objects.get(pk=agency.pk)
    doorbell.ring(agency, at=NOON + timedelta(minutes=1))
    with platform_context():
        claims.settle(read, Report(0.1, next_check_at=NOON + timedelta(hours=9)), now=NOON)
        agency.refresh_from_db()
    assert agency.next_check_at == NOON + timedelta(minutes=1)


def test_an_edit_that_needs_an_earlier_look_lowers_the_hint(
    settled, django_capture_on_commit_callbacks
):
    with (
        tenant_context(settled.acme),
        django_capture_on_commit_callbacks(execute=True),
    ):
        campaign = make_campaign(make_brand(daily="50"))
        schedules.add_window(
            campaign_id=campaign.id,
            day_of_week=0,
            start_time=time(9),
            end_time=time(18),
            now=NOON,
            by=ANN,
        )
    with platform_context():
        settled.acme.refresh_from_db()
    assert settled.acme.next_check_at == datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def test_a_tick_with_nothing_due_takes_three_statements_at_most(
    settled, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(clock, "read", lambda: NOON)
    with django_assert_max_num_queries(3):
        assert tasks.tick() == 0
    with platform_context():
        assert Heartbeat.objects.get().beat_at == NOON


def test_one_agency_that_fails_delays_no_other(settled, monkeypatch):
    with tenant_context(settled.zeta):
        campaign = make_campaign(make_brand(daily="1"))
        spend = NewSpend(campaign.id, Decimal(1), NOON.date())
        record_spend(spend=spend, now=NOON, by=ANN)
    monkeypatch.setattr(clock, "read", lambda: NOON + timedelta(days=1))

    def broken():
        if current_agency() == settled.acme:
            raise RuntimeError("Acme is broken")
        return list(Brand.objects.all())

    monkeypatch.setattr(sweep, "all_brands", broken)
    tasks.sweep_agencies([settled.acme.pk, settled.zeta.pk], [settled.acme.pk, settled.zeta.pk])
    with tenant_context(settled.zeta):
        assert Campaign.objects.get().status == "ACTIVE"
    run = run_of(settled.acme)
    assert (run.error, run.failures) == ("RuntimeError: Acme is broken", 1)
    assert run.last_sweep_at == NOON


def test_a_sweep_that_changes_nothing_writes_nothing(acme):
    make_campaign(make_brand(daily="50"))
    sweep.enforce(sweep.all_brands(), now=NOON)
    brand = Brand.objects.get()
    outcome = sweep.enforce(sweep.all_brands(), now=NOON + timedelta(hours=1))
    assert (outcome.checked, outcome.differences) == (1, [])
    assert Brand.objects.get().decided_at == brand.decided_at


@pytest.mark.parametrize("count", [1, 40])
def test_a_pass_takes_the_same_statements_for_any_number(acme, count, django_assert_num_queries):
    for number in range(count):
        make_campaign(make_brand(f"Brand {number}", daily="50"), f"Campaign {number}")
    brands = sweep.all_brands()
    with django_assert_num_queries(FACTS):
        assert sweep.enforce(brands, now=NOON).checked == count


def test_only_the_brands_whose_time_has_come_are_due(acme):
    early = make_brand("Early", daily="50", time_zone="America/New_York")
    late = make_brand("Late", daily="50", time_zone="Pacific/Kiritimati")
    for brand in (early, late):
        spend = NewSpend(make_campaign(brand).id, Decimal(50), brand.calendar.today(NOON))
        record_spend(spend=spend, now=NOON, by=ANN)
    at_midnight = early.calendar.next_day(NOON)
    assert [brand.id for brand in sweep.due_brands(now=at_midnight)] == [early.id]
    assert sweep.due_brands(now=at_midnight - timedelta(microseconds=1)) == []


def test_a_preview_stores_nothing(acme):
    campaign = make_campaign(make_brand(daily="50"))
    spend = NewSpend(campaign.id, Decimal(50), NOON.date())
    record_spend(spend=spend, now=NOON, by=ANN)
    outcome = sweep.preview(sweep.all_brands(), now=NOON + timedelta(days=1))
    assert outcome.counters["reactivated"] == 1
    assert Campaign.objects.get(id=campaign.id).status == "PAUSED"


def test_applying_another_instant_does_not_move_live_time(acme):
    campaign = make_campaign(make_brand(daily="50"))
    spend = NewSpend(campaign.id, Decimal(50), NOON.date())
    record_spend(spend=spend, now=NOON, by=ANN)
    soon = NOON + timedelta(minutes=1)
    sweep.enforce_as_of(sweep.all_brands(), at=NOON + timedelta(days=1), now=soon)
    assert Campaign.objects.get(id=campaign.id).status == "ACTIVE"
    assert Hold.objects.get().released_at == soon
    assert audit().violations == []
    sweep.enforce(sweep.due_brands(now=soon), now=soon)
    assert Campaign.objects.get(id=campaign.id).status == "PAUSED"
    assert audit().violations == []


def test_what_could_not_be_sent_is_due_again_with_the_next_tick(settled, monkeypatch):
    doorbell.ring(settled.acme, at=NOON)
    monkeypatch.setattr(clock, "read", lambda: NOON)

    def refuse(*args, **options):
        raise ConnectionError("no broker")

    monkeypatch.setattr(tasks.sweep_agencies, "apply_async", refuse)
    with pytest.raises(ConnectionError):
        tasks.tick()
    assert settled.acme.pk in claimed()


def test_the_sweeps_connection_ends_where_it_began(settled):
    with platform_context():
        tasks.sweep_agencies([settled.acme.pk])
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_schema()")
            assert cursor.fetchone() == ("public",)


# Agencies that fail ------------------------------------------------------------------------------
def fail(agency, times, *, now=NOON):
    with platform_context():
        for _ in range(times):
            claims.settle(agency, Report(0.1, error="it broke", has_failed=True), now=now)


def test_five_failures_in_a_row_leave_an_agency_alone_for_an_hour(settled):
    doorbell.ring(settled.acme, at=NOON)
    fail(settled.acme, claims.FAILURES_MAX - 1)
    assert settled.acme.pk in claimed()
    fail(settled.acme, 1)
    assert run_of(settled.acme).quarantined_at == NOON
    assert claimed() == {}
    assert claimed(NOON + timedelta(seconds=3599)).keys() == set()
    an_hour_later = NOON + timedelta(hours=1)
    assert settled.acme.pk in claimed(an_hour_later)
    # It fails once more: another hour, since the same instant.
    fail(settled.acme, 1, now=an_hour_later)
    run = run_of(settled.acme)
    assert (run.quarantined_at, run.retry_at) == (NOON, an_hour_later + timedelta(hours=1))


def test_a_sweep_that_succeeds_ends_the_quarantine(settled):
    fail(settled.acme, claims.FAILURES_MAX)
    doorbell.ring(settled.acme, at=NOON)
    tasks.sweep_agencies([settled.acme.pk])
    run = run_of(settled.acme)
    assert (run.failures, run.quarantined_at, run.retry_at, run.error) == (0, None, None, "")


def test_failures_that_are_not_in_a_row_do_not_add_up(settled):
    fail(settled.acme, claims.FAILURES_MAX - 1)
    with platform_context():
        claims.settle(settled.acme, Report(0.1), now=NOON)
    fail(settled.acme, claims.FAILURES_MAX - 1)
    assert run_of(settled.acme).quarantined_at is None


def test_a_brand_that_can_not_be_decided_is_no_failure_of_its_agency(settled, monkeypatch):
    with tenant_context(settled.acme):
        make_campaign(make_brand(daily="0"))
        Brand.objects.update(decided_at=None)
    monkeypatch.setattr(sweep, "_enforce_one", lambda *_, **__: 1 / 0)
    for _ in range(claims.FAILURES_MAX):
        tasks.sweep_agencies([settled.acme.pk])
    run = run_of(settled.acme)
    assert (run.failures, run.quarantined_at) == (0, None)
    assert run.error == "1 brands could not be decided; see the worker's log."


def test_a_run_tells_when_it_was_taken_and_what_it_did(settled, monkeypatch):
    monkeypatch.setattr(clock, "read", lambda: NOON + timedelta(days=1))
    with tenant_context(settled.acme):
        campaign = make_campaign(make_brand(daily="1"))
        spend = NewSpend(campaign.id, Decimal(1), NOON.date())
        record_spend(spend=spend, now=NOON, by=ANN)
    doorbell.ring(settled.acme, at=NOON)
    claimed(NOON + timedelta(days=1))
    tasks.sweep_agencies([settled.acme.pk])
    run = run_of(settled.acme)
    assert run.last_tick_at == run.last_sweep_at == NOON + timedelta(days=1)
    assert (run.checked, run.changed, run.seconds > 0) == (1, 1, True)


def test_an_agency_whose_schema_lags_is_named_and_not_swept(settled, monkeypatch):
    with tenant_context(settled.acme):
        campaign = make_campaign(make_brand(daily="0"))
        Campaign.objects.update(status="ACTIVE")
        Brand.objects.update(decided_at=None)
    with owner_context(), tenant_context(settled.acme), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'campaigns' AND name LIKE '0002%'"
        )
    doorbell.ring(settled.acme, at=NOON)
    for _ in range(claims.FAILURES_MAX):
        tasks.sweep_agencies([settled.acme.pk])
    with tenant_context(settled.acme):
        assert Campaign.objects.get(id=campaign.id).status == "ACTIVE"
    run = run_of(settled.acme)
    assert "run migrate_schemas: campaigns.0002_holds_that_wait" in run.error
    # It waits for the operator, and is no failure: it is swept as soon as it is migrated.
    assert (run.failures, settled.acme.pk in claimed()) == (0, True)


def test_a_schema_that_has_every_migration_does_not_lag(acme):
    assert lag.missing_migrations() == []


def test_what_takes_an_agency_too_long_waits_for_the_next_tick(settled, settings):
    settings.AGENCY_SWEEP_SECONDS = -1
    with tenant_context(settled.acme):
        make_campaign(make_brand(daily="0"))
        Brand.objects.update(decided_at=None)
    doorbell.ring(settled.acme, at=NOON)
    tasks.sweep_agencies([settled.acme.pk])
    assert run_of(settled.acme).error == "1 brands wait for the next tick: the time was over."
    assert settled.acme.pk in claimed()
    settings.AGENCY_SWEEP_SECONDS = 30
    tasks.sweep_agencies([settled.acme.pk])
    assert run_of(settled.acme).error == ""


@pytest.mark.parametrize("seconds", [120, 300])
def test_the_backstops_round_is_a_setting(settled, settings, seconds):
    settings.FULL_SWEEP_SECONDS = seconds
    with platform_context():
        Agency.objects.update(full_sweep_at=None)
    claimed()
    with platform_context():
        turns = list(Agency.objects.values_list("full_sweep_at", flat=True))
    assert all(NOON < turn <= NOON + timedelta(seconds=seconds) for turn in turns)
