"""Is it alive, and does it work?"""

from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that this process serves requests; it asks nothing else, and needs no credentials."""
    return HttpResponse("ok\n", content_type="text/plain")
