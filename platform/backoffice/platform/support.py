"""Staff enters an agency: for a while, with a reason that its owners see."""

import logging
from typing import TYPE_CHECKING, Any

from csp.decorators import csp_update
from django import forms
from django.contrib.admin.models import CHANGE
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse

from accounts.models import User
from accounts.support import MINUTES, begin
from kernel import clock
from kernel.errors import DomainError
from tenants.models import Agency

if TYPE_CHECKING:
    from .agencies import AgenciesAdmin

logger = logging.getLogger("backoffice.support")


class SupportForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="The agency's owners read it, in the mail and on their page.",
    )
    minutes = forms.TypedChoiceField(
        label="For", coerce=int, choices=[(m, f"{m} minutes") for m in MINUTES], initial=30
    )
    may_edit = forms.BooleanField(
        label="With edits",
        required=False,
        help_text="Without it you look, and change nothing.",
    )


def enter(admin: "AgenciesAdmin", request: HttpRequest, object_id: str) -> HttpResponseBase:
    """Ask for the reason; then go over to the agency's host by a link that works once."""
    agency = admin.get_object(request, unquote(object_id))
    if not isinstance(agency, Agency):
        raise Http404
    # Browsers hold this rule against the target of a form's redirect too.
    answer: HttpResponseBase = csp_update({"form-action": [agency.url]})(_answer)(
        request, admin, agency
    )
    return answer


def _answer(request: HttpRequest, admin: "AgenciesAdmin", agency: Agency) -> HttpResponse:
    staff = request.user
    if not isinstance(staff, User) or not admin.has_change_permission(request, agency):
        raise PermissionDenied
    form = SupportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            access, link = begin(agency=agency, staff=staff, now=clock.read(), **form.cleaned_data)
        except DomainError as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            admin.log(request, [agency], CHANGE, f"Support access: {access.reason}"[:500])
            return HttpResponseRedirect(link)
    context: dict[str, Any] = {
        **admin.admin_site.each_context(request),
        "title": f"Enter {agency.name}",
        "opts": admin.opts,
        "original": agency,
        "form": form,
    }
    return TemplateResponse(request, "backoffice/support.html", context)
