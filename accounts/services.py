"""Let people and machines in, and out again."""

import logging
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from allauth.account.utils import user_pk_to_url_str
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F

from kernel.errors import Conflict, InvalidValue, NameTaken, NotFound
from kernel.transactions import atomic
from tenants import openings
from tenants.contexts import current_agency, platform_context, tenant_context
from tenants.models import Agency, Opening
from tenants.schemas import fill_schema
from tenants.services import check_no_link, make_ready

from .grants import end_grants_beyond, unused_seats_of
from .models import User
from .passwords import PasswordTokens
from .roles import LIMITABLE, Role

logger = logging.getLogger("accounts.openings")

MAILED_NAME_LENGTH_MAX = 60


def check_email(email: str) -> str:
    """Return the address in lower case, or raise InvalidValue."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidValue(f"{email!r} is no e-mail address.", field="email") from None
    return email


def check_brands(role: Role, brand_ids: Collection[UUID] | None) -> list[UUID] | None:
    """Return the brands that a person of this role is limited to, as they are stored; None is all.

    Raises InvalidValue for a client without a brand, and for a role that is never limited.
    """
    if brand_ids is None:
        if role == Role.CLIENT_VIEWER:
            raise InvalidValue("A client viewer needs at least one brand.", field="brands")
        return None
    if role not in LIMITABLE:
        named = " and ".join(f"{one.label.lower()}s" for one in Role if one in LIMITABLE)
        raise InvalidValue(f"Only {named} are limited to brands.", field="brands")
    if not brand_ids:
        raise InvalidValue(f"A {role.label.lower()} needs at least one brand.", field="brands")
    return sorted(set(brand_ids))


def add_person(
    *,
    email: str,
    role: Role,
    brand_ids: Collection[UUID] | None = None,
    name: str = "",
    password: str | None = None,
) -> User:
    """Make a user of the current agency, limited to brands if they are named.

    Raises InvalidValue and NameTaken.
    """
    email = check_email(email)
    name = check_mailed_name(name)
    brands = check_brands(role, brand_ids)
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, role=role, brand_ids=brands, name=name)
    except IntegrityError:
        raise NameTaken(f"{email} is here already.", field="email") from None


@atomic
def change_person(
    *,
    user_id: UUID,
    name: str,
    role: Role,
    is_active: bool,
    brand_ids: Collection[UUID] | None,
    now: datetime,
) -> User:
    """Change a user: from the next request on, these are their role and brands (None: all).

    API keys that they made, and invitations and seats that they gave and nobody took, end where
    they exceed it. Raises NotFound, InvalidValue, and Conflict where no active owner would be left.
    """
    brands = check_brands(role, brand_ids)
    # Locked, so that two owners can't take the right from each other at once.
    owners = User.objects.select_for_update().filter(role=Role.OWNER, is_active=True)
    owner_ids = {owner.id for owner in owners.order_by("id")}
    user = User.objects.select_for_update().filter(id=user_id).first()
    if user is None:
        raise NotFound("There is no such person.")
    stays_owner = role == Role.OWNER and is_active
    # Seats that the person gave to others and that nobody has taken end with the person's.
    if not stays_owner and owner_ids and owner_ids <= {user.id, *unused_seats_of(user)}:
        raise Conflict(
            f"{user} is the last active owner: make somebody else an owner first.",
            field="role" if role != Role.OWNER else "is_active",
        )
    if user.is_active and not is_active:
        # Sessions and links of before stay worthless when the person is let in again.
        user.sessions_ended += 1
    if name != user.name:
        name = check_mailed_name(name)
    user.name, user.role, user.is_active, user.brand_ids = name, role, is_active, brands
    user.save(update_fields=["name", "role", "is_active", "brand_ids", "sessions_ended"])
    end_grants_beyond(user, now=now)
    return user


@atomic
def remove_person(*, user_id: UUID, now: datetime) -> User:
    """Take a person's access away: sessions, keys, links and invitations of theirs are over.

    What they did stays on record. Raises NotFound, and Conflict for the last active owner.
    """
    user = User.objects.filter(id=user_id).first()
    if user is None:
        raise NotFound("There is no such person.")
    return change_person(
        user_id=user.id,
        name=user.name,
        role=Role(user.role),
        brand_ids=user.brand_ids,
        is_active=False,
        now=now,
    )


@atomic
def change_staff(*, user_id: UUID, name: str, is_active: bool) -> User:
    """Change one of the platform's staff. Call it on the platform's schema.

    Who is let go loses sessions, links and support accesses for good. Raises NotFound, and Conflict
    where nobody active would be left.
    """
    # Locked, so that two can't take the platform from each other at once.
    staff = User.objects.select_for_update().filter(is_superuser=True)
    active_ids = {user.id for user in staff.filter(is_active=True).order_by("id")}
    user = staff.filter(id=user_id).first()
    if user is None:
        raise NotFound("There is no such person.")
    if active_ids == {user.id} and not is_active:
        raise Conflict("Somebody must be left who can log in here.", field="is_active")
    if user.is_active and not is_active:
        user.sessions_ended += 1
    if name != user.name:
        name = check_mailed_name(name)
    user.name, user.is_active = name, is_active
    user.save(update_fields=["name", "is_active", "sessions_ended"])
    return user


def check_mailed_name(name: str) -> str:
    """Return a name without blanks around it, as mails of ours carry it to others: it could bring
    a stranger's words and links into them.

    Raises InvalidValue for one that is too long, has line breaks or a link.
    """
    name = name.strip()
    if len(name) > MAILED_NAME_LENGTH_MAX or not name.isprintable():
        raise InvalidValue(
            f"A name is up to {MAILED_NAME_LENGTH_MAX} characters on one line.", field="name"
        )
    check_no_link(name)
    return name


def end_sessions(*, user_id: UUID) -> User:
    """End every session of a person, on every device, at its next request. Raises NotFound."""
    User.objects.filter(id=user_id).update(sessions_ended=F("sessions_ended") + 1)
    user = User.objects.filter(id=user_id).first()
    if user is None:
        raise NotFound("There is no such person.")
    return user


def password_link(user: User) -> str:
    """Return a link on the agency's stored address that sets the user's password, once."""
    key = f"{user_pk_to_url_str(user)}-{PasswordTokens().make_token(user)}"
    return f"{current_agency().url}/accounts/password/reset/key/{key}/"


def mail_password_link(user: User) -> str:
    """Mail the user a one-time link to set the password, and return it."""
    agency, link = current_agency(), password_link(user)
    send_mail(
        f"Your access to {agency.name} on Paceline",
        f"Hello,\n\nset your password for {agency.name} here:\n\n{link}\n\n"
        f"The link works once. Afterwards you log in at {agency.url}/ with {user.email}.\n",
        None,
        [user.email],
    )
    return link


def order_agency(
    *, name: str, slug: str, owner_email: str, order_key: UUID | None = None
) -> Agency:
    """Order an agency: `open_agency` makes it. Call it on the platform's schema.

    With a key, the same order makes it once. Raises InvalidValue for a bad address of either kind,
    NameTaken for a slug that is in use.
    """
    email = check_email(owner_email)
    return openings.order(name=name, slug=slug, owner_email=email, order_key=order_key)


def open_agency(*, agency_id: int, now: datetime) -> bool:
    """Make an agency that was ordered, and let its owner in; return whether it is open now.

    What fails is noted with the order. Where the order is done, or somebody else's work, nothing
    happens.
    """
    with platform_context():
        opening = openings.take(agency_id, now=now)
        if opening is None:
            return False
        try:
            _open(opening, now=now)
        except Exception as failure:
            logger.exception("agency not opened agency=%s", opening.agency.slug)
            openings.fail(opening, error=f"{type(failure).__name__}: {failure}")
            return False
        openings.finish(opening)
    return True


def _open(opening: Opening, *, now: datetime) -> None:
    """Do what is left to do: whoever did this before may have been stopped anywhere in it."""
    agency, email = opening.agency, opening.owner_email
    if not agency.is_ready:
        fill_schema(agency, now=now)
        with tenant_context(agency):
            add_person(email=email, role=Role.OWNER)
        make_ready(agency)
    with tenant_context(agency):
        owner = User.objects.filter(email=email).first()
        if owner is not None:
            mail_password_link(owner)
