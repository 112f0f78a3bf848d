"""Amounts as people and their spreadsheets write them. One that could be two numbers is refused."""

import re
import unicodedata
from decimal import Decimal
from typing import Literal

from .errors import InvalidValue
from .tables import DASHES

DecimalMark = Literal[".", ","]
_LENGTH_MAX = 40
_ALIKE = str.maketrans(
    {
        "\N{NO-BREAK SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": " ",
        "\N{THIN SPACE}": " ",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{MINUS SIGN}": "-",
    }
)
_PLAIN = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,2})?")


def _shape(decimal: str, thousands: str) -> re.Pattern[str]:
    """Return what a number looks like that is written with these two marks."""
    point, mark = re.escape(decimal), re.escape(thousands)
    # A lone zero is no group of thousands: 0,123 is a fraction.
    whole = rf"(?!0{mark})[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+"
    if thousands == ",":
        # India groups by lakh and crore: 12,34,567.
        whole += r"|(?!0,)[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"
    return re.compile(rf"[-+]?(?:(?:{whole}|[0-9]+)(?:{point}[0-9]+)?|{point}[0-9]+)")


# Every notation in use: its mark before the decimals, its mark between thousands, its shape.
_NOTATIONS = [
    (decimal, thousands, _shape(decimal, thousands))
    for decimal, thousands in (".,", ". ", ".'", ",.", ", ", ",'")
]


def read_amount(text: str, *, decimal_mark: DecimalMark | None = None) -> Decimal:
    """Return the number that a cell holds; a lone dash, which stands for nothing, is zero.

    Thousands may be parted by comma, point, blank or apostrophe. `1,234` and `1.234` are 1234 to
    some and 1.234 to others: unless `decimal_mark` says which mark the decimals have, they are
    refused. Raises InvalidValue.
    """
    written = text.strip()
    if written in DASHES:
        return Decimal(0)
    if decimal_mark != "," and _PLAIN.fullmatch(written):
        return Decimal(written)
    readings = _readings(written, decimal_mark) if len(written) <= _LENGTH_MAX else set()
    if len(readings) > 1:
        low, high = sorted(readings, key=abs)
        raise InvalidValue(
            f"{written!r} could be {high} or {low}: write {high}.00 or {low}0, or say which mark"
            " stands before the decimals."
        )
    if not readings:
        raise InvalidValue(_objection(written))
    return readings.pop()


def _readings(written: str, decimal_mark: DecimalMark | None) -> set[Decimal]:
    """Return every number that the text is in one notation or another."""
    plain = written.translate(_ALIKE)
    return {
        Decimal(plain.replace(thousands, "").replace(decimal, "."))
        for decimal, thousands, shape in _NOTATIONS
        if decimal_mark in (None, decimal) and shape.fullmatch(plain)
    }


def _objection(written: str) -> str:
    shown = written if len(written) <= _LENGTH_MAX else f"{written[:_LENGTH_MAX]}…"
    has_digits = any(sign.isdigit() for sign in written)
    if has_digits and any(unicodedata.category(sign) in ("Sc", "Lu", "Ll") for sign in written):
        return f"{shown!r} is no amount: write the number alone, without currency or unit."
    return f"{shown!r} is no amount."
