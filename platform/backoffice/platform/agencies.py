"""Agencies and the hosts on which they are served."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import action, display, register
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.services import order_agency
from accounts.tasks import open_agency
from kernel import clock
from kernel.errors import NameTaken
from tenants import openings
from tenants.models import Agency, AgencyRun, Domain
from tenants.services import change_agency
from tenants.slugs import check_host

from ..refusals import RefusableForm
from ..sites import platform_site
from ..words import NOTHING, chip, utc
from . import life, support
from .rows import PlatformAdmin

_UNFINISHED = {
    "waiting": ("Waiting", "off"),
    "making": ("Being made", "off"),
    "failed": ("Failed", "bad"),
    "unfinished": ("Not ready", "bad"),
}
_PROGRESS = {
    "waiting": "A worker makes it within the minute; this page tells when it is ready.",
    "making": "A worker is making it; this page tells when it is ready.",
    "failed": "It could not be made.",
    "ready": "Its owner's mail is not sent yet.",
    "unfinished": "",
}
_REFRESH_SECONDS = 2


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
    list_select_related = ["run", "opening", "removal"]
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
    actions = ["try_again"]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        if not change:
            kwargs["form"] = NewAgencyForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Agency | None = None) -> Any:
        if obj is None:
            note = (
                "Its tables are made by a worker, in a moment; the next page tells how far it is."
            )
            return [(None, {"fields": ["name", "slug", "email"], "description": note})]
        lives = ["life", "suspensions"] if obj.is_ready else []
        doors = ["requires_second_factor", "support"]
        return [
            (None, {"fields": ["progress", *lives, "name"]}),
            *([("Who comes in", {"fields": doors})] if obj.is_ready else []),
            ("Facts", {"fields": self.shown_fields}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Agency | None = None) -> Any:
        if obj is None:
            return []
        # What can be edited would be lost when the page of an unfinished one is loaded again.
        shown = ["progress", "life", "suspensions", "support", *self.shown_fields]
        return [*shown, *([] if obj.is_ready else ["name"])]

    def get_urls(self) -> list[Any]:
        enter = self.admin_site.admin_view(partial(support.enter, self))
        name = "tenants_agency_support"
        return [
            path("<path:object_id>/support/", enter, name=name),
            *life.urls(self),
            *super().get_urls(),
        ]

    @display(description="support access")
    def support(self, agency: Agency) -> SafeString | str:
        if not agency.allows_support:
            return "Its owners have switched it off."
        address = reverse("admin:tenants_agency_support", args=[agency.pk])
        return format_html('<a href="{}">Enter with a reason</a>', address)

    @display(description="what can be done")
    def life(self, agency: Agency) -> SafeString:
        return life.links(agency)

    @display(description="suspensions")
    def suspensions(self, agency: Agency) -> SafeString | str:
        return life.suspensions(agency)

    @display(description="address")
    def address(self, agency: Agency) -> SafeString:
        return format_html('<a href="{}/">{}</a>', agency.url, agency.host)

    @display(description="state", ordering="is_active")
    def state(self, agency: Agency) -> SafeString:
        state = openings.state_of(agency)
        if state != "ready":
            return chip(*_UNFINISHED[state])
        if out_of_service := life.state_chip(agency):
            return out_of_service
        if _run(agency).quarantined_at:
            return chip("Quarantined", "bad")
        return chip("Active", "run")

    @display(description="state")
    def progress(self, agency: Agency) -> SafeString:
        opening = getattr(agency, "opening", None)
        told = _PROGRESS[openings.state_of(agency)] if opening else ""
        error = opening.error if opening else ""
        if error:
            told += " What is left of it is done again by “Try again” in the list."
        going = life.progress_of(agency)
        return format_html("{} {} {} {}", self.state(agency), told, error, going)

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

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            changes = form.changes("name", "requires_second_factor")
            change_agency(agency_id=obj.pk, changes=changes)
            return
        said = form.cleaned_data
        agency = order_agency(name=said["name"], slug=said["slug"], owner_email=said["email"])
        obj.__dict__.update(agency.__dict__)
        _ring([agency.pk])

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        told = f"{obj} is ordered. Its owner gets a mail as soon as it is ready."
        self.message_user(request, told, messages.INFO)
        return HttpResponseRedirect(reverse("admin:tenants_agency_change", args=[obj.pk]))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        response = super().render_change_form(request, context, add, change, form_url, obj)
        if obj is not None and openings.state_of(obj) in ("waiting", "making"):
            response.headers["Refresh"] = str(_REFRESH_SECONDS)
        return response

    @action(description="Try again to make the selected agencies, or to mail their owners")
    def try_again(self, request: HttpRequest, agencies: QuerySet[Agency]) -> None:
        failed = openings.try_again(agencies.values_list("pk", flat=True))
        _ring(failed)
        none = "Of none of them anything is left that failed."
        told = f"Tried again: {len(failed)}." if failed else none
        self.message_user(request, told, messages.INFO)


def _ring(agency_ids: Iterable[int]) -> None:
    """Tell a worker after the commit. Where nobody hears it, the next minute's tick does."""

    def tell() -> None:
        for agency_id in agency_ids:
            open_agency.delay(agency_id)

    transaction.on_commit(tell, robust=True)


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
