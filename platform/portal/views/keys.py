"""API keys: made and revoked by the agency's owners, and shown once."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.keys import make_key, revoke_key
from accounts.roles import Right, Role
from kernel import clock

from ..access import PortalRequest, page
from ..forms.keys import NewKeyForm
from .people import brands_to_choose


@page(Right.MANAGE_PEOPLE)
def new(request: PortalRequest) -> HttpResponse:
    """Make a key, and show its secret this once: the answer is the only place where it stands."""
    form = NewKeyForm(request.POST or None, initial={"role": Role.MANAGER})
    form.offer_brands(brands_to_choose())
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        last_day = data["expires_on"]
        expires_at = (
            datetime.combine(last_day + timedelta(days=1), time(), tzinfo=UTC) if last_day else None
        )
        with form.refusals():
            key, secret = make_key(
                name=data["name"],
                role=Role(data["role"]),
                brand_ids=form.brand_ids,
                expires_at=expires_at,
                maker=request.user,
                now=clock.read(),
            )
            return render(request, "portal/key_made.html", {"key": key, "secret": secret})
    return render(request, "portal/key_form.html", {"form": form})


@require_POST
@page(Right.MANAGE_PEOPLE)
def revoke(request: PortalRequest, key_id: UUID) -> HttpResponse:
    """Revoke a key for good."""
    key = revoke_key(key_id=key_id, now=clock.read())
    messages.success(request, f"The key {key.name} is revoked.")
    return redirect("portal:people")
