"""allauth on an agency's own host: closed sign-up, and links on the stored address."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from tenants.models import Agency


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

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Build the link from the agency's stored address, never from the request's host."""
        return site_url() + f"/accounts/password/reset/key/{key}/"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        tenant = connection.tenant  # type: ignore[attr-defined]
        named = {
            "agency": tenant if isinstance(tenant, Agency) else None,
            "site_url": site_url(),
        }
        super().send_mail(template_prefix, email, {**context, **named})


def site_url() -> str:
    """Return the address of the site whose context this is: an agency's, or the platform's."""
    tenant = connection.tenant  # type: ignore[attr-defined]
    return tenant.url if isinstance(tenant, Agency) else settings.PACELINE_URL
