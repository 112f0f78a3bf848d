"""`Idempotency-Key`: a POST that is sent again with its key runs once, and is answered the same.

A key is its caller's own, and a route's: another caller, another route or another agency may use
the same word for something else.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.http import HttpResponse, UnreadablePostError
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.request import Request

from accounts.access import Access
from accounts.roles import Right
from budgets.locked import noting_locked_brands
from kernel.actor import Actor
from kernel.errors import InvalidValue, NotAllowed, NotFound
from kernel.transactions import atomic
from tenants.contexts import current_agency

from .models import RememberedAnswer
from .permissions import refusal

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY_LENGTH_MAX = 255
KEPT_DAYS = 30
RETRY_SECONDS = 1
# Those of an answer's headers that the handler chose; the others are of the response at hand.
_KEPT_HEADERS = ("Content-Type", "Location")


class StillRunning(APIException):
    """The first request with this key has not been answered yet."""

    status_code = 409
    wait = RETRY_SECONDS  # DRF's name for Retry-After.

    def __init__(self) -> None:
        super().__init__(
            {HEADER: ["The first request with this key is still running: try again in a moment."]}
        )


@dataclass(frozen=True, slots=True)
class Reach:
    """What the caller may see and do now, and the rights that the handler has asked for so far."""

    access: Access
    rights_needed: set[Right]

    def check(self, kept: RememberedAnswer) -> None:
        """Raise NotFound or NotAllowed unless the caller may be told a kept answer now."""
        for right in map(Right, kept.rights or ()):
            if not self.access.may(right):
                raise NotAllowed(refusal(right))
        is_seen = not self.access.is_limited or (
            kept.brand_ids is not None and all(map(self.access.sees, kept.brand_ids))
        )
        if not is_seen:
            raise NotFound("There is no such brand.")

    def brands_of_answer(self, locked: set[UUID]) -> list[UUID] | None:
        """Return the brands that an answer is about by those that were locked for it; None: any.

        Where none was locked, it may be about whatever the caller sees.
        """
        seen = locked or self.access.brand_ids
        return None if seen is None else sorted(seen)


class KeyOfAnother(ValidationError):
    """The key belongs to a request that said something else."""

    status_code = 422

    def __init__(self) -> None:
        super().__init__(
            {HEADER: ["This key was sent with another body before: a new request wants a new key."]}
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """That a request is the one of `key`; `request_hash` is over all that it says."""

    by: Actor
    route: str
    key: str
    request_hash: str

    @property
    def lock(self) -> int:
        """Return the 64-bit number of the claim's advisory lock: they are the database's, not the
        schema's, so the agency is in it."""
        words = [current_agency().schema_name, self.by.kind, self.by.id, self.route, self.key]
        digest = hashlib.sha256("\0".join(words).encode()).digest()
        return int.from_bytes(digest[:8], signed=True)


def hold_body(request: Request) -> None:
    """Hold the bytes of a body that comes with a key, before a parser reads them away: the check of
    a session's CSRF token already parses. Raises ParseError for a body that ends too early.
    """
    if HEADER not in request.headers:
        return
    try:
        _ = request.body
    except UnreadablePostError:
        raise ParseError("The body ended before its announced length.") from None


def read_claim(request: Request, *, by: Actor) -> Claim | None:
    """Return what the request's key claims, or None where it carries no key.

    `hold_body` has been called before. Raises InvalidValue for a key that is none.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not (0 < len(key) <= KEY_LENGTH_MAX and key.isascii() and key.isprintable()):
        raise InvalidValue(
            f"A key has 1 to {KEY_LENGTH_MAX} printable ASCII characters.", field=HEADER
        )
    return Claim(by, f"{request.method} {request.path}", key, _hash(request))


def _hash(request: Request) -> str:
    kind, query = (request.META.get(name, "") for name in ("CONTENT_TYPE", "QUERY_STRING"))
    # No header can contain NUL, so no two requests are joined to the same bytes.
    said = b"\0".join([kind.encode(), query.encode(), request.body])
    return hashlib.sha256(said).hexdigest()


@atomic
def answer_once(
    claim: Claim, answer: Callable[[], HttpResponse], *, reach: Reach, now: datetime
) -> HttpResponse:
    """Return the first answer to the claim: the one kept, or else the one that `answer` gives now.

    What `answer` does and the memory of it are one transaction, so a crash leaves both or neither.
    Nothing is kept of a refusal, raised or returned. `answer` returns a rendered response, and may
    be called again after a rollback. Raises StillRunning and KeyOfAnother; NotFound and NotAllowed
    where the caller may not be told the kept answer any more.
    """
    # The first of all locks. It is tried, never waited for: a request can't stand in a queue of its
    # own repetitions, nor in a deadlock.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [claim.lock])
        (is_ours,) = cursor.fetchone()
    if not is_ours:
        raise StillRunning
    # A statement of its own: it sees what the lock's last owner has committed.
    kept = RememberedAnswer.objects.filter(
        by_kind=claim.by.kind, by_id=claim.by.id, route=claim.route, key=claim.key
    ).first()
    if kept is not None:
        return _replay(kept, claim, reach)
    with noting_locked_brands() as locked:
        response = answer()
    if 200 <= response.status_code < 300:
        _remember(claim, response, reach, locked, now=now)
    else:
        transaction.set_rollback(True)
    return response


def _replay(kept: RememberedAnswer, claim: Claim, reach: Reach) -> HttpResponse:
    if kept.request_hash != claim.request_hash:
        raise KeyOfAnother
    reach.check(kept)
    response = HttpResponse(bytes(kept.body), status=kept.status)
    del response["Content-Type"]  # Django's default; an answer without a body has none.
    for name, value in kept.headers.items():
        response[name] = value
    response[REPLAYED] = "true"
    return response


def _remember(
    claim: Claim, response: HttpResponse, reach: Reach, locked: set[UUID], *, now: datetime
) -> None:
    RememberedAnswer.objects.create(
        by_kind=claim.by.kind,
        by_id=claim.by.id,
        route=claim.route,
        key=claim.key,
        request_hash=claim.request_hash,
        status=response.status_code,
        headers={name: response[name] for name in _KEPT_HEADERS if name in response},
        body=response.content,
        brand_ids=reach.brands_of_answer(locked),
        rights=sorted(reach.rights_needed),
        created_at=now,
    )


def forget_answers(*, now: datetime) -> int:
    """Delete the agency's answers that are older than 30 days; return how many."""
    # django-tenants listens to every deletion, for which the ORM would read each answer first.
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM api_rememberedanswer WHERE created_at < %s",
            [now - timedelta(days=KEPT_DAYS)],
        )
        return cursor.rowcount
