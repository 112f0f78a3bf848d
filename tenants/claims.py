"""Which agencies are due, and who takes them: one statement, so that two ticks do the work once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Case, F, Value, When

from .models import Agency, Heartbeat

TICK = "tick"
# As a backstop every agency is swept whole this often; its turn within that time follows from its
# id, so that the turns are spread over the minutes.
FULL_SWEEP_SECONDS = 300
# A claim that nobody fulfilled (a lost message, a killed worker) ends by itself.
CLAIM_SECONDS = 240


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
                SELECT id, coalesce(full_sweep_at <= %(now)s, true) AS is_full, last_swept_at
                FROM tenants_agency
                WHERE is_active AND is_ready
                  AND (claimed_until IS NULL OR claimed_until <= %(now)s)
                  AND (next_check_at <= %(now)s OR coalesce(full_sweep_at <= %(now)s, true))
                FOR NO KEY UPDATE SKIP LOCKED
            ), taken AS (
                UPDATE tenants_agency a
                SET claimed_until = %(until)s,
                    full_sweep_at = CASE WHEN NOT due.is_full THEN a.full_sweep_at ELSE
                        to_timestamp(%(turn)s + a.id * 37 %% %(every)s
                            + CASE WHEN a.id * 37 %% %(every)s > %(past)s THEN 0 ELSE %(every)s END)
                    END
                FROM due WHERE due.id = a.id
                RETURNING a.id, due.is_full, due.last_swept_at
            )
            SELECT id, is_full FROM taken ORDER BY last_swept_at NULLS FIRST, id
            """,
            _turn(now),
        )
        return [Claim(*row) for row in cursor.fetchall()]


def _turn(now: datetime) -> dict[str, datetime | int | float]:
    """The backstop's round that `now` is in: when it began, and how many seconds ago."""
    seconds = int(now.timestamp())
    return {
        "now": now,
        "until": now + timedelta(seconds=CLAIM_SECONDS),
        "every": FULL_SWEEP_SECONDS,
        "turn": seconds - seconds % FULL_SWEEP_SECONDS,
        "past": seconds % FULL_SWEEP_SECONDS,
    }


def settle(
    agency: Agency, *, now: datetime, next_check_at: datetime | None, error: str = ""
) -> None:
    """Give a claimed agency back after a sweep; call it on the platform's schema.

    Its hint is raised to `next_check_at` unless an edit rang while the sweep ran, which shows in
    the generation that `agency` was read with. After an error the hint stays, so that it is tried
    again.
    """
    hint = Case(
        When(check_generation=agency.check_generation, then=Value(next_check_at)),
        default=F("next_check_at"),
    )
    changes = {"next_check_at": hint, "last_swept_at": now} if not error else {}
    Agency.objects.filter(pk=agency.pk).update(
        claimed_until=None, last_error=error[:2000], **changes
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
