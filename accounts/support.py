"""Support access: staff of the platform enters an agency for a while, with a reason its owners see.

There is no account for it in the agency. The session names the access itself, and each request asks
anew whether it is still open, so it ends at its time, by the agency's switch, and with the staff's.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from uuid import UUID

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.backends import BaseBackend
from django.core.mail import send_mail
from django.db.models import Q
from django.http import HttpRequest

from kernel import clock
from kernel.actor import Actor
from kernel.errors import Conflict, InvalidValue, NotAllowed, NotFound
from kernel.transactions import atomic
from tenants.contexts import current_agency, platform_context, tenant_context
from tenants.models import Agency

from . import tokens
from .models import SupportAccess, User
from .roles import Role

logger = logging.getLogger("accounts.support")

MINUTES = (15, 30, 60, 120, 240)
REASON_LETTERS_MIN = 10
HAND_OVER_SECONDS_MAX = 60
_BACKEND = "accounts.support.SupportBackend"
_PURPOSE = "support"


def begin(
    *, agency: Agency, staff: User, reason: str, minutes: int, may_edit: bool, now: datetime
) -> tuple[SupportAccess, str]:
    """Open an access, tell the agency's owners, and return it with the link that enters, once.

    Call it on the platform's schema. Raises NotAllowed where the agency has switched it off or the
    person is no staff, InvalidValue for a reason that says nothing.
    """
    _check_allowed(agency, staff)
    reason = reason.strip()
    if len(reason) < REASON_LETTERS_MIN:
        raise InvalidValue("Say in a sentence why: the agency's owners read it.", field="reason")
    if minutes not in MINUTES:
        raise InvalidValue("Choose one of the lengths.", field="minutes")
    with tenant_context(agency):
        access = SupportAccess.objects.create(
            staff_id=staff.id,
            staff_label=str(staff),
            reason=reason,
            may_edit=may_edit,
            begun_at=now,
            ends_at=now + timedelta(minutes=minutes),
        )
        _tell_owners(agency, access)
        told = tokens.sign(_PURPOSE, [str(access.id), str(staff.id), staff.sessions_ended])
    logger.info("support access begun agency=%s access=%s", agency.slug, access.id)
    return access, f"{agency.url}/support/enter/{told}/"


def offered(told: str, *, now: datetime) -> SupportAccess:
    """Return the access that a hand-over link is for; raises NotFound where it enters no more."""
    try:
        access_id, staff_id, sessions_ended = tokens.read(
            _PURPOSE, told, age_seconds_max=HAND_OVER_SECONDS_MAX
        )
    except tokens.BadToken:
        raise _gone() from None
    access = SupportAccess.objects.filter(
        id=access_id, staff_id=staff_id, entered_at=None, ended_at=None, ends_at__gt=now
    ).first()
    user = None if access is None else _actor_of(access)
    if access is None or user is None or user.sessions_ended != sessions_ended:
        raise _gone()
    return access


@atomic
def enter(told: str, *, now: datetime) -> SupportAccess:
    """Use a hand-over link up. Raises NotFound, also for the second of two at once."""
    access = offered(told, now=now)
    if not SupportAccess.objects.filter(id=access.id, entered_at=None).update(entered_at=now):
        raise _gone()
    logger.info("support access entered agency=%s access=%s", current_agency().slug, access.id)
    return access


def start_session(request: HttpRequest, access: SupportAccess) -> None:
    """Begin a new session of the access. (Django's own log-in is for people with rows.)

    Raises NotFound where the access was closed meanwhile.
    """
    user = _actor_of(access)
    if user is None:
        raise _gone()
    request.session.flush()
    request.session[SESSION_KEY] = str(user.pk)
    request.session[BACKEND_SESSION_KEY] = _BACKEND
    request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    request.user = user


@atomic
def end(*, access_id: UUID, now: datetime, by: Actor) -> SupportAccess:
    """End an access before its time. Raises NotFound, and Conflict for one that is over."""
    access = SupportAccess.objects.select_for_update().filter(id=access_id).first()
    if access is None:
        raise NotFound("There is no such support access.")
    if not access.is_open(now=now):
        raise Conflict("This support access is over already.")
    access.ended_at, access.ended_by_label = now, by.label[:120]
    access.save(update_fields=["ended_at", "ended_by_label"])
    logger.info("support access ended agency=%s access=%s", current_agency().slug, access.id)
    return access


def stand_in(access: SupportAccess, staff: User) -> User:
    """Return the user of the access's requests: without a row, with the access's rights.

    The session ends with the staff member's own sessions, so a dismissal ends it for good.
    """
    role = Role.MANAGER if access.may_edit else Role.VIEWER
    user = User(id=access.id, name=str(access)[:100], role=role)
    user.support = access
    user.sessions_ended = staff.sessions_ended
    return user


class SupportBackend(BaseBackend):
    """Who asks in a support session; nobody once the access is over."""

    def get_user(self, user_id: UUID) -> User | None:  # type: ignore[override]
        is_open = Q(ended_at=None, ends_at__gt=clock.read())
        access = SupportAccess.objects.filter(is_open, id=user_id).first()
        return None if access is None else _actor_of(access)


def _actor_of(access: SupportAccess) -> User | None:
    """Return the stand-in, unless the agency or the platform has closed the door meanwhile."""
    agency = current_agency()
    with platform_context():
        staff = User.objects.filter(id=access.staff_id).first()
        still = Agency.objects.filter(pk=agency.pk, allows_support=True).exists()
    if staff is None or not (staff.is_active and staff.is_superuser and still):
        return None
    return stand_in(access, staff)


def _check_allowed(agency: Agency, staff: User) -> None:
    if not (staff.is_active and staff.is_superuser):
        raise NotAllowed("Only the platform's staff enters by support access.")
    if not (agency.is_active and agency.is_ready):
        raise NotAllowed("This agency is not served at the moment.")
    if not agency.allows_support:
        raise NotAllowed(f"{agency.name} has switched support access off.")


def _tell_owners(agency: Agency, access: SupportAccess) -> None:
    owners = User.objects.filter(role=Role.OWNER, is_active=True).values_list("email", flat=True)
    may = "look and edit" if access.may_edit else "look, and change nothing"
    for email in owners:
        _mail(
            email,
            f"Paceline support enters {agency.name}",
            f"Hello,\n\n{access.staff_label} of Paceline's support may enter {agency.name} until"
            f" {access.ends_at:%d %B %Y, %H:%M} UTC, to {may}. The reason:\n\n"
            f"{access.reason}\n\n"
            f"You see it, can end it, and can switch support access off, here:\n\n"
            f"{agency.url}/security/\n",
        )


def _mail(email: str, subject: str, body: str) -> None:
    # Owners see the access on their page in any case: a mail server that is away must not keep
    # help out.
    try:
        send_mail(subject, body, None, [email])
    except (OSError, SMTPException):
        logger.exception("an owner could not be told of a support access")


def _gone() -> NotFound:
    return NotFound("This link was used, or it is older than a minute. Begin once more.")
