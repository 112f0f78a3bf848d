"""Pages of a list, and the feed that is read on from a cursor."""

import re
from collections.abc import Sequence
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination, PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from trail.queries import CURSOR_MAX, page_of

PAGE_SIZE = 50
PAGE_SIZE_MAX = 1000


def page_size(request: Request) -> int:
    """Return how many rows are asked for, 1,000 at most. Raises ValidationError."""
    word = request.query_params.get("page_size", "")
    if word == "":
        return PAGE_SIZE
    if not re.fullmatch(r"[0-9]{1,9}", word) or int(word) == 0:
        sentence = f"How many rows a page has: 1 to {PAGE_SIZE_MAX}."
        raise ValidationError({"page_size": [sentence]})
    return min(int(word), PAGE_SIZE_MAX)


class NumberedPages(PageNumberPagination):
    """`?page=2&page_size=100`, with `count`, `next`, `previous` and `results`."""

    # The words of the query that are the pages' own.
    words = frozenset({"page", "page_size"})
    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = PAGE_SIZE_MAX
    page_size_query_description = f"How many rows a page has, {PAGE_SIZE_MAX} at most."
    invalid_page_message = "There is no such page."

    def get_page_size(self, request: Request) -> int:
        return page_size(request)

    def get_page_number(self, request: Request, paginator: Any) -> int:
        word = request.query_params.get("page", "") or "1"
        if not re.fullmatch(r"[0-9]{1,9}", word) or int(word) == 0:
            raise ValidationError({"page": ["A page is a number, from 1."]})
        return int(word)


class Feed(BasePagination):
    """Rows in the order of their ids, after a cursor: nothing is skipped, nothing comes twice.

    The cursor is the id of the last row that was read; callers keep it as it is.
    """

    words = frozenset({"after", "page_size"})

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        after = request.query_params.get("after", "")
        if not re.fullmatch(r"[0-9]{0,19}", after) or int(after or 0) > CURSOR_MAX:
            sentence = "No cursor of this feed: take it from `next` of an earlier answer."
            raise ValidationError({"after": [sentence]})
        size = page_size(request)
        rows = list(queryset.filter(id__gt=int(after or 0)).order_by("id")[: size + 1])
        self.has_more = len(rows) > size
        self.next = str(rows[:size][-1].id) if rows else after or "0"
        return rows[:size]

    def get_paginated_response(self, data: Sequence[Any]) -> Response:
        return Response({"results": data, "next": self.next, "has_more": self.has_more})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["results", "next", "has_more"],
            "properties": {
                "results": schema,
                "next": {
                    "type": "string",
                    "description": "The cursor to ask with as `after` the next time.",
                },
                "has_more": {
                    "type": "boolean",
                    "description": "Whether more rows wait: ask again at once.",
                },
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        after = "The `next` of an earlier answer; without it, from the beginning."
        size = f"How many rows at once, {PAGE_SIZE_MAX} at most."
        return [
            _parameter("after", "string", after),
            _parameter("page_size", "integer", size),
        ]


class Backwards(BasePagination):
    """The trail from its newest entry back, by a cursor: what is added meanwhile shifts no page."""

    words = frozenset({"cursor", "page_size"})

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        cursor = request.query_params.get("cursor", "")
        if not re.fullmatch(r"[0-9]{0,19}", cursor) or int(cursor or 0) > CURSOR_MAX:
            sentence = "No cursor of the trail: take it from `next` of an earlier answer."
            raise ValidationError({"cursor": [sentence]})
        before = int(cursor) if cursor else None
        rows, self.next = page_of(queryset, before=before, size=page_size(request))
        return rows

    def get_paginated_response(self, data: Sequence[Any]) -> Response:
        return Response({"results": data, "next": None if self.next is None else str(self.next)})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {
                "results": schema,
                "next": {
                    "type": "string",
                    "nullable": True,
                    "description": "The `cursor` of what is older; null: there is no more.",
                },
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        cursor = "The `next` of an earlier answer; without it, from the newest."
        size = f"How many rows at once, {PAGE_SIZE_MAX} at most."
        return [
            _parameter("cursor", "string", cursor),
            _parameter("page_size", "integer", size),
        ]


def _parameter(name: str, kind: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": kind},
    }
