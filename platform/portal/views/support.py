"""The door for the platform's support, at the agency's own host."""

from contextlib import suppress

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import support
from kernel import clock
from kernel.errors import Conflict, NotFound

from ..access import PortalRequest, page


@never_cache
def enter(request: HttpRequest, told: str) -> HttpResponse:
    """Say what the hand-over link is for, and enter at a click."""
    try:
        if request.method == "POST":
            access = support.enter(told, now=clock.read())
            support.start_session(request, access)
            return redirect("portal:dashboard")
        access = support.offered(told, now=clock.read())
    except NotFound as gone:
        return render(request, "portal/support_gone.html", {"why": gone.message}, status=404)
    return render(request, "portal/support_enter.html", {"access": access})


@require_POST
@page()
def leave(request: PortalRequest) -> HttpResponse:
    """End the access that this session is."""
    access = request.user.support
    if access is None:
        return redirect("portal:dashboard")
    # It may have ended by itself a moment ago.
    with suppress(Conflict):
        support.end(access_id=access.id, now=clock.read(), by=request.user.actor)
    logout(request)
    messages.success(request, "The support access is ended.")
    return redirect("account_login")
