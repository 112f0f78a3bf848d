"""Staff suspends an agency, resumes it, or has it exported and deleted."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import User
from campaigns.tasks import sweep_soon
from kernel import clock
from kernel.errors import DomainError
from tenants import removals
from tenants.models import Agency, Removal, Suspension
from tenants.suspensions import REASON_LENGTH_MAX, resume, suspend
from tenants.tasks import remove_agency

from ..journal import content_type_id
from ..words import NOTHING, chip, utc

if TYPE_CHECKING:
    from .agencies import AgenciesAdmin

View = Callable[["AgenciesAdmin", HttpRequest, Agency, User], HttpResponse]

_REFRESH_SECONDS = 2
_STATES = {
    "waiting": ("To be deleted", "wait", "A worker exports and deletes it within the minute."),
    "working": ("Being deleted", "wait", "A worker is exporting and deleting it."),
    "failed": ("Not deleted", "bad", "It could not be deleted, and all of it is still there."),
}


class SuspendForm(forms.Form):
    reason = forms.CharField(
        max_length=REASON_LENGTH_MAX,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="For your colleagues: they read it on the agency's page.",
    )


class RemoveForm(forms.Form):
    slug = forms.CharField(
        label="Its address",
        max_length=63,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


def urls(admin: "AgenciesAdmin") -> list[URLPattern]:
    """Return the addresses of these pages, below an agency's own."""
    pages = {"suspend": _suspend, "resume": _resume, "remove": _remove}
    return [
        path(
            f"<path:object_id>/{name}/",
            admin.admin_site.admin_view(partial(_answer, admin, view)),
            name=f"tenants_agency_{name}",
        )
        for name, view in pages.items()
    ]


def state_chip(agency: Agency) -> SafeString | None:
    """Tell that an agency is suspended or on its way out; None: it is neither."""
    removal = _removal_of(agency)
    if removal is not None:
        word, kind, _ = _STATES[removals.state_of(removal)]
        return chip(word, kind)
    return None if agency.is_active else chip("Suspended", "off")


def links(agency: Agency) -> SafeString:
    """Lead to what can be done with the agency as it is."""
    if _removal_of(agency) is not None:
        names = {"remove": "How far its deletion is"}
    elif agency.is_active:
        names = {"suspend": "Suspend it", "remove": "Export and delete it"}
    else:
        names = {"resume": "Resume it", "remove": "Export and delete it"}
    pages = [(_page(agency, name), words) for name, words in names.items()]
    return format_html_join(" · ", '<a href="{}">{}</a>', pages)


def suspensions(agency: Agency) -> SafeString | str:
    """Tell when it was suspended, by whom and why, the last first."""
    rows = [
        (
            utc(one.begun_at),
            one.begun_by_label,
            one.reason,
            f"Resumed {utc(one.ended_at)} by {one.ended_by_label}." if one.ended_at else "",
        )
        for one in Suspension.objects.filter(agency=agency)[:20]
    ]
    return format_html_join("", "<p>{} by {}: {} {}</p>", rows) or NOTHING


def _removal_of(agency: Agency) -> Removal | None:
    removal: Removal | None = getattr(agency, "removal", None)
    return removal


def _page(agency: Agency, name: str) -> str:
    return reverse(f"admin:tenants_agency_{name}", args=[agency.pk])


def _answer(
    admin: "AgenciesAdmin", view: View, request: HttpRequest, object_id: str
) -> HttpResponse:
    staff, agency = request.user, admin.get_object(request, unquote(object_id))
    if not isinstance(staff, User) or not admin.has_change_permission(request, agency):
        raise PermissionDenied
    if agency is None:
        return _gone(admin, request, object_id)
    return view(admin, request, agency, staff)


def _suspend(
    admin: "AgenciesAdmin", request: HttpRequest, agency: Agency, staff: User
) -> HttpResponse:
    form = SuspendForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            suspend(agency_id=agency.pk, reason=reason, now=clock.read(), by=staff.actor)
        except DomainError as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            admin.log(request, [agency], CHANGE, f"Suspended: {reason}")
            return _back(request, agency, f"{agency} is suspended.")
    return _show(
        admin,
        request,
        agency,
        title=f"Suspend {agency.name}",
        form=form,
        lines=[
            f"{agency.host} answers 404 to everybody, at once: sessions and keys too. Nothing"
            " sweeps it; its campaigns stay as they are until it is resumed.",
        ],
        acts=[("suspend", "Suspend it", "feared")],
    )


def _resume(
    admin: "AgenciesAdmin", request: HttpRequest, agency: Agency, staff: User
) -> HttpResponse:
    refused = ""
    if request.method == "POST":
        try:
            resume(agency_id=agency.pk, now=clock.read(), by=staff.actor)
        except DomainError as refusal:
            refused = refusal.message
        else:
            transaction.on_commit(partial(sweep_soon, agency.pk), robust=True)
            admin.log(request, [agency], CHANGE, "Resumed")
            return _back(request, agency, f"{agency} is served again.")
    return _show(
        admin,
        request,
        agency,
        title=f"Resume {agency.name}",
        refused=refused,
        lines=["It is served again, and what its campaigns missed is decided at once."],
        acts=[("resume", "Resume it", "default")],
    )


def _remove(
    admin: "AgenciesAdmin", request: HttpRequest, agency: Agency, staff: User
) -> HttpResponse:
    removal = _removal_of(agency)
    if removal is not None:
        return _progress(admin, request, agency, removal)
    form = RemoveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            removal = removals.begin_removal(
                agency_id=agency.pk,
                typed_slug=form.cleaned_data["slug"],
                now=clock.read(),
                by=staff.actor,
            )
        except DomainError as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            admin.log(request, [agency], CHANGE, "Asked to export and delete it")
            _ring(removal.pk)
            return HttpResponseRedirect(_page(agency, "remove"))
    return _show(
        admin,
        request,
        agency,
        title=f"Export and delete {agency.name}",
        form=form,
        lines=[
            "All of it goes for good: its people, keys, brands, campaigns and ledger, and its"
            " address. It is suspended at once.",
            "Before, its data is written into one file, which is kept on the server; without a"
            " whole export nothing is deleted.",
            f"To go on, type “{agency.slug}”.",
        ],
        acts=[("remove", "Export and delete it", "feared")],
    )


def _progress(
    admin: "AgenciesAdmin", request: HttpRequest, agency: Agency, removal: Removal
) -> HttpResponse:
    refused = ""
    if request.method == "POST" and "keep" in request.POST:
        try:
            removals.keep(agency_id=agency.pk)
        except DomainError as refusal:
            refused = refusal.message
        else:
            admin.log(request, [agency], CHANGE, "Kept: it is not deleted")
            return _back(request, agency, f"{agency} is kept. It is still suspended.")
    elif request.method == "POST":
        again = removals.try_again(agency.pk)
        if again is not None:
            _ring(again)
        return HttpResponseRedirect(_page(agency, "remove"))
    state = removals.state_of(removal)
    has_failed = state == "failed"
    again_act = [("try_again", "Try again", "default")] if has_failed else []
    response = _show(
        admin,
        request,
        agency,
        title=f"Deletion of {agency.name}",
        refused=refused or removal.error,
        lines=[
            _STATES[state][2],
            f"Asked for {utc(removal.asked_at)} by {removal.asked_by_label}.",
            f"Its export is written to {removal.export_path}",
        ],
        acts=[*again_act, ("keep", "Keep the agency", "")],
    )
    if not has_failed:
        response.headers["Refresh"] = str(_REFRESH_SECONDS)
    return response


def _gone(admin: "AgenciesAdmin", request: HttpRequest, object_id: str) -> HttpResponse:
    """Tell what the journal knows of an agency that was deleted."""
    told = LogEntry.objects.filter(
        object_id=unquote(object_id), content_type_id=content_type_id(Agency), action_flag=DELETION
    ).first()
    if told is None:
        raise Http404
    lines = [told.change_message, "Nothing else of it is left."]
    title = f"{told.object_repr} is deleted"
    return _show(admin, request, None, title=title, lines=lines)


def _ring(removal_id: int) -> None:
    """Tell a worker after the commit. Where nobody hears it, the next minute's tick does."""
    transaction.on_commit(lambda: remove_agency.delay(removal_id), robust=True)


def _back(request: HttpRequest, agency: Agency, told: str) -> HttpResponse:
    messages.success(request, told)
    return HttpResponseRedirect(_page(agency, "change"))


def _show(
    admin: "AgenciesAdmin", request: HttpRequest, agency: Agency | None, **shown: Any
) -> HttpResponse:
    """Show a page of `title`, `lines` of text, `form`, what was `refused`, and `acts`: buttons by
    name, words and look."""
    request.current_app = admin.admin_site.name  # type: ignore[attr-defined]
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "agency": agency,
        "subtitle": None,
        **shown,
    }
    return TemplateResponse(request, "backoffice/life.html", context)


def progress_of(agency: Agency) -> SafeString | str:
    """Tell why it is as it is, in a line."""
    removal = _removal_of(agency)
    if removal is None:
        return ""
    return format_html("{} {}", _STATES[removals.state_of(removal)][2], removal.error)
