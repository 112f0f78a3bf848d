"""Whoever is logged in, or brought a key, is who acts; and what stands between a log-in and
everything else on an agency's host.
"""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from kernel.actor import SYSTEM, Actor, acting
from tenants.models import Agency

from .adapter import agency_here
from .models import User
from .second_factors import needs_factor

# Where one logs in and out, and sets a second factor up.
_ACCOUNT = "/accounts/"
# What a support access may use of it; the rest is about a person's own account.
_SUPPORT_MAY = ("/accounts/login/", "/accounts/logout/")
# The API answers for itself, also for keys (`api.authentication`); the others show nothing.
_OPEN = ("/api/", "/static/", "/healthz")


class SecondFactorFirst:
    """Lead people to set a second factor up, where their agency asks for one, before anything
    else; and keep a support access out of what is a person's own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        agency = agency_here()
        if agency is None or request.path.startswith(_OPEN):
            return self.get_response(request)
        if request.path.startswith(_ACCOUNT):
            # Whose request it is costs statements: asked only where it matters.
            if request.path not in _SUPPORT_MAY and _is_support(request):
                raise PermissionDenied
            response = self.get_response(request)
            # Keys and recovery codes are shown here.
            add_never_cache_headers(response)
            return response
        if agency.requires_second_factor and _is_missing(request, agency):
            return _to_set_up(request)
        return self.get_response(request)


def _is_support(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.support is not None


def _is_missing(request: HttpRequest, agency: Agency) -> bool:
    return isinstance(request.user, User) and needs_factor(request.user, agency)


def _to_set_up(request: HttpRequest) -> HttpResponseBase:
    # The page says why.
    address = reverse("mfa_index")
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return HttpResponseClientRedirect(address) if htmx else redirect(address)


class ActingUser:
    """Let what a request changes be changed by its user, as the trail tells it.

    The user is asked for when something is written down: the API only knows a key by then, and
    puts it where the session's user was.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with acting(lambda: _actor_of(request)):
            return self.get_response(request)


def _actor_of(request: HttpRequest) -> Actor:
    """Return who the request comes from; nobody who is known is the system itself."""
    actor = getattr(getattr(request, "user", None), "actor", SYSTEM)
    assert isinstance(actor, Actor)
    return actor
