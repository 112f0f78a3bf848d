"""Parts of a page that refresh themselves, and leave it alone where nothing changed."""

import hashlib
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from ..access import PortalRequest

_OWN_PARAMETERS = ("seen", "open", "folds")


def answer(request: PortalRequest, page: str, part: str, context: dict[str, Any]) -> HttpResponse:
    """Return the whole page; or its live part alone to htmx, and 204 if that is what it shows.

    A part must not carry what differs from one rendering to the next, such as a CSRF token.
    """
    content = render_to_string(part, context, request)
    digest = hashlib.blake2s(content.encode(), digest_size=8).hexdigest()
    if request.htmx and request.GET.get("seen") == digest:
        return HttpResponse(status=204)
    live = render_to_string(
        "portal/parts/live.html",
        {"content": SafeString(content), "digest": digest, "address": _address(request)},
        request,
    )
    if request.htmx and not request.htmx.history_restore_request:
        return HttpResponse(live)
    return render(request, page, {**context, "live": SafeString(live)})


def folds(request: PortalRequest) -> frozenset[str] | None:
    """Return the names of the folds that stand open in the browser; None: the page is new."""
    if "folds" not in request.GET:
        return None
    return frozenset(request.GET.getlist("open"))


def _address(request: PortalRequest) -> str:
    """Return the page's own address, without what its live part adds."""
    query = request.GET.copy()
    for name in _OWN_PARAMETERS:
        query.pop(name, None)
    return f"{request.path}?{query.urlencode()}" if query else request.path
