"""Invitations: an owner offers a seat by mail, and whoever has the mail takes it, once.

The link's token is 256 random bits, so its plain hash is as good as a slow one and can be looked
up. Only the hash is stored: who reads the database can't accept.
"""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import IntegrityError, transaction

from kernel.actor import Actor
from kernel.errors import Conflict, InvalidValue, NameTaken, NotFound
from kernel.transactions import atomic
from tenants.contexts import current_agency

from .grants import is_still_granted, open_invitations
from .models import Invitation, User
from .roles import Role
from .services import check_brands, check_email, check_mailed_name

VALID_DAYS = 7
# More than any agency lets in, and too few to send spam by.
SENT_AN_HOUR_MAX = 100
_RESEND_SECONDS = 60


@atomic
def invite(
    *,
    email: str,
    role: Role,
    now: datetime,
    by: Actor,
    name: str = "",
    brand_ids: Collection[UUID] | None = None,
) -> tuple[Invitation, str]:
    """Offer a seat, and return the invitation with its token, which is nowhere else.

    An open invitation of the same address is withdrawn: the newest counts. Raises InvalidValue,
    NameTaken where somebody has the address, Conflict where too many were sent within the hour.
    """
    email = check_email(email)
    name = check_mailed_name(name)
    brands = check_brands(role, brand_ids)
    # Two invitations of one agency take turns, so that the count below is true.
    _take_turns()
    known = User.objects.filter(email=email).first()
    if known is not None:
        raise NameTaken(_already_here(known), field="email")
    _check_number(now)
    open_invitations().filter(email=email).update(withdrawn_at=now)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        email=email,
        name=name,
        role=role,
        brand_ids=brands,
        token_hash=_hash(token),
        sent_at=now,
        expires_at=now + timedelta(days=VALID_DAYS),
        **_sender(by),
    )
    return invitation, token


@atomic
def resend(*, invitation_id: UUID, now: datetime, by: Actor) -> tuple[Invitation, str]:
    """Give an invitation a new token and new days; the old token is dead.

    It is `by`'s from now on, and ends with what `by` may do.
    Raises NotFound for one that is closed, Conflict where one was sent a moment ago.
    """
    _take_turns()
    invitation = _lock_open(id=invitation_id)
    if (now - invitation.sent_at).total_seconds() < _RESEND_SECONDS:
        raise Conflict("It was sent a moment ago. Wait a minute before you send it again.")
    _check_number(now)
    token = secrets.token_urlsafe(32)
    invitation.token_hash = _hash(token)
    invitation.sent_at, invitation.expires_at = now, now + timedelta(days=VALID_DAYS)
    sender = _sender(by)
    for name, value in sender.items():
        setattr(invitation, name, value)
    invitation.save(update_fields=["token_hash", "sent_at", "expires_at", *sender])
    return invitation, token


@atomic
def withdraw(*, invitation_id: UUID, now: datetime) -> Invitation:
    """Make an invitation worthless. Raises NotFound for one that is closed."""
    invitation = _lock_open(id=invitation_id)
    invitation.withdrawn_at = now
    invitation.save(update_fields=["withdrawn_at"])
    return invitation


def find(token: str, *, now: datetime) -> Invitation:
    """Return the open invitation whose token this is.

    Raises NotFound, in the same words for one that is used, withdrawn, expired or never was, and
    for one whose sender may not send it any more.
    """
    return _usable(open_invitations().filter(token_hash=_hash(token)).first(), now=now)


@atomic
def accept(*, token: str, name: str, password: str, now: datetime) -> User:
    """Make the account that was offered: exactly its address, its role and its brands.

    Raises NotFound as `find` does, also for the second of two at once; InvalidValue for a password
    that is too weak; NameTaken where somebody has got the address meanwhile.
    """
    # A change of the sender's role comes before this, or waits and finds it accepted.
    _take_turns()
    invitation = _usable(_lock_open(token_hash=_hash(token)), now=now)
    user = User(
        email=invitation.email,
        name=check_mailed_name(name),
        role=invitation.role,
        brand_ids=invitation.brand_ids,
    )
    try:
        validate_password(password, user)
    except ValidationError as weak:
        raise InvalidValue(" ".join(weak.messages), field="password1") from None
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise NameTaken("There is an account with this address already.") from None
    # Whoever has the link has the mail.
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    return user


def mail_invitation(invitation: Invitation, token: str) -> None:
    """Mail the link, which is on the agency's stored address. Call it outside of transactions.

    Raises what sending mail raises: OSError, SMTPException.
    """
    agency = current_agency()
    ends = f"{invitation.expires_at:%d %B %Y, %H:%M} UTC"
    send_mail(
        f"Your invitation to {agency.name} on Paceline",
        f"Hello{' ' if invitation.name else ''}{invitation.name},\n\n"
        f"{invitation.invited_by_label} invites you to {agency.name} on Paceline, as"
        f" {invitation.get_role_display().lower()}. Choose a password here:\n\n"
        f"{agency.url}/invitations/{token}/\n\n"
        f"The link works once, until {ends}, and it is yours alone: please don't pass it on.\n"
        f"Afterwards you log in at {agency.url}/ with {invitation.email}.\n\n"
        "If you did not expect this, do nothing.\n",
        None,
        [invitation.email],
    )


def _lock_open(**lookup: object) -> Invitation:
    invitation = open_invitations().select_for_update().filter(**lookup).first()
    if invitation is None:
        raise _gone()
    return invitation


def _usable(invitation: Invitation | None, *, now: datetime) -> Invitation:
    if (
        invitation is None
        or invitation.is_expired(now=now)
        or not is_still_granted(invitation, now=now)
    ):
        raise _gone()
    return invitation


def _sender(by: Actor) -> dict[str, str]:
    return {
        "invited_by_kind": by.kind,
        "invited_by_id": by.id,
        "invited_by_label": by.label[:120],
    }


def _take_turns() -> None:
    # Nothing else is locked afterwards that an owner's row could be waited for with.
    list(User.objects.select_for_update().filter(role=Role.OWNER).order_by("id").values("id"))


def _check_number(now: datetime) -> None:
    sent = Invitation.objects.filter(sent_at__gt=now - timedelta(hours=1)).count()
    if sent >= SENT_AN_HOUR_MAX:
        raise Conflict("Many invitations were sent within the last hour. Try again later.")


def _already_here(user: User) -> str:
    if user.is_active:
        return f"{user.email} is here already."
    return f"{user.email} was here before: let them log in again on their page."


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _gone() -> NotFound:
    return NotFound("This invitation is no longer valid. Ask for a new one.")
