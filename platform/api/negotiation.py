"""Which of a view's formats an answer takes."""

from collections.abc import Iterable

from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AnswerAnyway(DefaultContentNegotiation):
    """`?format=`, else the Accept header, else the view's first format.

    It never refuses, since it is asked before the caller is known: a stranger is told 401, not 406.
    An unknown `format` is refused afterwards, with the other words of the query.
    """

    def select_renderer(  # type: ignore[override]
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        known = list(renderers)
        word = request.query_params.get("format")
        for renderer in known:
            if word and renderer.format == word:
                return renderer, renderer.media_type
        try:
            return super().select_renderer(request, known, format_suffix)
        except (Http404, APIException):
            return known[0], known[0].media_type
