"""Take an agency out of service for a while, and put it back: who, when and why.

While it is suspended its host answers 404 like any host that nobody serves: sessions and keys of it
are worth nothing from the next request on. Nothing sweeps it; what its campaigns miss meanwhile is
decided when it is back. All of this is called on the platform's schema.
"""

from datetime import datetime

from kernel.actor import Actor
from kernel.errors import Conflict, InvalidValue, NotFound
from kernel.transactions import atomic

from .models import Agency, AgencyRun, Removal, Suspension
from .services import tell_agency

REASON_LENGTH_MAX = 500


@atomic
def suspend(*, agency_id: int, reason: str, now: datetime, by: Actor) -> Agency:
    """Suspend an agency. Raises InvalidValue without a reason, NotFound, and Conflict where it is
    suspended already or not even ready.
    """
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_LENGTH_MAX:
        raise InvalidValue(
            f"Say why, in 1 to {REASON_LENGTH_MAX} characters: colleagues will want to know.",
            field="reason",
        )
    agency = locked_agency(agency_id)
    if not agency.is_ready:
        raise Conflict(f"{agency.name} is not ready yet, so nobody is served there.")
    if not agency.is_active:
        raise Conflict(f"{agency.name} is suspended already.")
    take_out_of_service(agency, reason=reason, now=now, by=by)
    return agency


@atomic
def resume(*, agency_id: int, now: datetime, by: Actor) -> Agency:
    """Serve a suspended agency again; all of it is due at once.

    Raises NotFound, and Conflict where it is not suspended or is being deleted.
    """
    agency = locked_agency(agency_id)
    if agency.is_active:
        raise Conflict(f"{agency.name} is not suspended.")
    if Removal.objects.filter(agency=agency).exists():
        raise Conflict(f"{agency.name} is being deleted.")
    agency.is_active = True
    # Whatever it was claimed for is over, and the generation keeps a sweep that still runs from
    # raising the hint.
    agency.next_check_at, agency.full_sweep_at, agency.claimed_until = now, None, None
    agency.check_generation += 1
    agency.save(
        update_fields=[
            "is_active",
            "next_check_at",
            "full_sweep_at",
            "claimed_until",
            "check_generation",
        ]
    )
    tell_agency(agency, before={"is_active": False}, after={"is_active": True})
    AgencyRun.objects.filter(agency=agency).update(retry_at=None)
    Suspension.objects.filter(agency=agency, ended_at=None).update(
        ended_at=now, ended_by_kind=by.kind, ended_by_id=by.id, ended_by_label=by.label
    )
    return agency


def take_out_of_service(agency: Agency, *, reason: str, now: datetime, by: Actor) -> None:
    """Suspend an agency whose row is locked and which is active."""
    agency.is_active = False
    agency.save(update_fields=["is_active"])
    tell_agency(agency, before={"is_active": True}, after={"is_active": False})
    Suspension.objects.create(
        agency=agency,
        reason=reason,
        begun_at=now,
        begun_by_kind=by.kind,
        begun_by_id=by.id,
        begun_by_label=by.label,
    )


def locked_agency(agency_id: int) -> Agency:
    """Return the agency with its row locked. Raises NotFound."""
    agency = Agency.objects.select_for_update().filter(pk=agency_id).first()
    if agency is None:
        raise NotFound("There is no such agency.")
    return agency
