"""Somebody opens an agency of his own on the platform's site, where that is switched on."""

import logging
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_safe
from redis import RedisError

from accounts import sign_ups
from accounts.tasks import open_agency
from kernel import clock
from kernel.errors import DomainError, NotFound
from tenants import openings
from tenants.models import Agency

from ..forms.sign_up import SignUpForm
from .landing import domain

logger = logging.getLogger("portal.sign_up")

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

# In an hour. One office may have several who try; a mailbox needs no more than a few mails.
ASKED_FROM_ONE_PLACE_MAX = 20
MAILS_TO_ONE_ADDRESS_MAX = 3
_HOUR_SECONDS = 3600
_REFRESH_SECONDS = 2


def _where_it_is_on(view: View[P]) -> Callable[..., HttpResponseBase]:
    """Answer 404 unless sign-up is on; what is on these pages is nobody's to cache."""

    @wraps(view)
    def answer(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not settings.SIGN_UP:
            raise Http404
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@_where_it_is_on
def ask(request: HttpRequest) -> HttpResponse:
    """Ask what the agency is to be called, and mail a link to whoever says so."""
    form = SignUpForm.below(domain(), request.POST or None)
    if request.method == "POST" and _is_too_often(
        f"place:{_place(request)}", ASKED_FROM_ONE_PLACE_MAX
    ):
        return render(request, "portal/sign_up_too_often.html", status=429)
    if request.method == "POST" and form.is_valid():
        with form.refusals():
            sign_up = sign_ups.ask(**form.cleaned_data)
            # Whoever asks learns nothing of how many mails an address got.
            if not _is_too_often(f"mail:{_hashed(sign_up.email)}", MAILS_TO_ONE_ADDRESS_MAX):
                sign_ups.mail_link(sign_up, now=clock.read())
            return redirect("portal:sign_up_sent")
    return render(request, "portal/sign_up.html", {"form": form})


@require_safe
@_where_it_is_on
def sent(request: HttpRequest) -> HttpResponse:
    """Tell that a mail is on its way."""
    return render(request, "portal/sign_up_sent.html", {"hours": sign_ups.LINK_HOURS})


@require_http_methods(["GET", "HEAD", "POST"])
@_where_it_is_on
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Open the agency when the button is pressed, and then tell how far it is.

    Programs that look into mails follow links; none of them presses a button.
    """
    try:
        sign_up = sign_ups.read(token, now=clock.read())
        agency = sign_ups.opened_by(sign_up)
    except NotFound:
        return render(request, "portal/sign_up_gone.html", status=404)
    if agency is not None:
        return _progress(request, agency, email=sign_up.email)
    refusal = ""
    if request.method == "POST":
        try:
            agency = sign_ups.open_for(sign_up)
        except DomainError as refused:
            refusal = refused.message
        else:
            number = agency.pk
            transaction.on_commit(lambda: open_agency.delay(number), robust=True)
            return redirect("portal:sign_up_link", token=token)
    context = {"sign_up": sign_up, "domain": domain(), "refusal": refusal}
    return render(request, "portal/sign_up_confirm.html", context)


def _progress(request: HttpRequest, agency: Agency, *, email: str) -> HttpResponse:
    if agency.is_ready and not agency.is_active:
        return render(request, "portal/sign_up_gone.html", status=404)
    state = openings.state_of(agency)
    context = {"agency": agency, "state": state, "email": email}
    response = render(request, "portal/sign_up_progress.html", context)
    if state in ("waiting", "making"):
        response.headers["Refresh"] = str(_REFRESH_SECONDS)
    return response


def _is_too_often(what: str, most: int) -> bool:
    """Count, and tell whether that was more than `most` in an hour; never, without Redis."""
    key = f"sign_up:{what}"
    try:
        cache.add(key, 0, _HOUR_SECONDS)
        return cache.incr(key) > most
    except (RedisError, OSError, ValueError):
        # ValueError: it ended between the two.
        logger.warning("sign-ups are not limited: no Redis")
        return False


def _place(request: HttpRequest) -> str:
    """Return where a request comes from: an address, or a network that one customer has."""
    address = ip_address(request.META["REMOTE_ADDR"])
    return str(address if address.version == 4 else ip_network((address, 64), strict=False))


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()
