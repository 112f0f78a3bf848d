"""Somebody opens an agency of his own: he says what it is called, and proves his mail.

Until then nothing is stored: what was said is in the link, signed, for a day. Who holds the link is
who reads that mail. It opens one agency, however often it is used, also when that is deleted.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail

from kernel.errors import NameTaken, NotFound
from kernel.ids import uuid7
from tenants.models import Agency, Domain, UsedOrder
from tenants.services import check_name
from tenants.slugs import check_slug

from . import tokens
from .services import check_email, check_mailed_name, order_agency

LINK_HOURS = 24
_PURPOSE = "sign_up"


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody asked for; `key` tells this request from any other."""

    key: UUID
    name: str
    slug: str
    email: str


def ask(*, name: str, slug: str, email: str) -> SignUp:
    """Check what is asked for, and return it. Call it on the platform's schema.

    Raises InvalidValue, and NameTaken for an address that is in use: which those are, anybody can
    see who types them into a browser.
    """
    sign_up = SignUp(uuid7(), name.strip(), slug.strip().lower(), check_email(email))
    check_name(sign_up.name)
    check_mailed_name(sign_up.name)
    check_slug(sign_up.slug)
    if Domain.objects.filter(domain=sign_up.slug).exists():
        raise NameTaken(f"The address {sign_up.slug!r} is in use.", field="slug")
    return sign_up


def mail_link(sign_up: SignUp, *, now: datetime) -> str:
    """Mail the link that opens the agency, and return it.

    The mail quotes nothing but the address of the agency: whatever else a stranger may write, he
    can't have us send it to others.
    """
    link = f"{settings.PACELINE_URL}/sign-up/{_token(sign_up, now=now)}/"
    host = f"{sign_up.slug}.{settings.PACELINE_BASE_DOMAIN}"
    send_mail(
        "Open your agency on Paceline",
        f"Hello,\n\nsomebody, we hope you, asked for an agency at {host} with this mail address."
        f" Open it here:\n\n{link}\n\nThe link works for {LINK_HOURS} hours. If it wasn't you, do"
        " nothing: then nothing is made, and nothing is kept.\n",
        None,
        [sign_up.email],
    )
    return link


def read(token: str, *, now: datetime) -> SignUp:
    """Return what a link asks for. Raises NotFound for one that is not ours, or too old."""
    try:
        said = tokens.read(_PURPOSE, token)
    except tokens.BadToken:
        raise NotFound("This link is not one of ours.") from None
    if now >= datetime.fromtimestamp(said["until"], UTC):
        raise NotFound("This link is too old.")
    return SignUp(UUID(said["key"]), said["name"], said["slug"], said["email"])


def open_for(sign_up: SignUp) -> Agency:
    """Order the agency, and return it; a second time, return the same.

    Raises NameTaken where somebody else has taken the address since, NotFound and Conflict where
    the agency of this link is no longer here.
    """
    return opened_by(sign_up) or order_agency(
        name=sign_up.name, slug=sign_up.slug, owner_email=sign_up.email, order_key=sign_up.key
    )


def opened_by(sign_up: SignUp) -> Agency | None:
    """Return the agency that was ordered by this link, or None where it was not used.

    Raises NotFound where it was used and the agency is no longer here.
    """
    agency = Agency.objects.filter(order_key=sign_up.key).select_related("opening").first()
    if agency is None and UsedOrder.objects.filter(key=sign_up.key).exists():
        raise NotFound("This link was used.")
    return agency


def forget_used(*, now: datetime) -> int:
    """Delete the keys of links that have expired; return how many. Call it on the platform's
    schema.
    """
    expired = now - timedelta(hours=LINK_HOURS)
    forgotten, _ = UsedOrder.objects.filter(used_at__lt=expired).delete()
    return forgotten


def _token(sign_up: SignUp, *, now: datetime) -> str:
    until = now + timedelta(hours=LINK_HOURS)
    said = {
        "key": str(sign_up.key),
        "name": sign_up.name,
        "slug": sign_up.slug,
        "email": sign_up.email,
        "until": int(until.timestamp()),
    }
    return tokens.sign(_PURPOSE, said)
