"""Signed tokens: each is valid for one purpose, in the schema in which it was made.

Row numbers repeat in every agency's schema, and all agencies share one SECRET_KEY. So the salt of
every signature names the purpose and the schema, and `digest` binds a token to the facts that must
still hold when it is used.
"""

import json
from typing import Any

from django.core import signing
from django.db import connection
from django.utils.crypto import salted_hmac


class BadToken(ValueError):
    """The token was not made here for this purpose, or it is too old."""


def salt(purpose: str) -> str:
    """Return the salt for signatures of `purpose` in the current schema."""
    schema_name: str = connection.schema_name  # type: ignore[attr-defined]
    assert schema_name, "a token belongs to an agency, or to the platform"
    return f"paceline.{purpose}.{schema_name}"


def sign(purpose: str, value: Any) -> str:
    """Return a token with a JSON value, signed for `purpose` in the current schema."""
    return signing.dumps(value, salt=salt(purpose))


def read(purpose: str, token: str, *, age_seconds_max: int | None = None) -> Any:
    """Return the value of a token that `sign` made for `purpose` in this schema.

    Raises BadToken, also for a token older than `age_seconds_max` seconds.
    """
    try:
        return signing.loads(token, salt=salt(purpose), max_age=age_seconds_max)
    except (signing.BadSignature, ValueError) as error:
        raise BadToken(str(error)) from None


def digest(purpose: str, *facts: object) -> str:
    """Return a keyed hash of facts, which a token carries without showing them."""
    told = json.dumps([str(fact) for fact in facts])
    return salted_hmac(salt(purpose), told, algorithm="sha256").hexdigest()
