"""Agencies and the hosts on which they are served."""

import logging
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import display, register
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.roles import Role
from accounts.services import add_person, check_email, mail_password_link
from kernel import clock
from kernel.errors import NameTaken
from tenants import doorbell
from tenants.contexts import tenant_context
from tenants.models import Agency, AgencyRun, Domain
from tenants.services import create_agency
from tenants.slugs import check_host

from ..refusals import RefusableForm
from ..sites import platform_site
from ..words import NOTHING, chip, utc
from .rows import PlatformAdmin

logger = logging.getLogger("backoffice.agencies")

_NO_DELETION = (
    "An agency is not deleted here: its schema holds its clients' ledger. Take away “active”, and"
    " its host answers 404 and nothing sweeps it."
)


class NewAgencyForm(RefusableForm):
    email = forms.EmailField(
        label="Owner's e-mail",
        help_text="The first owner; gets a mail with a link to set the password, once.",
    )


@register(Agency, site=platform_site)
class AgenciesAdmin(PlatformAdmin):
    search_fields = ["name", "slug"]
    search_help_text = "Name or address"
    list_display = ["name", "address", "state", "swept", "duration", "next_check", "error"]
    list_select_related = ["run"]
    list_filter = ["is_active"]
    shown_fields = [
        "slug",
        "schema_name",
        "address",
        "created",
        "ticked",
        "swept",
        "duration",
        "next_check",
        "trace",
    ]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        if not change:
            kwargs["form"] = NewAgencyForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Agency | None = None) -> Any:
        if obj is None:
            note = "Its schema is made at once, which takes a few seconds."
            return [(None, {"fields": ["name", "slug", "email"], "description": note})]
        return [
            (None, {"fields": ["name", "is_active"], "description": _NO_DELETION}),
            ("Facts", {"fields": self.shown_fields}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Agency | None = None) -> Any:
        return self.shown_fields if obj else []

    @display(description="address")
    def address(self, agency: Agency) -> SafeString:
        return format_html('<a href="{}/">{}</a>', agency.url, agency.host)

    @display(description="state", ordering="is_active")
    def state(self, agency: Agency) -> SafeString:
        if not agency.is_ready:
            return chip("Not ready", "bad")
        if agency.is_active and _run(agency).quarantined_at:
            return chip("Quarantined", "bad")
        return chip("Active", "run") if agency.is_active else chip("Inactive", "off")

    @display(description="last tick", ordering="run__last_tick_at")
    def ticked(self, agency: Agency) -> str:
        return utc(_run(agency).last_tick_at)

    @display(description="took", ordering="run__seconds")
    def duration(self, agency: Agency) -> str:
        run = _run(agency)
        return f"{run.seconds:.3f} s, {run.changed} of {run.checked} changed"

    @display(description="last swept", ordering="run__last_sweep_at")
    def swept(self, agency: Agency) -> SafeString | str:
        at = _run(agency).last_sweep_at
        is_served = agency.is_active and agency.is_ready
        # Whoever was passed over by two rounds of the backstop is late.
        patience = timedelta(seconds=2 * settings.FULL_SWEEP_SECONDS)
        is_late = is_served and clock.read() - (at or agency.created_at) > patience
        return format_html("{} {}", utc(at), chip("Late", "bad") if is_late else "")

    @display(description="next check", ordering="next_check_at")
    def next_check(self, agency: Agency) -> str:
        return utc(agency.next_check_at)

    @display(description="error")
    def error(self, agency: Agency) -> str:
        # The last line of a traceback is the one that says what happened.
        return _run(agency).error.strip().rpartition("\n")[2][:120] or NOTHING

    @display(description="error")
    def trace(self, agency: Agency) -> SafeString | str:
        run = _run(agency)
        if not run.error:
            return NOTHING
        alone = (
            f"Quarantined since {utc(run.quarantined_at)}, tried again {utc(run.retry_at)}."
            if run.quarantined_at
            else f"{run.failures} failures in a row."
        )
        return format_html("<p>{}</p><pre>{}</pre>", alone, run.error)

    @display(description="since")
    def created(self, agency: Agency) -> str:
        return utc(agency.created_at)

    def check_and_save(
        self,
        request: HttpRequest,
        object_id: str | None,
        form_url: str,
        extra_context: dict[str, Any] | None,
    ) -> HttpResponse:
        if object_id is not None:
            return super().check_and_save(request, object_id, form_url, extra_context)
        # Migrations bring their own transactions, and the service undoes what it began: no other
        # transaction is held open around them.
        response: HttpResponse = self._changeform_view(  # type: ignore[attr-defined]
            request, None, form_url, extra_context
        )
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            changes = form.changes("name", "is_active")
            Agency.objects.filter(pk=obj.pk).update(**changes)
            if changes.get("is_active"):
                # What its campaigns missed meanwhile is decided in the next minute.
                doorbell.ring(obj, at=clock.read())
            return
        said = form.cleaned_data
        email = check_email(said["email"])
        stored = create_agency(name=said["name"], slug=said["slug"])
        obj.__dict__.update(stored.__dict__)
        self._let_owner_in(request, stored, email)

    def _let_owner_in(self, request: HttpRequest, agency: Agency, email: str) -> None:
        with tenant_context(agency):
            owner = add_person(email=email, role=Role.OWNER)
            try:
                mail_password_link(owner)
            except (OSError, SMTPException):
                logger.exception("the owner's link could not be mailed agency=%s", agency.slug)
                told = (
                    f"The mail to {email} could not be sent: they can ask for a link of their own"
                    f" with “Forgot your password?” at {agency.url}/."
                )
                self.message_user(request, told, messages.ERROR)
            else:
                told = f"A link to set the password was mailed to {email}."
                self.message_user(request, told, messages.INFO)


def _run(agency: Agency) -> AgencyRun:
    """Return how its sweep went; an agency that no tick has taken yet has nothing to tell."""
    return getattr(agency, "run", None) or AgencyRun(agency=agency)


class DomainForm(RefusableForm):
    def clean_domain(self) -> str:
        return str(self.cleaned_data["domain"]).strip().rstrip(".").lower()


@register(Domain, site=platform_site)
class DomainAdmin(PlatformAdmin):
    form = DomainForm
    autocomplete_fields = ["tenant"]
    search_fields = ["domain", "tenant__name"]
    search_help_text = "Host or agency"
    list_display = ["whole_host", "agency", "note"]
    list_select_related = ["tenant"]
    ordering = ["domain"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Domain]:
        return super().get_queryset(request).select_related("tenant")

    def get_fieldsets(self, request: HttpRequest, obj: Domain | None = None) -> Any:
        if obj is not None:
            return [(None, {"fields": ["whole_host", "tenant", "note"]})]
        note = (
            "A further host for an agency. Its name must lead to this server, and the certificate"
            " must cover it."
        )
        return [(None, {"fields": ["tenant", "domain"], "description": note})]

    def get_readonly_fields(self, request: HttpRequest, obj: Domain | None = None) -> Any:
        return ["whole_host", "note"] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Domain | None = None) -> bool:
        """To change a host, add the new one and delete the old: links to it may be anywhere."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Domain | None = None) -> bool:
        # The agency's links lead to its own address.
        return obj is None or obj.domain != obj.tenant.slug

    @display(description="host", ordering="domain")
    def whole_host(self, domain: Domain) -> str:
        return domain.host

    @display(description="agency", ordering="tenant__name")
    def agency(self, domain: Domain) -> str:
        return domain.tenant.name

    @display(description="")
    def note(self, domain: Domain) -> str:
        return "its own address" if domain.domain == domain.tenant.slug else "a further host"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        check_host(obj.domain, base=settings.PACELINE_BASE_DOMAIN)
        obj.is_primary = False
        try:
            with transaction.atomic():
                obj.save()
        except IntegrityError:
            raise NameTaken(f"{obj.host} leads to an agency already.", field="domain") from None
