"""Cells of files that people open in a spreadsheet."""

import re
from decimal import Decimal

# What a spreadsheet would take for the start of a formula, also behind blanks and in the wide forms
# of East Asian keyboards; a negative number is none.
_FORMULA = re.compile(r"[\s\0\ufeff\u200b]*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")


def cell(value: object) -> str:
    """Write one cell; a text that a spreadsheet would run as a formula gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        # Without an exponent.
        return f"{value:f}"
    text = str(value)
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
