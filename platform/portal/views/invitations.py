"""Owners invite people; whoever has the mail accepts."""

import logging
from smtplib import SMTPException
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from accounts import invitations
from accounts.models import Invitation
from accounts.roles import Right, Role
from kernel import clock
from kernel.errors import Conflict, NotFound

from ..access import PortalRequest, page
from ..forms.invitations import AcceptForm
from ..forms.people import NewPersonForm
from .people import brands_to_choose

logger = logging.getLogger("portal.invitations")

_TOKEN = "invitation_token"  # noqa: S105 (the session's key, not a token)


@page(Right.MANAGE_PEOPLE)
def new(request: PortalRequest) -> HttpResponse:
    """Offer somebody a seat by mail."""
    form = NewPersonForm(request.POST or None, initial={"role": Role.VIEWER})
    form.offer_brands(brands_to_choose())
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with form.refusals():
            invitation, token = invitations.invite(
                email=data["email"],
                name=data["name"],
                role=Role(data["role"]),
                brand_ids=form.brand_ids,
                now=clock.read(),
                by=request.user.actor,
            )
            _mail(request, invitation, token)
            return redirect("portal:people")
    context = {"form": form, "days": invitations.VALID_DAYS}
    return render(request, "portal/invite_form.html", context)


@require_POST
@page(Right.MANAGE_PEOPLE)
def resend(request: PortalRequest, invitation_id: UUID) -> HttpResponse:
    """Mail a new link; the old one is dead."""
    try:
        invitation, token = invitations.resend(
            invitation_id=invitation_id, now=clock.read(), by=request.user.actor
        )
    except Conflict as refusal:
        messages.error(request, refusal.message)
    else:
        _mail(request, invitation, token)
    return redirect("portal:people")


@require_POST
@page(Right.MANAGE_PEOPLE)
def withdraw(request: PortalRequest, invitation_id: UUID) -> HttpResponse:
    """Make an invitation worthless."""
    invitation = invitations.withdraw(invitation_id=invitation_id, now=clock.read())
    messages.success(request, f"The invitation to {invitation.email} is withdrawn.")
    return redirect("portal:people")


def _mail(request: HttpRequest, invitation: Invitation, token: str) -> None:
    try:
        invitations.mail_invitation(invitation, token)
    except (OSError, SMTPException):
        logger.exception("an invitation could not be mailed invitation=%s", invitation.id)
        messages.error(
            request, f"The mail to {invitation.email} could not be sent. Try again in a minute."
        )
    else:
        messages.success(request, f"An invitation is on its way to {invitation.email}.")


@require_safe
@never_cache
def take_up(request: HttpRequest, token: str) -> HttpResponse:
    """Keep the token of the mailed link in the session, and go on without it in the address.

    So no later request, log line, Referer or bookmark carries it. Nothing is accepted by looking:
    programs that scan mail follow links.
    """
    try:
        invitations.find(token, now=clock.read())
    except NotFound as gone:
        return _gone(request, gone.message)
    request.session[_TOKEN] = token
    return redirect("portal:invitation_accept")


@never_cache
@sensitive_post_parameters("password1", "password2")
@sensitive_variables("data", "token")
def accept(request: HttpRequest) -> HttpResponse:
    """Show what is offered; with a name and a password, make the account and log in."""
    token = request.session.get(_TOKEN, "")
    try:
        invitation = invitations.find(token, now=clock.read())
        if request.user.is_authenticated:
            return render(request, "portal/invitation_logged_in.html", {"invitation": invitation})
        form = AcceptForm(invitation, request.POST or None)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            with form.refusals():
                user = invitations.accept(
                    token=token,
                    name=data["name"],
                    password=data["password1"],
                    now=clock.read(),
                )
                # The session is a new one from here on, without the token.
                request.session.flush()
                record_authentication(request, user, method="password", email=user.email)
                get_adapter(request).login(request, user)
                messages.success(request, f"Welcome, {user}.")
                return redirect("portal:dashboard")
    except NotFound as gone:
        return _gone(request, gone.message)
    return render(request, "portal/invitation.html", {"form": form, "invitation": invitation})


def _gone(request: HttpRequest, why: str) -> HttpResponse:
    request.session.pop(_TOKEN, None)
    return render(request, "portal/invitation_gone.html", {"why": why}, status=404)
