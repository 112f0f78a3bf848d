"""Agencies that were ordered and are made by a worker: an `Opening` is the order until it is done.

PostgreSQL keeps the order, and a message only says that there is one. So a message that is lost, or
a worker that is killed, costs a minute or three: the next tick finds what nobody works on. All of
this is called on the platform's schema.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.db.models import Q

from .models import Agency, Opening
from .services import begin_agency

# The task is ended after this, and taken for dead some time later.
OPENING_SECONDS_MAX = 150
_PATIENCE = timedelta(seconds=OPENING_SECONDS_MAX + 30)

State = Literal["ready", "failed", "making", "waiting", "unfinished"]


def order(*, name: str, slug: str, owner_email: str, order_key: UUID | None = None) -> Agency:
    """Make the agency's row and note that the rest of it is owed, and to whom.

    With a key, the same order makes it once. Raises InvalidValue, NameTaken and Conflict, as
    `begin_agency` does.
    """
    return begin_agency(name=name, slug=slug, owner_email=owner_email, order_key=order_key)


def state_of(agency: Agency) -> State:
    """Tell how far the agency is; "unfinished": a command makes it, or left it so."""
    opening = getattr(agency, "opening", None)
    if agency.is_ready:
        return "ready"
    if opening is None:
        return "unfinished"
    if opening.error:
        return "failed"
    return "making" if opening.begun_at else "waiting"


def _nobody_works_on(now: datetime) -> Q:
    return Q(error="") & (Q(begun_at=None) | Q(begun_at__lt=now - _PATIENCE))


def due(*, now: datetime) -> list[int]:
    """Return the ids of the agencies that are ordered and that nobody works on."""
    waiting = Opening.objects.filter(_nobody_works_on(now)).order_by("agency_id")
    return list(waiting.values_list("agency_id", flat=True))


def take(agency_id: int, *, now: datetime) -> Opening | None:
    """Take up an opening, or return None: it is done, has failed, or somebody works on it."""
    mine = Opening.objects.filter(_nobody_works_on(now), agency_id=agency_id)
    if not mine.update(begun_at=now):
        return None
    return Opening.objects.select_related("agency").get(agency_id=agency_id)


def finish(opening: Opening) -> None:
    """Note that nothing of it is owed any more."""
    Opening.objects.filter(pk=opening.pk).delete()


def fail(opening: Opening, *, error: str) -> None:
    """Note why it failed, unless somebody else has taken it up meanwhile."""
    mine = Opening.objects.filter(pk=opening.pk, begun_at=opening.begun_at)
    mine.update(begun_at=None, error=error[:2000])


def try_again(agency_ids: Collection[int]) -> list[int]:
    """Let those of them that failed be taken up again, and return their ids."""
    failed = Opening.objects.filter(agency_id__in=agency_ids).exclude(error="")
    ids = list(failed.values_list("agency_id", flat=True))
    failed.update(error="", begun_at=None)
    return ids
