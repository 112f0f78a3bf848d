"""Who comes in, and how: what owners decide, and what each may do about the own sessions."""

from uuid import UUID

from allauth.account.views import email as allauth_email
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts import security, services, support
from accounts.adapter import prove
from accounts.models import SupportAccess, User
from accounts.roles import Right
from kernel import clock
from kernel.errors import Conflict
from tenants.contexts import current_agency

from ..access import PortalRequest, page
from ..forms.security import SecurityForm

_ACCESSES_SHOWN = 50


@page(Right.MANAGE_PEOPLE)
def index(request: PortalRequest) -> HttpResponse:
    """The agency's switches, and every support access, the newest first."""
    now = clock.read()
    # A form of unticked boxes says something too.
    said = request.POST if request.method == "POST" else None
    form = SecurityForm.of(current_agency(), said)
    if request.method == "POST" and form.is_valid():
        security.change_security(**form.cleaned_data, now=now, by=request.user.actor)
        messages.success(request, "The agency's security is saved.")
        return redirect("portal:security")
    accesses = SupportAccess.objects.all()[:_ACCESSES_SHOWN]
    context = {"form": form, "accesses": [(a, a.is_open(now=now)) for a in accesses]}
    return render(request, "portal/security.html", context)


@require_POST
@page(Right.MANAGE_PEOPLE)
def end_support(request: PortalRequest, access_id: UUID) -> HttpResponse:
    """Put somebody of the support out."""
    try:
        access = support.end(access_id=access_id, now=clock.read(), by=request.user.actor)
    except Conflict as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"The support access of {access.staff_label} is ended.")
    return redirect("portal:security")


@require_POST
@page(Right.MANAGE_PEOPLE)
def log_person_out(request: PortalRequest, user_id: UUID) -> HttpResponse:
    """End every session of a person."""
    person = services.end_sessions(user_id=user_id)
    messages.success(request, f"{person} is logged out everywhere.")
    return redirect("portal:people")


@require_POST
@page(Right.MANAGE_PEOPLE)
def remove_factors(request: PortalRequest, user_id: UUID) -> HttpResponse:
    """Take a person's second factor away, whose telephone is gone."""
    person = security.remove_factors(user_id=user_id)
    security.mail_factors_removed(person, by=request.user.actor)
    messages.success(
        request, f"{person} logs in with the password alone, and can set a new factor up."
    )
    return redirect("portal:people")


@require_POST
@page()
def log_out_everywhere(request: PortalRequest) -> HttpResponse:
    """End every session of whoever asks, this one too."""
    if request.user.support is not None:
        return redirect("portal:dashboard")
    services.end_sessions(user_id=request.user.id)
    logout(request)
    messages.success(request, "You are logged out everywhere.")
    return redirect("account_login")


def address(request: HttpRequest) -> HttpResponseBase:
    """allauth's page for the own address, for an address that allauth knows."""
    if isinstance(request.user, User):
        prove(request.user)
    response: HttpResponseBase = allauth_email(request)
    return response
