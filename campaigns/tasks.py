"""Celery's edge: read the clock, enter nothing implicitly, make one call.

A task takes its agencies as explicit arguments and enters each one's context in its own body. Any
message may be lost, repeated or late; the state is the same after the next sweep.
"""

import logging
from collections.abc import Sequence

from celery import shared_task
from django.db import close_old_connections

from kernel import clock, counters
from kernel.counters import Count
from tenants import claims
from tenants.contexts import platform_context
from tenants.models import Agency

from .sweep import sweep_agency

logger = logging.getLogger("campaigns.sweep")

# A thousand due agencies are fifty messages; a few are a message each, so that none waits for
# another.
MESSAGES_MAX = 50


@shared_task(name="campaigns.tick", expires=55)
def tick() -> int:
    """Once a minute: take the agencies that are due and hand them to the workers."""
    now = clock.read()
    with platform_context():
        claims.beat(now=now)
        due = claims.claim_due(now=now)
    counters.add({Count.TICK: 1})
    size = max(1, -(-len(due) // MESSAGES_MAX))
    for start in range(0, len(due), size):
        chunk = due[start : start + size]
        try:
            sweep_agencies.apply_async(
                args=[[c.agency_id for c in chunk], [c.agency_id for c in chunk if c.is_full]],
                # Older than its claim, a message is somebody else's work.
                expires=claims.CLAIM_SECONDS,
            )
        except Exception:
            # The broker is away. What was not sent is due again with the next tick.
            with platform_context():
                claims.release([claim.agency_id for claim in due[start:]])
            raise
    return len(due)


@shared_task(name="campaigns.sweep_agencies")
def sweep_agencies(agency_ids: Sequence[int], full_ids: Sequence[int] = ()) -> int:
    """Sweep these agencies, one after the other; one that fails is noted and delays no other."""
    changed = 0
    for agency_id in agency_ids:
        try:
            changed += _sweep_one(agency_id, is_full=agency_id in full_ids)
        except Exception:
            # The sweep notes an agency's own failures with the agency; this is the platform's, such
            # as a lost connection. The claim ends by itself, and the others go on.
            logger.exception("sweep not settled agency=%s", agency_id)
            close_old_connections()
            counters.add({Count.SWEEP_FAILED: 1})
    return changed


def sweep_soon(agency_id: int) -> None:
    """Have an agency swept whole without waiting for the tick, which does it if this is lost."""
    try:
        sweep_agencies.apply_async(
            args=[[agency_id], [agency_id]], expires=claims.CLAIM_SECONDS, retry=False
        )
    except Exception:
        logger.warning("the next tick sweeps it: no broker agency=%s", agency_id, exc_info=True)


def _sweep_one(agency_id: int, *, is_full: bool) -> int:
    with platform_context():
        agency = Agency.objects.filter(pk=agency_id, is_active=True, is_ready=True).first()
    if agency is None:
        return 0
    return len(sweep_agency(agency, is_full=is_full, now=clock.read()).differences)
