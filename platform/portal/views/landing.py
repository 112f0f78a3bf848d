"""The platform's own page: what Paceline is, and the way to one's agency. It lists nobody."""

import re

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from tenants.queries import agency_by_slug

from ..params import text_in


@require_safe
def landing(request: HttpRequest) -> HttpResponseBase:
    """Tell what Paceline is; lead to the agency whose address was typed in."""
    # Browsers hold this rule against the target of a form's redirect too.
    agencies = f"{settings.PACELINE_SCHEME}://*.{domain()}"
    answer: HttpResponseBase = csp_update({"form-action": [agencies]})(_answer)(request)
    return answer


def domain() -> str:
    """Return what stands behind an agency's label in its address."""
    return f"{settings.PACELINE_BASE_DOMAIN}{settings.PACELINE_PORT_SUFFIX}"


def _answer(request: HttpRequest) -> HttpResponse:
    text = text_in(request, "agency", length_max=300)
    slug = slug_of(text)
    if slug:
        agency = agency_by_slug(slug)
        if agency is not None and agency.is_active:
            return redirect(f"{agency.url}/")
    context = {
        "text": text,
        "is_unknown": bool(text),
        "domain": domain(),
        "has_sign_up": settings.SIGN_UP,
    }
    return render(request, "portal/landing.html", context)


def slug_of(text: str) -> str:
    """Return the label that a person means by `acme`, `acme.paceline.example` or a pasted URL."""
    host = re.sub(r"^[a-z]+://", "", text.strip().lower())
    host = re.split(r"[/:?#]", host, maxsplit=1)[0]
    return host.removesuffix(f".{settings.PACELINE_BASE_DOMAIN}")[:63]
