"""The sweep of one agency, in its context: read and decide without locks, then store what differs.

For each brand where something differs, one short transaction locks the brand, reads again and
applies. A brand that somebody else has locked is skipped: he decides himself, and the brand stays
due.
"""

import time
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q

from budgets import services as budgets
from budgets.models import Brand
from kernel import clock, counters
from kernel.actor import SYSTEM
from kernel.counters import Count
from kernel.transactions import atomic
from tenants import claims, doorbell
from tenants.claims import Report
from tenants.contexts import current_agency, platform_context, tenant_context
from tenants.lag import missing_migrations
from tenants.models import Agency
from tenants.queries import is_served

from .delivery import BrandMoment
from .enforcement import apply, enforce_delivery
from .judgement import Difference, Judgement, Outcome, judge, moments_of

logger = structlog.stdlib.get_logger("campaigns.sweep")

# So often a long sweep looks whether the agency was suspended meanwhile.
_ASK_SECONDS = 1.0


class Turned(NamedTuple):
    """Which turned periods to look for."""

    day: bool = True
    month: bool = True


def due_brands(*, now: datetime) -> list[Brand]:
    """Return the brands that time alone may have changed, and those never decided on."""
    return list(Brand.objects.filter(Q(next_check_at__lte=now) | Q(decided_at=None)).order_by("id"))


def all_brands() -> list[Brand]:
    """Return all brands of the agency."""
    return list(Brand.objects.order_by("id"))


def turned_brands(turned: Turned, *, now: datetime) -> list[Brand]:
    """Return the brands whose local day or month is another than at their last decision."""
    return [brand for brand in all_brands() if _has_turned(brand, turned, now=now)]


def _has_turned(brand: Brand, turned: Turned, *, now: datetime) -> bool:
    if brand.decided_at is None:
        return True
    then, today = brand.calendar.today(brand.decided_at), brand.calendar.today(now)
    return (turned.day and then != today) or (
        turned.month and (then.year, then.month) != (today.year, today.month)
    )


class Turn:
    """How long one agency may have a worker: so many seconds, and not past its suspension."""

    def __init__(self, agency: Agency, *, seconds: float) -> None:
        self._agency_id = agency.pk
        self._until = time.monotonic() + seconds
        self._ask_at = time.monotonic() + _ASK_SECONDS

    def is_over(self) -> bool:
        """Tell whether no further brand may be begun. Suspended or not, it asks once a second."""
        now = time.monotonic()
        if now > self._until:
            return True
        if now >= self._ask_at:
            self._ask_at = now + _ASK_SECONDS
            with platform_context():
                if not is_served(self._agency_id):
                    self._until = now
                    return True
        return False


def enforce(brands: Collection[Brand], *, now: datetime, turn: Turn | None = None) -> Outcome:
    """Decide on the brands and store what differs. One brand's failure does not stop the others.

    When the `turn` is over no further brand is begun: it stays due.
    """
    judgement = judge(brands, moments_of(brands, now=now))
    outcome = Outcome(checked=len(judgement.differences))
    for brand_id in _differing(brands, judgement):
        if turn is not None and turn.is_over():
            outcome.postponed += 1
            continue
        try:
            outcome.differences.extend(_enforce_one(brand_id, now=now))
        except SoftTimeLimitExceeded:
            # Not this brand's failure: the worker's patience with the agency is at its end.
            raise
        except Exception:
            outcome.errors += 1
            logger.exception("brand not decided", brand=brand_id)
    return outcome


def _differing(brands: Collection[Brand], judgement: Judgement) -> list[UUID]:
    """The brands of which a hold, a status, or the time to look again is not as stored."""
    differing = {d.campaign.brand_id for d in judgement.differences if not d.is_empty}
    for brand in brands:
        if brand.decided_at is None or brand.next_check_at != judgement.next_check_at[brand.id]:
            differing.add(brand.id)
    return sorted(differing)


@atomic
def _enforce_one(brand_id: UUID, *, now: datetime) -> Collection[Difference]:
    locked = budgets.lock_brands([brand_id], by=SYSTEM, skip_locked=True)
    return enforce_delivery(locked, now=now, by=SYSTEM).differences if locked else ()


def preview(brands: Collection[Brand], *, now: datetime) -> Outcome:
    """Tell what a pass at exactly `now` would change; nothing is stored."""
    return _outcome(judge(brands, exact_moments(brands, now=now)))


@atomic
def enforce_as_of(brands: Collection[Brand], *, at: datetime, now: datetime) -> Outcome:
    """Decide as of exactly `at` and store it, until the next decision in live time.

    History tells when it happened, which is `now`. No decision of live time stands then, so the
    brands are due: the next tick, or whoever writes first, decides them anew.
    """
    locked = budgets.lock_brands((brand.id for brand in brands), by=SYSTEM)
    outcome = _outcome(judge(list(locked.values()), exact_moments(locked.values(), now=at)))
    apply(outcome.differences, exact_moments(locked.values(), now=now), by=SYSTEM)
    changed = {difference.campaign.brand_id for difference in outcome.differences}
    Brand.objects.filter(id__in=changed).update(decided_at=None)
    if changed:
        agency = current_agency()
        transaction.on_commit(lambda: doorbell.ring(agency, at=now), robust=True)
    return outcome


def exact_moments(brands: Collection[Brand], *, now: datetime) -> dict[UUID, BrandMoment]:
    """Return what `now` means in each brand's zone, also where it is before its last decision."""
    return {brand.id: BrandMoment.at(now, brand.calendar) for brand in brands}


def _outcome(judgement: Judgement) -> Outcome:
    found = [difference for difference in judgement.differences if not difference.is_empty]
    return Outcome(checked=len(judgement.differences), differences=found)


class SchemaLags(Exception):
    """The agency's schema is older than the code: migrate it first."""


def sweep_agency(agency: Agency, *, is_full: bool, now: datetime) -> Outcome:
    """Sweep one claimed agency and settle its claim. Call it on the platform's schema.

    An exception is the agency's own: it is stored with the agency and does not travel further.
    """
    started = time.monotonic()
    outcome, next_check_at, error, has_failed = Outcome(), None, "", False
    try:
        with tenant_context(agency):
            _check_schema()
            brands = all_brands() if is_full else due_brands(now=now)
            turn = Turn(agency, seconds=settings.AGENCY_SWEEP_SECONDS)
            outcome = enforce(brands, now=now, turn=turn)
            next_check_at = Brand.objects.aggregate(at=Min("next_check_at"))["at"]
        error = _told(outcome)
    except SchemaLags as lag:
        # Not its fault: it is swept as soon as it is migrated.
        error = str(lag)
        logger.warning("agency passed by", agency=agency.slug, why=error)
    except Exception as failure:
        outcome.errors += 1
        has_failed = True
        error = f"{type(failure).__name__}: {failure}"
        logger.exception("agency not swept", agency=agency.slug)
    seconds = time.monotonic() - started
    changed = len(outcome.differences)
    report = Report(seconds, outcome.checked, changed, next_check_at, error, has_failed)
    with platform_context():
        claims.settle(agency, report, now=clock.read())
    _count(outcome, seconds)
    logger.info(
        "sweep",
        agency=agency.slug,
        kind="full" if is_full else "due",
        **outcome.counters,
        seconds=round(seconds, 3),
    )
    return outcome


def _check_schema() -> None:
    """Raise SchemaLags unless the agency's schema has every migration that the code knows."""
    missing = missing_migrations()
    if missing:
        raise SchemaLags(f"The schema lags behind, run migrate_schemas: {', '.join(missing)}.")


def _told(outcome: Outcome) -> str:
    """Tell what of a sweep was not done, if anything."""
    told = []
    if outcome.errors:
        told.append(f"{outcome.errors} brands could not be decided; see the worker's log.")
    if outcome.postponed:
        told.append(f"{outcome.postponed} brands wait for the next tick: the time was over.")
    return " ".join(told)


def _count(outcome: Outcome, seconds: float) -> None:
    counters.add(
        {
            Count.AGENCY_SWEPT: 1,
            Count.SWEEP_FAILED: 1 if outcome.errors else 0,
            Count.CAMPAIGN_CHANGED: len(outcome.differences),
            Count.SWEEP_SECONDS: seconds,
        }
    )
