"""What every request passes: whom to believe about the client, how much to read, and what to say
where the database is busy.
"""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from kernel.errors import Busy
from kernel.transactions import refusal_of

RETRY_AFTER_SECONDS = 5
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


class BodyLimit:
    """Refuse a body that is too large before anything keeps it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = settings.BODY_BYTES_MAX
        if not length.isdigit() or int(length) > limit:
            _throw_away(request)
            detail = f"The body is larger than {limit // 1024 // 1024} MB."
            return JsonResponse({"detail": detail}, status=400)
        return self.get_response(request)


def _throw_away(request: HttpRequest) -> None:
    """Read on for a while and keep nothing: a client that is cut off while it still sends sees a
    broken connection instead of the answer."""
    for _ in range(_THROWN_AWAY_BYTES_MAX // _PIECE_BYTES):
        if not request.read(_PIECE_BYTES):
            return


class AnswerBusy:
    """Answer 503 where a page ran into others or out of time. (The API has a table of its own.)"""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        refusal = error if isinstance(error, Busy) else refusal_of(error)
        if refusal is None:
            return None
        response = render(request, "503.html", {"why": refusal.message}, status=503)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        add_never_cache_headers(response)
        return response
