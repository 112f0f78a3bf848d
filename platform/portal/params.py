"""Read query parameters; what can't be understood is as good as absent, and never an error."""

from datetime import date
from uuid import UUID

from django.http import HttpRequest

_YEARS = range(1970, 2200)
_PAGE_MAX = 100_000


def text_in(request: HttpRequest, name: str, *, length_max: int = 100) -> str:
    """Return a word to search for, without the NUL that PostgreSQL refuses."""
    return request.GET.get(name, "").replace("\0", "").strip()[:length_max]


def id_in(request: HttpRequest, name: str) -> UUID | None:
    try:
        return UUID(request.GET.get(name, ""))
    except ValueError:
        return None


def cursor_in(request: HttpRequest, name: str) -> int | None:
    """Return the id of a row after which a page begins."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def page_in(request: HttpRequest, name: str = "page") -> int:
    """Return a page's number, from 1."""
    text = request.GET.get(name, "")
    # Long rows of digits are slow to read, and no page has such a number.
    if not (text.isascii() and text.isdigit()) or len(text) > 6:
        return 1
    return min(max(1, int(text)), _PAGE_MAX)


def day_in(request: HttpRequest, name: str) -> date | None:
    try:
        day = date.fromisoformat(request.GET.get(name, ""))
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def month_in(request: HttpRequest, name: str = "month") -> date | None:
    """Return the first day of the month that is written as `2026-03`."""
    text = request.GET.get(name, "")
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return month if month.year in _YEARS and len(text) == 7 else None
