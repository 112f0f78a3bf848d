"""Who works here, and which machines: for the agency's owners."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.invitations import open_invitations
from accounts.models import ApiKey, User, create_api_key
from accounts.roles import Right, Role
from accounts.second_factors import has_factor
from accounts.services import change_person, mail_password_link, revoke_api_key
from kernel import clock

from ..access import PortalRequest, page
from ..forms.people import NewKeyForm, PersonForm


@page(Right.MANAGE_PEOPLE)
def index(request: PortalRequest) -> HttpResponse:
    """Every person with their role, who is invited, and every key."""
    now = clock.read()
    keys = list(ApiKey.objects.all())
    context = {
        "invitations": [(i, i.is_expired(now=now)) for i in open_invitations()],
        "people": User.objects.order_by("-is_active", "email"),
        "keys": [(key, _state(key, now=now)) for key in keys],
    }
    return render(request, "portal/people.html", context)


def _state(key: ApiKey, *, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "usable" if key.is_usable(now=now) else "expired"


@page(Right.MANAGE_PEOPLE)
def edit(request: PortalRequest, user_id: UUID) -> HttpResponse:
    """Change a person's name and role, or take their log-in away."""
    person = get_object_or_404(User, id=user_id)
    form = PersonForm.for_person(person, request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with form.refusals():
            changed = change_person(
                user_id=person.id,
                name=data["name"],
                role=Role(data["role"]),
                is_active=data["is_active"],
            )
            messages.success(request, f"{changed} is saved.")
            # Who has just given the right away can't see the list any more.
            is_own = changed.id == request.user.id
            may_stay = not is_own or changed.may(Right.MANAGE_PEOPLE)
            return redirect("portal:people" if may_stay else "portal:dashboard")
    context = {"form": form, "person": person, "has_factor": has_factor(person)}
    return render(request, "portal/person_form.html", context)


@require_POST
@page(Right.MANAGE_PEOPLE)
def send_link(request: PortalRequest, user_id: UUID) -> HttpResponse:
    """Mail a person a new link to set the password."""
    person = get_object_or_404(User, id=user_id, is_active=True)
    mail_password_link(person)
    messages.success(request, f"A link to set the password is on its way to {person.email}.")
    return redirect("portal:people")


@page(Right.MANAGE_PEOPLE)
def new_key(request: PortalRequest) -> HttpResponse:
    """Make a key, and show its secret this once: the answer is the only place where it stands."""
    form = NewKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        last_day = data["expires_on"]
        expires_at = (
            datetime.combine(last_day + timedelta(days=1), time(), tzinfo=UTC) if last_day else None
        )
        key, secret = create_api_key(
            name=data["name"], role=Role(data["role"]), expires_at=expires_at
        )
        return render(request, "portal/key_made.html", {"key": key, "secret": secret})
    return render(request, "portal/key_form.html", {"form": form})


@require_POST
@page(Right.MANAGE_PEOPLE)
def revoke_key(request: PortalRequest, key_id: UUID) -> HttpResponse:
    """Revoke a key for good."""
    key = revoke_api_key(key_id=key_id, now=clock.read())
    messages.success(request, f"The key {key.name} is revoked.")
    return redirect("portal:people")
