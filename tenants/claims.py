"""Which agencies are due, and who takes them: one statement, so that two ticks do the work once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Case, F, Value, When

from .models import Agency, Heartbeat

TICK = "tick"
# A claim that nobody fulfilled (a lost message, a killed worker) ends by itself.
CLAIM_SECONDS = 240
# So many failures in a row, and an agency is left alone but for one try in this time.
FAILURES_MAX = 5
QUARANTINE_SECONDS = 3600


class Claim(NamedTuple):
    """An agency taken by this tick; `is_full`: it is its turn to be swept whole."""

    agency_id: int
    is_full: bool


def claim_due(*, now: datetime) -> list[Claim]:
    """Take the agencies whose time has come and return them, the longest unserved first.

    Call it on the platform's schema. One statement, whatever the number of agencies.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS (
                SELECT a.id, coalesce(a.full_sweep_at <= %(now)s, true) AS is_full, r.last_sweep_at
                FROM tenants_agency a
                LEFT JOIN tenants_agencyrun r ON r.agency_id = a.id
                WHERE a.is_active AND a.is_ready
                  AND (a.claimed_until IS NULL OR a.claimed_until <= %(now)s)
                  AND (a.next_check_at <= %(now)s
                       OR a.full_sweep_at <= %(now)s OR a.full_sweep_at IS NULL)
                  AND (r.retry_at IS NULL OR r.retry_at <= %(now)s)
                FOR NO KEY UPDATE OF a SKIP LOCKED
            ), taken AS (
                UPDATE tenants_agency a
                SET claimed_until = %(until)s,
                    full_sweep_at = CASE WHEN NOT due.is_full THEN a.full_sweep_at ELSE
                        to_timestamp(%(turn)s + a.id * 37 %% %(every)s
                            + CASE WHEN a.id * 37 %% %(every)s > %(past)s THEN 0 ELSE %(every)s END)
                    END
                FROM due WHERE due.id = a.id
                RETURNING a.id, due.is_full, due.last_sweep_at
            ), ticked AS (
                INSERT INTO tenants_agencyrun (agency_id, last_tick_at, seconds, checked, changed,
                                               error, failures)
                SELECT id, %(now)s, 0, 0, 0, '', 0 FROM taken
                ON CONFLICT (agency_id) DO UPDATE SET last_tick_at = EXCLUDED.last_tick_at
            )
            SELECT id, is_full FROM taken ORDER BY last_sweep_at NULLS FIRST, id
            """,
            _turn(now),
        )
        return [Claim(*row) for row in cursor.fetchall()]


def _turn(now: datetime) -> dict[str, datetime | int | float]:
    """The backstop's round that `now` is in: when it began, and how many seconds ago."""
    # As a backstop every agency is swept whole this often; its turn within that time follows from
    # its id, so that the turns are spread over the minutes.
    seconds, every = int(now.timestamp()), settings.FULL_SWEEP_SECONDS
    return {
        "now": now,
        "until": now + timedelta(seconds=CLAIM_SECONDS),
        "every": every,
        "turn": seconds - seconds % every,
        "past": seconds % every,
    }


class Report(NamedTuple):
    """How a sweep went: campaigns checked and changed, what went wrong, and whether all of it did.

    `next_check_at` is when time alone could change a decision in the agency next.
    """

    seconds: float
    checked: int = 0
    changed: int = 0
    next_check_at: datetime | None = None
    error: str = ""
    has_failed: bool = False


def settle(agency: Agency, report: Report, *, now: datetime) -> None:
    """Give a claimed agency back after a sweep; call it on the platform's schema.

    Its hint is raised unless an edit rang while the sweep ran, which shows in the generation that
    `agency` was read with. After an error the hint stays, so that it is tried again; after five
    failures in a row it is left alone, and tried once an hour.
    """
    hint = Case(
        When(check_generation=agency.check_generation, then=Value(report.next_check_at)),
        default=F("next_check_at"),
    )
    changes = {} if report.error else {"next_check_at": hint}
    Agency.objects.filter(pk=agency.pk).update(claimed_until=None, **changes)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tenants_agencyrun AS r (agency_id, last_sweep_at, seconds, checked, changed,
                                                error, failures)
            SELECT id, %(swept_at)s, %(seconds)s, %(checked)s, %(changed)s, %(error)s, %(failed)s
            FROM tenants_agency WHERE id = %(agency)s
            ON CONFLICT (agency_id) DO UPDATE SET
                last_sweep_at = coalesce(EXCLUDED.last_sweep_at, r.last_sweep_at),
                seconds = EXCLUDED.seconds, checked = EXCLUDED.checked,
                changed = EXCLUDED.changed, error = EXCLUDED.error,
                failures = CASE WHEN EXCLUDED.failures = 0 THEN 0 ELSE r.failures + 1 END,
                quarantined_at = CASE WHEN EXCLUDED.failures > 0 AND r.failures + 1 >= %(most)s
                                      THEN coalesce(r.quarantined_at, %(now)s) END,
                retry_at = CASE WHEN EXCLUDED.failures > 0 AND r.failures + 1 >= %(most)s
                                THEN %(retry)s::timestamptz END
            """,
            {
                "agency": agency.pk,
                "swept_at": None if report.has_failed else now,
                "seconds": report.seconds,
                "checked": report.checked,
                "changed": report.changed,
                "error": report.error[:2000],
                "failed": int(report.has_failed),
                "most": FAILURES_MAX,
                "now": now,
                "retry": now + timedelta(seconds=QUARANTINE_SECONDS),
            },
        )


def release(agency_ids: Sequence[int]) -> None:
    """Give claimed agencies back unswept: they are due at once."""
    Agency.objects.filter(pk__in=agency_ids).update(claimed_until=None, full_sweep_at=None)


def beat(*, now: datetime) -> None:
    """Note that the scheduler's tick arrived."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tenants_heartbeat (name, beat_at) VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET beat_at = EXCLUDED.beat_at",
            [TICK, now],
        )


def last_beat() -> Heartbeat | None:
    """Return when the scheduler's tick arrived last; call it on the platform's schema."""
    return Heartbeat.objects.filter(name=TICK).first()
