"""Questions about agencies, asked on the platform's schema."""

from datetime import datetime
from typing import NamedTuple

from django.db import connection

from .claims import TICK
from .models import Agency, AgencyRun


def agency_by_slug(slug: str) -> Agency | None:
    """Return the agency with this slug that has a schema, active or not; else None.

    One that is being deleted is no longer anybody's.
    """
    return Agency.objects.filter(slug=slug.lower(), is_ready=True, removal=None).first()


def agencies_to_serve() -> list[Agency]:
    """Return the active agencies, in the order of their slugs."""
    return list(Agency.objects.filter(is_active=True, is_ready=True).order_by("slug"))


def is_served(agency_id: int) -> bool:
    """Return whether the agency is there, whole, and not suspended."""
    return Agency.objects.filter(pk=agency_id, is_active=True, is_ready=True).exists()


class ServiceState(NamedTuple):
    """How the sweep keeps up: counts of active agencies; since when the one that waits
    longest was not swept (None: there is none), and no tick arrived (None: none ever did)."""

    agencies: int
    due: int
    claimed: int
    quarantined: int
    unswept_seconds: float | None
    tick_seconds: float | None


def service_state(*, now: datetime) -> ServiceState:
    """Tell which agencies are due or taken, and since when nothing was heard. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*),
                   count(*) FILTER (WHERE NOT is_claimed AND is_due AND NOT is_quarantined),
                   count(*) FILTER (WHERE is_claimed),
                   count(*) FILTER (WHERE is_quarantined),
                   max(extract(epoch FROM %(now)s - coalesce(last_sweep_at, created_at)))::float8,
                   (SELECT extract(epoch FROM %(now)s - beat_at)::float8
                    FROM tenants_heartbeat WHERE name = %(tick)s)
            FROM (
                SELECT r.last_sweep_at, a.created_at,
                       r.quarantined_at IS NOT NULL AS is_quarantined,
                       coalesce(claimed_until > %(now)s, false) AS is_claimed,
                       coalesce(next_check_at <= %(now)s, false)
                           OR coalesce(full_sweep_at <= %(now)s, true) AS is_due
                FROM tenants_agency a LEFT JOIN tenants_agencyrun r ON r.agency_id = a.id
                WHERE a.is_active AND a.is_ready
            ) agency
            """,
            {"now": now, "tick": TICK},
        )
        return ServiceState(*cursor.fetchone())


def troubled_agencies() -> list[AgencyRun]:
    """Return the runs of active agencies that are quarantined or had an error, with the agency."""
    runs = AgencyRun.objects.filter(agency__is_active=True).exclude(error="")
    return list(runs.select_related("agency").order_by("agency__slug"))
