"""Who sees a page, and what a refusal looks like. Every view of an agency's portal is a `page`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from accounts.models import User
from accounts.roles import Right
from kernel.errors import NotFound

P = ParamSpec("P")


class PortalRequest(HttpRequest):
    """A request of somebody who is logged in at this agency."""

    user: User
    htmx: HtmxDetails


View = Callable[Concatenate[PortalRequest, P], HttpResponseBase]


def page(right: Right = Right.VIEW) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Let in who is logged in and whose role includes `right`.

    Strangers are led to the log-in page, others get 403, and what is not there is 404. (What a
    service refuses and no form shows is answered by `config.middleware.AnswerRefusals`.) Money is
    nobody's to cache.
    """

    def wrap(view: View[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def answer(request: PortalRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_log_in(request)
            if not request.user.may(right):
                raise PermissionDenied
            try:
                response = view(request, *args, **kwargs)
            except NotFound as missing:
                raise Http404(missing.message) from None
            add_never_cache_headers(response)
            return response

        return answer

    return wrap


def _to_log_in(request: HttpRequest) -> HttpResponse:
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    if not htmx:
        return redirect_to_login(request.get_full_path())
    try:
        # A fragment's address is no page to come back to: the page that asked for it is.
        shown = urlsplit(htmx.current_url_abs_path or "/")
    except ValueError:
        shown = urlsplit("/")
    back = shown._replace(scheme="", netloc="").geturl()
    return HttpResponseClientRedirect(redirect_to_login(back).url)


def way_back(request: HttpRequest, default: str) -> str:
    """Return the page of ours that a form wants to return to (`next`), else `default`."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts=None, require_https=request.is_secure()
    )
    return target if is_ours else resolve_url(default)
