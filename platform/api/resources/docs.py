"""The description of this API: OpenAPI, and Swagger on top of it."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..negotiation import AnswerAnyway


@cache
def description() -> dict[str, Any]:
    """Return the OpenAPI description: of the code, so the same for every agency and caller."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


class SchemaView(APIView):
    """The OpenAPI description as YAML, or as JSON (`?format=json`). It needs no credentials."""

    schema = None
    authentication_classes = []
    permission_classes = []
    content_negotiation_class = AnswerAnyway
    renderer_classes = SpectacularAPIView.renderer_classes

    def get(self, request: Request) -> Response:
        return Response(description())


class DocsView(SpectacularSwaggerSplitView):
    """Swagger, from the package's own files; page and script apart, as the site's CSP wants it."""

    content_negotiation_class = AnswerAnyway
    template_name = "api/docs.html"
