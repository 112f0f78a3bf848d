"""Who asks: a machine by its key, or a person by the session of the portal."""

from typing import Any

from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts.keys import note_use
from accounts.models import ApiKey, User, find_api_key
from accounts.second_factors import needs_factor
from kernel import clock
from tenants.contexts import current_agency

SCHEME = "Api-Key"
Caller = User | ApiKey


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Api-Key PREFIX.SECRET`; one statement, by the key's public prefix;
    once a minute a second one notes that it was used."""

    def authenticate(self, request: Request) -> tuple[ApiKey, ApiKey] | None:
        scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        now = clock.read()
        key = find_api_key(secret.strip(), now=now)
        if key is None:
            raise AuthenticationFailed("This API key is unknown, expired or revoked.")
        note_use(key, now=now)
        return key, key

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class SessionAuthentication(authentication.SessionAuthentication):
    """The session of somebody who logged in at the portal; writes carry the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        if found is not None and needs_factor(found[0], current_agency()):
            raise PermissionDenied("Your agency asks you to set up a second factor first.")
        return found
