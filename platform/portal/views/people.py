"""Who works here, and which machines: for the agency's owners."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.contrib import messages
from django.db.models import F, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.grants import open_invitations
from accounts.keys import keys_made_by
from accounts.models import ApiKey, User
from accounts.roles import Right, Role
from accounts.second_factors import has_factor
from accounts.services import change_person, mail_password_link
from budgets.models import Brand
from kernel import clock

from ..access import PortalRequest, page
from ..forms.people import PersonForm


@page(Right.MANAGE_PEOPLE)
def index(request: PortalRequest) -> HttpResponse:
    """Every person with their role and brands, who is invited, and every key."""
    now = clock.read()
    people = list(User.objects.order_by("-is_active", "email"))
    keys = list(ApiKey.objects.all())
    names = dict(Brand.objects.values_list("id", "name"))
    context = {
        "invitations": [(i, i.is_expired(now=now)) for i in open_invitations()],
        "people": [(person, _brands_text(person.brand_ids, names)) for person in people],
        "keys": [(key, _brands_text(key.brand_ids, names), key.state(now=now)) for key in keys],
    }
    return render(request, "portal/people.html", context)


def _brands_text(brand_ids: Collection[UUID] | None, names: Mapping[UUID, str]) -> str:
    """Name the brands that somebody is limited to; "" for all."""
    if brand_ids is None:
        return ""
    found = sorted(names[brand_id] for brand_id in brand_ids if brand_id in names)
    return ", ".join(found) or "no brand that is still here"


def brands_to_choose(also: Collection[UUID] | None = None) -> list[Brand]:
    """Return the brands that somebody may be limited to: those in use, and `also` these."""
    offered = Brand.objects.filter(Q(archived_at=None) | Q(id__in=also or ()))
    return list(offered.order_by(F("archived_at").asc(nulls_first=True), "name", "id"))


@page(Right.MANAGE_PEOPLE)
def edit(request: PortalRequest, user_id: UUID) -> HttpResponse:
    """Change a person's name, role and brands, or take their log-in away."""
    person = get_object_or_404(User, id=user_id)
    now = clock.read()
    brands = brands_to_choose(person.brand_ids)
    form = PersonForm.for_person(person, brands, request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with form.refusals():
            changed = change_person(
                user_id=person.id,
                name=data["name"],
                role=Role(data["role"]),
                is_active=data["is_active"],
                brand_ids=form.brand_ids,
                now=now,
            )
            messages.success(request, f"{changed} is saved.")
            # Who has just given the right away can't see the list any more.
            is_own = changed.id == request.user.id
            may_stay = not is_own or changed.may(Right.MANAGE_PEOPLE)
            return redirect("portal:people" if may_stay else "portal:dashboard")
    context = {
        "form": form,
        "person": person,
        "keys": keys_made_by(person, now=now),
        "has_factor": has_factor(person),
    }
    return render(request, "portal/person_form.html", context)


@require_POST
@page(Right.MANAGE_PEOPLE)
def send_link(request: PortalRequest, user_id: UUID) -> HttpResponse:
    """Mail a person a new link to set the password."""
    person = get_object_or_404(User, id=user_id, is_active=True)
    mail_password_link(person)
    messages.success(request, f"A link to set the password is on its way to {person.email}.")
    return redirect("portal:people")
