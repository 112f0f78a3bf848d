"""The one path by which decisions become rows: it serves requests, edits, commands and the sweep.

    judge(brands, moments)                   facts, decisions, differences (judgement.py)
    apply(differences)                       in sets: holds, status, StatusChange

The brands are locked by the caller, and the facts are read after that.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection, transaction

from budgets.models import Brand
from kernel.actor import SYSTEM, Actor
from tenants import doorbell
from tenants.contexts import current_agency

from .delivery import BrandMoment
from .judgement import Difference, Judgement, Outcome, judge, moments_of
from .models import WAITS, Hold, StatusChange

logger = structlog.stdlib.get_logger("campaigns.delivery")

# Names the outbox among advisory locks, which are the database's; the schema's name makes it the
# agency's own. All 64 bits are used, so that no two agencies share one.
_OUTBOX_LOCK = "campaigns.outbox:"


def enforce_delivery(
    brands: Mapping[UUID, Brand],
    *,
    now: datetime,
    by: Actor,
    campaign_ids: Sequence[UUID] | None = None,
) -> Outcome:
    """Decide again for the locked brands, and store what differs, in the caller's transaction.

    `campaign_ids` names the campaigns whose own facts changed. Others are looked at only where they
    can be concerned: a limit that they share changed sides, or the time of a decision has come.
    """
    assert connection.in_atomic_block, "the brands' locks and the decision are one transaction"
    moments = moments_of(brands.values(), now=now)
    whole = {
        brand.id: brand
        for brand in brands.values()
        if campaign_ids is None or time_has_come(brand, moments[brand.id].now)
    }
    outcome = Outcome()
    narrow = {key: brand for key, brand in brands.items() if key not in whole}
    if narrow:
        assert campaign_ids is not None
        judgement = judge(list(narrow.values()), moments, campaign_ids=campaign_ids)
        widened = _brands_where_a_shared_limit_turned(judgement.differences)
        kept = [d for d in judgement.differences if d.campaign.brand_id not in widened]
        checks = {
            key: _earlier(brand.next_check_at, judgement.next_check_at[key])
            for key, brand in narrow.items()
            if key not in widened
        }
        _store(outcome, Judgement(kept, checks), brands, moments, by=by)
        whole |= {key: brands[key] for key in widened}
    if whole:
        _store(outcome, judge(list(whole.values()), moments), brands, moments, by=by)
    return outcome


def catch_up(brands: Mapping[UUID, Brand], *, now: datetime) -> None:
    """Decide on those of the locked brands whose time has come, as a sweep would have done."""
    moments = moments_of(brands.values(), now=now)
    behind = {key: brand for key, brand in brands.items() if time_has_come(brand, moments[key].now)}
    if behind:
        enforce_delivery(behind, now=now, by=SYSTEM)


def time_has_come(brand: Brand, now: datetime) -> bool:
    """Return whether time alone may have changed a decision of the brand."""
    return brand.decided_at is None or (
        brand.next_check_at is not None and brand.next_check_at <= now
    )


def _brands_where_a_shared_limit_turned(differences: Iterable[Difference]) -> set[UUID]:
    """A campaign's own holds mirror the limits above it: where one that is not its leaf's came,
    went or changed, every campaign below that limit is concerned. Who is not live mirrors nothing.
    """
    turned = set()
    for difference in differences:
        facts = difference.campaign.facts
        if facts is None or difference.changed_budget_ids - {None, facts.budgets[0].budget_id}:
            turned.add(difference.campaign.brand_id)
    return turned


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _store(
    outcome: Outcome,
    judgement: Judgement,
    brands: Mapping[UUID, Brand],
    moments: Mapping[UUID, BrandMoment],
    *,
    by: Actor,
) -> None:
    outcome.checked += len(judgement.differences)
    found = [difference for difference in judgement.differences if not difference.is_empty]
    outcome.differences.extend(found)
    _remember_checks(judgement.next_check_at, brands, moments)
    apply(found, moments, by=by)


def _remember_checks(
    checks: Mapping[UUID, datetime | None],
    brands: Mapping[UUID, Brand],
    moments: Mapping[UUID, BrandMoment],
) -> None:
    """Write when each brand was decided and when time alone could change that."""
    lowered = [
        check
        for brand_id, check in checks.items()
        if check is not None and _is_sooner(check, brands[brand_id].next_check_at)
    ]
    for brand_id, check in checks.items():
        brands[brand_id].decided_at = moments[brand_id].now
        brands[brand_id].next_check_at = check
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE budgets_brand b SET decided_at = v.decided_at, next_check_at = v.next_check_at"
            " FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[])"
            " AS v (id, decided_at, next_check_at) WHERE b.id = v.id",
            [list(checks), [moments[key].now for key in checks], list(checks.values())],
        )
    if lowered:
        agency, at = current_agency(), min(lowered)
        transaction.on_commit(lambda: doorbell.ring(agency, at=at), robust=True)


def _is_sooner(check: datetime, known: datetime | None) -> bool:
    return known is None or check < known


def apply(
    differences: Sequence[Difference], moments: Mapping[UUID, BrandMoment], *, by: Actor
) -> None:
    """Store differences in sets: holds released, left waiting, placed and refreshed, statuses, and
    their changes."""
    _release(differences, moments, by=by)
    _let_wait(differences)
    _place(differences, moments, by=by)
    _refresh(differences)
    _move(differences, moments, by=by)


def _release(
    differences: Sequence[Difference], moments: Mapping[UUID, BrandMoment], *, by: Actor
) -> None:
    ended = [(h.id, moments[d.campaign.brand_id].now) for d in differences for h in d.release]
    if ended:
        close_holds(ended, by=by)


def close_holds(ended: Sequence[tuple[UUID, datetime]], *, by: Actor) -> None:
    """Close open holds, each at its instant (or where it began, if that is later)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_hold h SET released_at = greatest(v.at, h.placed_at),"
            " released_by_kind = %s, released_by_id = %s, released_by_label = %s"
            " FROM unnest(%s::uuid[], %s::timestamptz[]) AS v (id, at)"
            " WHERE h.id = v.id AND h.released_at IS NULL",
            [
                str(by.kind),
                by.id,
                by.label[:120],
                [hold_id for hold_id, _ in ended],
                [at for _, at in ended],
            ],
        )


def _let_wait(differences: Sequence[Difference]) -> None:
    """Leave holds of a finished period to a person."""
    ids = [hold.id for difference in differences for hold in difference.wait]
    if ids:
        Hold.objects.filter(id__in=ids).update(origin=WAITS, until=None)


def _place(
    differences: Sequence[Difference], moments: Mapping[UUID, BrandMoment], *, by: Actor
) -> None:
    Hold.objects.bulk_create(
        Hold(
            campaign_id=difference.campaign.campaign_id,
            reason=wanted.reason,
            budget_id=wanted.budget_id,
            period_start=wanted.period_start,
            placed_at=moments[difference.campaign.brand_id].now,
            placed_by_kind=by.kind,
            placed_by_id=by.id,
            placed_by_label=by.label[:120],
            until=wanted.until,
            spent=wanted.spent,
            limit=wanted.limit,
            adjusted_by=wanted.adjusted_by,
            stop_at=wanted.stop_at,
            mode=wanted.mode,
        )
        for difference in differences
        for wanted in difference.place
    )


def _refresh(differences: Sequence[Difference]) -> None:
    """Keep an open hold's expected end, and the limit that binds with its parts, true."""
    pairs = [pair for difference in differences for pair in difference.refresh]
    if not pairs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            'UPDATE campaigns_hold h SET until = v.until, spent = v.spent, "limit" = v.bound,'
            " adjusted_by = v.adjusted_by, stop_at = v.stop_at, mode = v.mode"
            " FROM unnest(%s::uuid[], %s::timestamptz[], %s::numeric[], %s::numeric[],"
            " %s::numeric[], %s::int[], %s::text[])"
            " AS v (id, until, spent, bound, adjusted_by, stop_at, mode) WHERE h.id = v.id",
            [
                [stored.id for stored, _ in pairs],
                [wanted.until for _, wanted in pairs],
                [wanted.spent for _, wanted in pairs],
                [wanted.limit for _, wanted in pairs],
                [wanted.adjusted_by for _, wanted in pairs],
                [wanted.stop_at for _, wanted in pairs],
                [str(wanted.mode) for _, wanted in pairs],
            ],
        )


def _move(
    differences: Sequence[Difference], moments: Mapping[UUID, BrandMoment], *, by: Actor
) -> None:
    moved = [difference for difference in differences if difference.moves]
    if not moved:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_campaign c SET status = v.status, status_version = v.version,"
            " updated_at = greatest(c.updated_at, v.at)"
            " FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::timestamptz[])"
            " AS v (id, status, version, at) WHERE c.id = v.id"
            " RETURNING c.id, c.name, c.platform, c.external_id",
            [
                [d.campaign.campaign_id for d in moved],
                [d.status for d in moved],
                [d.campaign.status_version + 1 for d in moved],
                [moments[d.campaign.brand_id].now for d in moved],
            ],
        )
        names = {campaign_id: called for campaign_id, *called in cursor.fetchall()}
        # The feed's numbers must appear in the order of commits, or a reader would skip some: they
        # are drawn under a lock that ends with the transaction. It is the last lock taken.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s || current_schema(), 0))",
            [_OUTBOX_LOCK],
        )
    StatusChange.objects.bulk_create(
        StatusChange(
            campaign_id=d.campaign.campaign_id,
            brand_id=d.campaign.brand_id,
            campaign_name=names[d.campaign.campaign_id][0],
            platform=names[d.campaign.campaign_id][1],
            external_id=names[d.campaign.campaign_id][2],
            version=d.campaign.status_version + 1,
            from_status=d.campaign.status if d.campaign.status_version else "",
            to_status=d.status,
            reasons=list(d.reasons),
            at=moments[d.campaign.brand_id].now,
            by_kind=by.kind,
            by_id=by.id,
            by_label=by.label[:120],
        )
        for d in moved
    )
    agency = current_agency()
    transaction.on_commit(lambda: log_moves(agency.slug, moved, by=by), robust=True)


def log_moves(agency: str, moved: Iterable[Difference], *, by: Actor) -> None:
    """Write a line for each campaign that was activated or paused, with its reason."""
    for difference in moved:
        moved_to = {"ACTIVE": "activated", "PAUSED": "paused"}
        logger.info(
            f"campaign {moved_to.get(difference.status, 'switched off')}",
            agency=agency,
            campaign=difference.campaign.campaign_id,
            was=difference.campaign.status,
            reasons=",".join(difference.reasons),
            by=by.kind,
        )
