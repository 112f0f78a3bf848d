"""What an agency's owners decide about who comes in, and how."""

import logging
from datetime import datetime
from smtplib import SMTPException
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.core.mail import send_mail
from django.db.models import F

from kernel.actor import Actor
from kernel.errors import NotFound
from kernel.transactions import atomic
from tenants.contexts import current_agency, platform_context
from tenants.services import AgencyChanges, change_agency

from .models import SupportAccess, User

logger = logging.getLogger("accounts.security")


@atomic
def change_security(
    *, requires_second_factor: bool, allows_support: bool, now: datetime, by: Actor
) -> None:
    """Say who needs a second factor, and whether support may come in.

    Where support may not, whoever is in is out at the next request.
    """
    agency = current_agency()
    changes: AgencyChanges = {
        "requires_second_factor": requires_second_factor,
        "allows_support": allows_support,
    }
    with platform_context():
        change_agency(agency_id=agency.pk, changes=changes)
    agency.requires_second_factor = requires_second_factor
    agency.allows_support = allows_support
    if not allows_support:
        still_open = SupportAccess.objects.filter(ended_at=None, ends_at__gt=now)
        still_open.update(ended_at=now, ended_by_label=by.label[:120])
    logger.info(
        "security changed agency=%s by=%s second_factor=%s support=%s",
        agency.slug,
        by.id,
        requires_second_factor,
        allows_support,
    )


@atomic
def remove_factors(*, user_id: UUID) -> User:
    """Take a person's second factors away, and end their sessions: a telephone is gone.

    Raises NotFound where there is no such person.
    """
    user = User.objects.filter(id=user_id).first()
    if user is None:
        raise NotFound("There is no such person.")
    Authenticator.objects.filter(user=user).delete()
    User.objects.filter(id=user_id).update(sessions_ended=F("sessions_ended") + 1)
    return user


def mail_factors_removed(user: User, *, by: Actor) -> None:
    """Tell a person that somebody else took their second factors away; never raises."""
    agency = current_agency()
    try:
        send_mail(
            f"Your second factor at {agency.name} was removed",
            f"Hello,\n\n{by.label} removed the second factor of your account at {agency.name}."
            " Log in with your password, and set a new one up:\n\n"
            f"{agency.url}/accounts/2fa/\n\n"
            "If you did not ask for that, tell them at once.\n",
            None,
            [user.email],
        )
    except (OSError, SMTPException):
        logger.exception("a removed second factor could not be told user=%s", user.pk)
