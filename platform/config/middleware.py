"""What every request passes: whom to believe about the client, how much to read, how answers are
guarded, and what to say where the database is busy.
"""

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    UnreadablePostError,
)
from django.middleware.security import SecurityMiddleware
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from accounts.adapter import agency_here
from accounts.models import User
from api.errors import refusal
from api.limits import TooManyRequests, count_request
from kernel.deadlines import within
from serving.server import IS_REFUSED

RETRY_AFTER_SECONDS = 5
_FULL = "Many requests of this agency are running or waiting. Try again in a few seconds."
_PIECE_BYTES = 64 * 1024
_THROWN_AWAY_BYTES_MAX = 64 * 1024 * 1024
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class TrustedProxies:
    """Believe X-Forwarded-For and -Proto and X-Request-ID from `TRUSTED_PROXIES` only; forget them
    from anybody else.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.networks = settings.TRUSTED_PROXIES

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        meta = request.META
        forwarded_for = meta.pop("HTTP_X_FORWARDED_FOR", "")
        forwarded_proto = meta.pop("HTTP_X_FORWARDED_PROTO", "")
        meta.pop("HTTP_X_FORWARDED_HOST", None)
        if self._is_trusted(meta.get("REMOTE_ADDR", "")):
            hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
            # The right-most hop that no proxy of ours is: what stands left of it anybody can write.
            while hops and self._is_trusted(hops[-1]):
                hops.pop()
            if hops:
                meta["REMOTE_ADDR"] = hops[-1]
            if forwarded_proto in ("http", "https"):
                meta["wsgi.url_scheme"] = forwarded_proto
        else:
            meta.pop("HTTP_X_REQUEST_ID", None)
        return self.get_response(request)

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)


class GuardedAnswers(SecurityMiddleware):
    """Put the headers that guard an answer on all of them: refusals, failures, static files.

    Django's own stands behind the one that knows the host, since it also redirects there.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Lead nobody anywhere: the host may be forged."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        super().process_response(request, response)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        return response


class OriginByReferer:
    """Where a browser tells no Origin, take what else it tells of the page that sends something.

    Django holds a Referer against the host under https only. Over http, as on one's own machine, a
    neighbour's page could set a cookie for all hosts and send the token that fits it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_ORIGIN" not in request.META and (origin := _told_origin(request)):
            request.META["HTTP_ORIGIN"] = origin
        return self.get_response(request)


def _told_origin(request: HttpRequest) -> str:
    if request.headers.get("Sec-Fetch-Site", "") in ("same-site", "cross-site"):
        return "null"
    referer = request.headers.get("Referer", "")
    try:
        page = urlsplit(referer)
    except ValueError:
        return "null"
    return f"{page.scheme}://{page.netloc}" if referer else ""


class BodyLimit:
    """Refuse a body that is too large, or of unknown length, before anything keeps it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = settings.BODY_BYTES_MAX
        if "HTTP_TRANSFER_ENCODING" in request.META:
            # Django would read nothing of it, and take that for an empty body.
            detail = "Send the body whole, with its Content-Length, not in chunks."
            return JsonResponse({"detail": detail}, status=411)
        if not _is_within(length, limit):
            _throw_away(request)
            detail = f"The body is larger than {limit // 1024 // 1024} MB."
            return JsonResponse({"detail": detail}, status=400)
        return self.get_response(request)


def _is_within(length: str, limit: int) -> bool:
    # Long rows of digits are slow to read, and no limit has as many.
    return length.isascii() and length.isdigit() and len(length) < 19 and int(length) <= limit


def _throw_away(request: HttpRequest) -> None:
    """Read on for a while and keep nothing: a client that is cut off while it still sends sees a
    broken connection instead of the answer."""
    with suppress(UnreadablePostError):
        for _ in range(_THROWN_AWAY_BYTES_MAX // _PIECE_BYTES):
            if not request.read(_PIECE_BYTES):
                return


class RefuseWhereFull:
    """Answer 503 at once to a request for which the web server has no room: its agency's share of
    the threads is held by requests that stand still, or its answers pile up unread.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if IS_REFUSED not in request.META:
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return retry_later(JsonResponse({"detail": _FULL}, status=503))
        return _busy_page(request, _FULL)


class Deadline:
    """End a request that goes on for too long, at its next statement."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with within(settings.REQUEST_SECONDS_MAX):
            return self.get_response(request)


class CountPages:
    """Count the pages of people who are logged in by the limits of the API, which counts its own
    requests when it knows their key. Strangers are not counted: they could use a minute up.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Who asks costs a statement: asked only where there may be somebody.
        is_known = settings.SESSION_COOKIE_NAME in request.COOKIES and agency_here() is not None
        if not is_known or request.path.startswith("/api/"):
            return self.get_response(request)
        try:
            if isinstance(request.user, User):
                count_request(request.user)
        except TooManyRequests as refused:
            context = {"why": str(refused.detail)}
            response = render(request, "429.html", context, status=refused.status_code)
            response["Retry-After"] = str(refused.wait)
            add_never_cache_headers(response)
            return response
        except Exception as error:
            # Django asks `process_exception` of what views raise only.
            if (answer := _refused_page(request, error)) is None:
                raise
            return answer
        return self.get_response(request)


class AnswerRefusals:
    """Answer what a service refused on a page that has no form to show it on, or that ran into
    others or out of time, with the API's status and in its sentence.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return _refused_page(request, error)


def _refused_page(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Return the page that tells of a refusal; None for our own mistakes."""
    is_read = request.method in ("GET", "HEAD")
    if is_read and isinstance(error, IntegrityError | ObjectDoesNotExist):
        # What somebody else changed meanwhile stands in the way of a write alone.
        return None
    refused = refusal(error)
    if refused is None:
        return None
    status, body = refused
    why = " ".join(" ".join(said) if isinstance(said, list) else said for said in body.values())
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return _busy_page(request, why)
    response = render(request, "refused.html", {"why": why}, status=status)
    add_never_cache_headers(response)
    return response


def _busy_page(request: HttpRequest, why: str) -> HttpResponse:
    return retry_later(render(request, "503.html", {"why": why}, status=503))


def retry_later(response: HttpResponse) -> HttpResponse:
    """Say when to try again, and that this answer is nobody's to keep."""
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    add_never_cache_headers(response)
    return response
