"""A line in the log for each request, and the id by which all of its lines are found."""

import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase

from config.logs import serving
from kernel.request import bind_request_id, is_request_id, new_request_id

logger = structlog.stdlib.get_logger("config.requests")

HEADER = "X-Request-ID"


class RequestLog:
    """Give the request its id, and tell method, route, status and duration when it is answered.

    The id is the client's own `X-Request-ID` where `TrustedProxies` has left it, else a new one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        request_id = given if is_request_id(given) else new_request_id()
        started = time.monotonic()
        bind_request_id(request_id)
        serving.set(request)
        try:
            response = self.get_response(request)
            response[HEADER] = request_id
            milliseconds = round((time.monotonic() - started) * 1000, 1)
            _tell(request, response.status_code, milliseconds)
        finally:
            # The next request of this thread is somebody else's.
            serving.set(None)
            bind_request_id("")
        return response


def _tell(request: HttpRequest, status: int, milliseconds: float) -> None:
    agency = getattr(request, "tenant", None)
    logger.info(
        "request",
        agency=agency.slug if agency else None,
        method=request.method if (request.method or "").isalpha() else None,
        route=route_of(request),
        status=status,
        ms=milliseconds,
    )


def route_of(request: HttpRequest) -> str | None:
    """Return the pattern of the request's address: the address itself may hold a secret, as a link
    to set a password does. None where no view was found."""
    match = request.resolver_match
    return f"/{match.route}" if match else None
