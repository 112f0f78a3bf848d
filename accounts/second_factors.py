"""Second factors by allauth.mfa: how their secrets rest, that a code counts once, who needs one."""

from base64 import urlsafe_b64encode
from typing import Any

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from cryptography.fernet import Fernet, MultiFernet
from django import forms
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.crypto import salted_hmac

from tenants.models import Agency

from .adapter import agency_here
from .models import User
from .roles import Role

# Whom an agency may ask for a second factor: they let people in, or decide about money.
ASKED = frozenset({Role.OWNER, Role.FINANCE})
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def needs_factor(user: User, agency: Agency) -> bool:
    """Return whether the agency asks this person for a second factor that is not set up."""
    return is_asked(user, agency) and not has_factor(user)


def is_asked(user: User, agency: Agency) -> bool:
    """Return whether the agency asks people of this role for a second factor."""
    return agency.requires_second_factor and user.role in ASKED


def has_factor(user: User) -> bool:
    """Return whether a second factor is set up. One statement."""
    return Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).exists()


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": (
            "Your agency asks for a second factor: set another one up before you remove this one."
        ),
        "incorrect_code": "This code is not right, or it was used already.",
    }

    def encrypt(self, text: str) -> str:
        """Encrypt a secret for the database, by a key that follows from SECRET_KEY."""
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Read a secret; keys that were replaced (SECRET_KEY_FALLBACKS) still read theirs."""
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Refuse the last one of somebody who needs one."""
        user, agency = authenticator.user, agency_here()
        if agency is None or not is_asked(user, agency):
            return True
        others = Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS)
        return others.exclude(pk=authenticator.pk).exists()

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Any) -> str:  # noqa: A002
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return "Passkey" if count == 0 else f"Passkey {count + 1}"

    def _get_site_name(self) -> str:
        agency = agency_here()
        return "Paceline" if agency is None else f"{agency.name} on Paceline"


class OneTime:
    """Mixed into a form that takes a code: allauth would take an app's code again for a while."""

    authenticator: Authenticator

    def clean_code(self) -> str:
        code = str(super().clean_code())  # type: ignore[misc]
        is_of_app = self.authenticator.type == Authenticator.Type.TOTP
        if is_of_app and not _spend(self.authenticator, code):
            raise MFAAdapter().validation_error("incorrect_code")
        return code


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey, in our words."""

    passwordless = forms.BooleanField(
        label="It lets me in without the password",
        required=False,
        help_text="It then asks for your fingerprint, your face or a PIN each time.",
    )


class LogInForm(OneTime, AuthenticateForm):  # type: ignore[misc]
    """The second step of a log-in."""


class ConfirmForm(OneTime, ReauthenticateForm):  # type: ignore[misc]
    """ "Is it you?", by a code."""


def _spend(authenticator: Authenticator, code: str) -> bool:
    """Note the time step of a code that is right; False where it was used (RFC 6238, 5.2).

    In the database, so that it holds for every process, with or without a cache.
    """
    secret = MFAAdapter().decrypt(authenticator.data["secret"])
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        spent = row.data.get("spent_step", 0)
        fitting = [
            step
            for step in yield_hotp_counters_from_time()
            if step > spent
            and compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step)))
        ]
        if not fitting:
            return False
        row.data["spent_step"] = max(fitting)
        row.save(update_fields=["data"])
        authenticator.data = row.data
    return True


def _fernet() -> MultiFernet:
    return MultiFernet(
        Fernet(
            urlsafe_b64encode(
                salted_hmac("accounts.second_factors", "", secret=key, algorithm="sha256").digest()
            )
        )
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )
