"""The host names the agency; a host that nobody serves is a 404 without a hint."""

import json
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import DatabaseError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotFound,
)

from kernel.transactions import refusal_of

from .contexts import platform_context, tenant_context
from .models import Agency, Domain


class AgencyFromHost:
    """Enter the context of the agency that the host names, for the length of the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            host = request.get_host().rsplit(":", 1)[0].removesuffix(".").lower()
        except DisallowedHost:
            return _nobody_here()
        if host == settings.PACELINE_BASE_DOMAIN:
            request.urlconf = settings.PUBLIC_SCHEMA_URLCONF  # type: ignore[attr-defined]
            with platform_context():
                return self.get_response(request)
        try:
            with platform_context():
                agency = find_agency(host)
        except DatabaseError as error:
            return _refused(error)
        if agency is None:
            return _nobody_here()
        request.tenant = agency  # type: ignore[attr-defined]
        with tenant_context(agency):
            return self.get_response(request)


def find_agency(host: str) -> Agency | None:
    """Return the active agency served on `host`; call it on the platform's schema."""
    names = [host] if "." in host else []
    label, _, rest = host.partition(".")
    if rest == settings.PACELINE_BASE_DOMAIN:
        names.append(label)
    found = (
        Domain.objects.filter(domain__in=names, tenant__is_active=True, tenant__is_ready=True)
        .select_related("tenant")
        .first()
    )
    if found is None:
        return None
    agency: Agency = found.tenant
    return agency


def _refused(error: DatabaseError) -> HttpResponse:
    """Answer 503 where the database is away; raise what is anything else."""
    refusal = refusal_of(error)
    if refusal is None:
        raise error
    body = json.dumps({"detail": refusal.message})
    response = HttpResponse(body, content_type="application/json", status=503)
    response["Retry-After"] = "5"
    return response


def _nobody_here() -> HttpResponse:
    return HttpResponseNotFound("Not found.\n", content_type="text/plain")
