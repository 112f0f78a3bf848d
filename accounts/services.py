"""Let people in."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from kernel.errors import InvalidValue, NameTaken
from tenants.contexts import current_agency

from .models import User
from .roles import Role


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
