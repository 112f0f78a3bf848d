"""allauth on an agency's own host, and on the platform's for its staff.

Sign-up is closed, links are on the stored address, and one logs in with one's own proved address.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.signup import send_unknown_account_mail
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_variables

from tenants.models import Agency

from .confirmations import Confirmation
from .models import User

# In the session of somebody whose log-in is not complete.
_BEGUN = "login_begun"
_TAKEN = "That address can't be used here. Your address stays as it was."


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up by himself: the agency's owner lets people in."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Return whether `next` stays on the host that was asked. (allauth's own fails with an
        error at what is no URL at all.)"""
        request: HttpRequest = self.request
        is_safe: bool = url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
        return is_safe

    @sensitive_variables()
    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return who these credentials are of, else None, with no word on what was wrong.

        An address that is not confirmed yet belongs to nobody; at the platform only its active
        staff is anybody.
        """
        email = str(credentials.get("email", "")).strip().lower()
        user = super().authenticate(request, **{**credentials, "email": email})
        if not isinstance(user, User) or user.email != email:
            return None
        if agency_here() is None and not (user.is_superuser and user.is_active):
            return None
        return user

    def pre_login(self, request: HttpRequest, user: User, **hook: Any) -> HttpResponse | None:
        """Note under which access a log-in begins: a second step may follow much later."""
        request.session[_BEGUN] = _access_of(user)
        response: HttpResponse | None = super().pre_login(request, user, **hook)
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        """Log a person in, unless the access with which the log-in began has ended meanwhile."""
        begun = request.session.pop(_BEGUN, None)
        if not user.is_active or begun not in (None, _access_of(user)):
            request.session.flush()
            raise ImmediateHttpResponse(redirect("account_login"))
        prove(user)
        super().login(request, user)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        if agency_here() is None:
            return reverse("admin:index")
        return str(super().get_login_redirect_url(request))

    def send_confirmation_mail(
        self, request: HttpRequest, emailconfirmation: EmailConfirmationHMAC, signup: bool
    ) -> None:
        """Mail a link of ours: allauth's key is valid in every agency, for whoever has the row."""
        ours = Confirmation(emailconfirmation.email_address)
        super().send_confirmation_mail(request, ours, signup)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Make the address the one with which its person logs in, unless somebody has it."""
        # To allauth an address is unique among those that were confirmed, to us among people.
        try:
            with transaction.atomic():
                return bool(super().confirm_email(request, email_address))
        except IntegrityError:
            messages.error(request, _TAKEN)
            return False

    def set_password(self, user: User, password: str) -> None:
        """Store the password alone: the row may have been changed since it was read."""
        user.set_password(password)
        user.save(update_fields=["password"])

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Build the link from the agency's stored address, never from the request's host."""
        return site_url() + f"/accounts/password/reset/key/{key}/"

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        if user.email == email.strip().lower():
            super().send_password_reset_mail(user, email, context)
        else:
            # Named by somebody, and not confirmed.
            send_unknown_account_mail(context["request"], email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        named = {"agency": agency_here(), "site_url": site_url()}
        super().send_mail(template_prefix, email, {**context, **named})


def _access_of(user: User) -> list[str]:
    return [str(user.pk), user.get_session_auth_hash()]


def prove(user: User) -> None:
    """Tell allauth, by a row, that the address of somebody who is logged in is proved.

    It is: the first password came by mail. Without the row allauth takes it for an open question.
    """
    known, is_new = EmailAddress.objects.get_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
    if not is_new and not (known.verified and known.primary):
        known.verified = known.primary = True
        known.save(update_fields=["verified", "primary"])


def agency_here() -> Agency | None:
    """Return the agency whose context this is; None at the platform."""
    tenant = connection.tenant  # type: ignore[attr-defined]
    return tenant if isinstance(tenant, Agency) else None


def site_url() -> str:
    """Return the address of the site whose context this is: an agency's, or the platform's."""
    agency = agency_here()
    return settings.PACELINE_URL if agency is None else agency.url
