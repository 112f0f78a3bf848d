"""Agencies that are to be deleted."""

import logging

from celery import shared_task
from redis import RedisError

from kernel import clock
from kernel.errors import Busy

from . import removals
from .contexts import platform_context

logger = logging.getLogger("tenants.removals")

# Below the time after which the broker gives the message to another worker too. What takes longer
# is for `manage.py delete_agency`, which has no end.
REMOVAL_SECONDS_MAX = 1100


@shared_task(
    name="tenants.remove_agency",
    time_limit=REMOVAL_SECONDS_MAX,
    soft_time_limit=REMOVAL_SECONDS_MAX - 60,
)
def remove_agency(removal_id: int) -> bool:
    """Export and delete an agency for which that was asked; return whether it is gone."""
    try:
        with platform_context():
            removals.remove(removal_id, now=clock.read())
    except (Busy, RedisError) as delay:
        logger.warning("agency not deleted yet removal=%s %s", removal_id, delay)
        return False
    except Exception:
        # It is noted with the removal, and waits for somebody's decision.
        logger.exception("agency not deleted removal=%s", removal_id)
        return False
    return True


@shared_task(name="tenants.remove_agencies", expires=55)
def remove_agencies() -> int:
    """Once a minute: ring again for each removal that is not done."""
    with platform_context():
        due = removals.due()
    for removal_id in due:
        remove_agency.delay(removal_id)
    return len(due)
