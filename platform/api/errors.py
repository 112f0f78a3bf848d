"""The one table from refusals to HTTP statuses, and the one shape of their bodies.

A body is `{"field": ["sentence"]}` where a field is to blame, else `{"detail": "sentence"}`.
"""

import logging
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, SuspiciousOperation
from django.db import IntegrityError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from kernel.errors import (
    Busy,
    Conflict,
    DomainError,
    InvalidValue,
    NameTaken,
    NotAllowed,
    NotFound,
)
from kernel.transactions import refusal_of

logger = logging.getLogger(__name__)

STATUSES: dict[type[DomainError], int] = {
    InvalidValue: 400,
    NameTaken: 400,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    Busy: 503,
}
RETRY_SECONDS = 1


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to a refusal; None for our own mistakes, which are a 500 and logged."""
    refused = refusal(error)
    if refused is not None:
        status, body = refused
        return Response(body, status, headers=_retry(status))
    response = exception_handler(_as_api_exception(error), context)
    if response is not None:
        response.data = _body(response.data)
    return response


def refusal(error: Exception) -> tuple[int, dict[str, Any]] | None:
    """Return the status and the body of a refusal; None for our own mistakes."""
    error = refusal_of(error) or error
    if isinstance(error, DomainError):
        return _status(error), (
            {error.field: [error.message]} if error.field else {"detail": error.message}
        )
    # What was found before the lock was had is gone after it; the row before the lock is no more.
    if isinstance(error, ObjectDoesNotExist):
        return 404, {"detail": "It is not here any more."}
    if isinstance(error, IntegrityError):
        logger.warning("A write contradicted another one.", exc_info=error)
        return 409, {"detail": "Somebody else changed the same things. Look again, and retry."}
    return None


def _status(error: DomainError) -> int:
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 400)


def _retry(status: int) -> dict[str, str]:
    return {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}


def _as_api_exception(error: Exception) -> Exception:
    # Django's own refusals of a request: too many parameters, a broken multipart body.
    if isinstance(error, SuspiciousOperation | MultiPartParserError):
        return exceptions.ParseError("The request can't be read.")
    return error


def _body(data: Any) -> dict[str, Any]:
    if isinstance(data, list):
        return {"detail": " ".join(str(sentence) for sentence in data)}
    if "non_field_errors" in data:
        rest = {field: why for field, why in data.items() if field != "non_field_errors"}
        return {"detail": " ".join(str(why) for why in data["non_field_errors"])} | rest
    return dict(data)
