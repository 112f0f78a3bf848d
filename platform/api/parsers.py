"""Bodies, whole: and JSON as RFC 8259 has it, with nothing that PostgreSQL could not store
afterwards.
"""

import json
import threading
import time
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any

from django.http import UnreadablePostError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

# The deepest body that means something: a campaign with its list of holds, sent back by a PUT.
DEPTH_MAX = 8
# More fields than any body and any row has; what has more is refused before any of them is read.
FIELDS_MAX = 200
# A batch of 10,000 rows with all of their fields has fewer.
FIELDS_IN_ALL_MAX = 120_000
_LARGE_CHARACTERS = 1024 * 1024
_large = threading.Lock()


def read_body(stream: IO[Any], parser_context: Mapping[str, Any]) -> bytes:
    """Return the body whole. Raises ParseError for one that was cut off on its way.

    Half of a file can be a file: only its announced length tells.
    """
    try:
        body: bytes = stream.read()
    except UnreadablePostError:
        body = b""
    request = parser_context.get("request")
    announced = request.META.get("CONTENT_LENGTH") if request is not None else None
    if len(body) < int(announced or 0):
        raise ParseError("The body ended before its announced length.")
    return body


class StrictJSONParser(BaseParser):
    """An object in UTF-8 without NaN, duplicate names, NUL characters or halves of surrogates.

    Numbers with a point are read as Decimal: an amount must not pass through a float.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        try:
            text = read_body(stream, parser_context or {}).decode("utf-8")
            body = _load(text)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is no valid JSON: {_why(error)}.") from None
        if not isinstance(body, dict):
            raise ParseError('The body must be a JSON object: {"name": …}.')
        # JSON has no other way to write what a text can't contain.
        _check(body, has_escapes="\\u" in text)
        return body


def _load(text: str) -> Any:
    """Read JSON; one large text at a time, with a rest after it.

    The interpreter can't be had meanwhile: others of this process would wait for each of them.
    """
    if len(text) < _LARGE_CHARACTERS:
        return _read(text)
    if text.count('":') > FIELDS_IN_ALL_MAX:
        raise ValueError(f"it has more than {FIELDS_IN_ALL_MAX:,} fields")
    with _large:
        began = time.perf_counter()
        try:
            return _read(text)
        finally:
            time.sleep(time.perf_counter() - began)


def _read(text: str) -> Any:
    return json.loads(
        text,
        parse_float=_number,
        parse_int=_whole,
        parse_constant=_no_number,
        object_pairs_hook=_object,
    )


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not in UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    # Only the place, or our own sentence: the text itself is the caller's, of any length.
    return str(error)[:200].rstrip(".")


# Python reads larger ones slowly, and beyond some thousand digits not at all.
_WHOLE_DIGITS_MAX = 40


def _number(text: str) -> Decimal:
    """Read a number; one whose exponent no Decimal can hold is none, which its field refuses."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= _WHOLE_DIGITS_MAX else Decimal(text)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > FIELDS_MAX:
        raise ValueError(f"an object has more than {FIELDS_MAX} fields")
    body = dict(pairs)
    if len(body) < len(pairs):
        raise ValueError("a name comes twice in one object")
    return body


def _check(body: dict[str, Any], *, has_escapes: bool) -> None:
    """Walk the body without recursion; raise ParseError for what can't be stored or shown."""
    level: list[Any] = [body]
    for _ in range(DEPTH_MAX):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                if has_escapes:
                    inner += value.keys()
                inner += value.values()
            elif isinstance(value, list):
                inner += value
            elif has_escapes and isinstance(value, str):
                _check_text(value)
        if not inner:
            return
        level = inner
    raise ParseError("The body is nested too deeply.")


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ParseError("A text can't contain the character NUL.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ParseError("A text can't contain half of a surrogate pair.") from None
