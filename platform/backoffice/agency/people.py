"""People and keys: owners let them in, and out again. No password and no secret is shown."""

import logging
from collections.abc import Collection
from smtplib import SMTPException
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin import SimpleListFilter, action, display, register
from django.contrib.admin.models import CHANGE
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from accounts import services
from accounts.keys import make_key, revoke_key
from accounts.models import ApiKey, User
from accounts.roles import LIMITABLE, Right, Role
from budgets.models import Brand
from kernel import clock

from ..refusals import RefusableForm
from ..sites import agency_site
from ..words import NOTHING, chip, utc
from .rights import AgencyAdmin, become

logger = logging.getLogger("backoffice.people")

_ROLES = [(role.value, f"{role.label}: {role.explanation}") for role in reversed(Role)]


class BrandsField(forms.TypedMultipleChoiceField):
    """The brands that somebody is limited to, ticked by name."""

    def __init__(self, help_text: str) -> None:
        super().__init__(
            required=False,
            coerce=UUID,
            label="Only these brands",
            widget=forms.CheckboxSelectMultiple,
            help_text=help_text,
        )

    def offer(self, also: Collection[UUID] | None = None) -> None:
        """Let a person choose among the brands in use, and `also` these."""
        rows = Brand.objects.filter(Q(archived_at=None) | Q(id__in=also or ())).order_by("name")
        self.choices = [
            (str(brand.id), f"{brand.name} (archived)" if brand.archived_at else brand.name)
            for brand in rows
        ]


class PersonForm(RefusableForm):
    role = forms.ChoiceField(choices=_ROLES, initial=Role.VIEWER)
    brands = BrandsField(
        "For buyers, who see all brands if none is ticked, and for client viewers, who need at"
        " least one."
    )
    # Nobody is let see everything by a box that was left empty.
    all_brands = forms.BooleanField(
        required=False,
        label="All brands",
        help_text="Lifts the limit of somebody who is limited now.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limited_to: list[UUID] | None = self.instance.brand_ids
        if "brands" in self.fields:
            cast(BrandsField, self.fields["brands"]).offer(limited_to)
            self.initial["brands"] = [str(brand_id) for brand_id in limited_to or ()]

    def clean(self) -> dict[str, Any]:
        """Refuse to lift a limit unasked, and to lift it and keep it at once."""
        said = super().clean()
        if self.instance.brand_ids is None:
            return said
        named, lifted = said.get("brands"), said.get("all_brands")
        if named and lifted:
            self.add_error("all_brands", "All brands, or only those that are ticked?")
        elif not named and not lifted and said.get("role") in LIMITABLE:
            self.add_error("brands", "Tick at least one brand, or lift the limit.")
        return said


class PeopleAdmin(AgencyAdmin):
    """Rows that only those who manage people see."""

    # Who manages people is limited to no brand.
    brand_path = None
    view_right = Right.MANAGE_PEOPLE
    edit_right = Right.MANAGE_PEOPLE


@register(User, site=agency_site)
class UserAdmin(PeopleAdmin):
    form = PersonForm
    actions = ["mail_link"]
    search_fields = ["name", "email"]
    search_help_text = "Name or e-mail"
    list_display = ["email", "name", "role", "state", "last_seen", "joined"]
    list_filter = ["role", "is_active"]
    viewed_fields = ["email", "state", "last_seen", "joined"]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        named = ["email", "name", "role"]
        if obj is None:
            note = "They get a mail with a link to set their password, once."
            return [("Let somebody in", {"fields": [*named, "brands"], "description": note})]
        note = (
            "Nobody is deleted: what they did stays on record. Take away “active” instead. Their"
            " sessions, the API keys that they made, and the invitations and seats that they gave"
            " and nobody has taken then end at once."
        )
        limits = ["brands", "all_brands"] if obj.brand_ids is not None else ["brands"]
        fields = [*named, *limits, "is_active", "last_seen", "joined"]
        return [(None, {"fields": fields, "description": note})]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        return self.viewed_fields if obj else []

    @display(description="state", ordering="is_active")
    def state(self, user: User) -> SafeString:
        if not user.is_active:
            return chip("Inactive", "off")
        return chip("Active", "run") if user.last_login else chip("Invited", "wait")

    @display(description="last log-in", ordering="last_login")
    def last_seen(self, user: User) -> str:
        return utc(user.last_login)

    @display(description="since", ordering="date_joined")
    def joined(self, user: User) -> str:
        return utc(user.date_joined)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        said = form.cleaned_data
        if change:
            stored = services.change_person(
                user_id=obj.pk,
                name=said["name"],
                role=Role(said["role"]),
                is_active=said["is_active"],
                brand_ids=said["brands"] or None,
                now=clock.read(),
            )
        else:
            stored = services.add_person(
                email=said["email"],
                name=said["name"],
                role=Role(said["role"]),
                brand_ids=said["brands"] or None,
            )
            # Mail is sent when the person is stored for good, and no lock waits for it.
            transaction.on_commit(lambda: self._mail(request, stored))
        become(obj, stored)

    def _mail(self, request: HttpRequest, user: User) -> None:
        try:
            services.mail_password_link(user)
        except (OSError, SMTPException):
            logger.exception("a link to set the password could not be mailed user=%s", user.pk)
            self.message_user(
                request,
                f"The mail to {user.email} could not be sent. Try again later with the action"
                " “Mail a link to set the password”.",
                messages.ERROR,
            )
        else:
            told = f"A link to set the password was mailed to {user.email}."
            self.message_user(request, told, messages.INFO)

    @action(permissions=["change"], description="Mail a link to set the password")
    def mail_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            if user.is_active:
                self._mail(request, user)
            else:
                self.message_user(request, f"{user} is inactive.", messages.WARNING)


class KeyForm(RefusableForm):
    role = forms.ChoiceField(choices=_ROLES, initial=Role.VIEWER)
    brands = BrandsField("None ticked: all brands. A client viewer needs at least one.")
    expires_at = forms.SplitDateTimeField(
        label="Expires (UTC)",
        required=False,
        widget=AdminSplitDateTime,
        help_text="Empty: works until it is revoked.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "brands" in self.fields:
            cast(BrandsField, self.fields["brands"]).offer()


class RevokedFilter(SimpleListFilter):
    title = "revoked"
    parameter_name = "revoked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Not revoked"), ("yes", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        if self.value() is None:
            return queryset
        return queryset.filter(revoked_at__isnull=self.value() == "no")


@register(ApiKey, site=agency_site)
class ApiKeyAdmin(PeopleAdmin):
    form = KeyForm
    can_change = False
    actions = ["revoke"]
    search_fields = ["name", "=prefix"]
    search_help_text = "Name, or the beginning of the key"
    list_display = ["name", "role", "prefix", "state", "used", "made", "expires", "revoked"]
    list_filter = ["role", RevokedFilter]
    viewed_fields = [
        "name", "role", "brand_names", "prefix", "state", "used", "made", "expires", "revoked",
    ]  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is not None:
            return [(None, {"fields": self.viewed_fields})]
        note = "The key is shown once, after it is made, and stored hashed."
        return [(None, {"fields": ["name", "role", "brands", "expires_at"], "description": note})]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return self.viewed_fields if obj else []

    @display(description="state")
    def state(self, key: ApiKey) -> SafeString:
        if key.revoked_at is not None:
            return chip("Revoked", "off")
        return chip("Works", "run") if key.is_usable(now=clock.read()) else chip("Expired", "off")

    @display(description="brands")
    def brand_names(self, key: ApiKey) -> str:
        if key.brand_ids is None:
            return "all"
        names = Brand.objects.filter(id__in=key.brand_ids).order_by("name")
        return ", ".join(names.values_list("name", flat=True)) or NOTHING

    @display(description="last used", ordering="last_used_at")
    def used(self, key: ApiKey) -> str:
        return utc(key.last_used_at) if key.last_used_at else "never"

    @display(description="made", ordering="created_at")
    def made(self, key: ApiKey) -> str:
        by = f", {key.made_by_label}" if key.made_by_label else ""
        return f"{utc(key.created_at)}{by}"

    @display(description="expires", ordering="expires_at")
    def expires(self, key: ApiKey) -> str:
        return utc(key.expires_at) if key.expires_at else "never"

    @display(description="revoked", ordering="revoked_at")
    def revoked(self, key: ApiKey) -> str:
        if key.revoked_at is None:
            return NOTHING
        why = f": {key.revoked_because}" if key.revoked_because else ""
        return f"{utc(key.revoked_at)}{why}"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        said = form.cleaned_data
        maker = request.user
        assert isinstance(maker, User), "the site lets only its people in"
        stored, secret = make_key(
            name=said["name"],
            role=Role(said["role"]),
            brand_ids=said["brands"] or None,
            expires_at=said["expires_at"],
            maker=maker,
            now=clock.read(),
        )
        become(obj, stored)
        vars(request)["secret"] = secret

    def response_add(  # type: ignore[override]
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the secret in this answer: a message would lie in the session until it is read."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"The key {obj.name}",
            "opts": self.opts,
            "key": obj,
            "secret": vars(request)["secret"],
        }
        return TemplateResponse(request, "backoffice/key_made.html", context)

    @action(permissions=["revoke"], description="Revoke for good")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        keys = list(queryset)
        now = clock.read()
        for key in keys:
            revoke_key(key_id=key.pk, now=now)
        self.log(request, keys, CHANGE, "Revoked.")
        names = ", ".join(key.name for key in keys)
        self.message_user(request, f"Revoked: {names}.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """What the action `revoke` asks."""
        return self.has_add_permission(request)
