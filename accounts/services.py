"""Let people and machines in, and out again."""

import logging
from datetime import datetime
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from kernel.errors import Conflict, InvalidValue, NameTaken, NotFound
from kernel.transactions import atomic
from tenants import openings
from tenants.contexts import current_agency, platform_context, tenant_context
from tenants.models import Agency, Opening
from tenants.schemas import fill_schema
from tenants.services import make_ready

from .models import ApiKey, User
from .roles import Role

logger = logging.getLogger("accounts.openings")


def check_email(email: str) -> str:
    """Return the address in lower case, or raise InvalidValue."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidValue(f"{email!r} is no e-mail address.", field="email") from None
    return email


def add_person(*, email: str, role: Role, name: str = "", password: str | None = None) -> User:
    """Make a user of the current agency. Raises InvalidValue and NameTaken."""
    email = check_email(email)
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, role=role, name=name)
    except IntegrityError:
        raise NameTaken(f"{email} is here already.", field="email") from None


@atomic
def change_person(*, user_id: UUID, name: str, role: Role, is_active: bool) -> User:
    """Change a user. Raises NotFound, and Conflict where no active owner would be left."""
    # Locked, so that two owners can't take the right from each other at once.
    owners = User.objects.select_for_update().filter(role=Role.OWNER, is_active=True)
    owner_ids = {owner.id for owner in owners.order_by("id")}
    user = User.objects.filter(id=user_id).first()
    if user is None:
        raise NotFound("There is no such person.")
    if owner_ids == {user.id} and not (role == Role.OWNER and is_active):
        raise Conflict(
            f"{user} is the last active owner: make somebody else an owner first.",
            field="role" if role != Role.OWNER else "is_active",
        )
    user.name, user.role, user.is_active = name, role, is_active
    user.save(update_fields=["name", "role", "is_active"])
    return user


def revoke_api_key(*, key_id: UUID, now: datetime) -> ApiKey:
    """Revoke a key for good; a second time changes nothing. Raises NotFound."""
    ApiKey.objects.filter(id=key_id, revoked_at=None).update(revoked_at=now)
    key = ApiKey.objects.filter(id=key_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    return key


def password_link(user: User) -> str:
    """Return a link on the agency's stored address that sets the user's password, once."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
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
