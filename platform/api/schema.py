"""The OpenAPI description, made from the views: filters, refusals and log-in included."""

import inspect
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from .bodies import Problem
from .idempotency import HEADER, KEPT_DAYS, KEY_LENGTH_MAX, REPLAYED

REFUSALS = {
    400: "A field, a filter or the body itself can't be accepted.",
    401: "No credentials, or ones that are not valid (any more).",
    403: "The role does not include this, or a session's CSRF token is missing.",
    404: "There is no such thing in this agency.",
    405: "This is never done; the sentence says what to do instead.",
    409: "It contradicts what is stored.",
    415: "The body is not application/json.",
    429: "Too many requests in a minute. Try again after Retry-After seconds.",
    503: "Somebody else holds the lock. Try again after Retry-After seconds.",
}
# What these mean besides, where something is posted.
_REFUSALS_OF_POST = {
    409: f"It contradicts what is stored; or the first request with the {HEADER} is still running:"
    " try again after Retry-After seconds.",
    422: f"The {HEADER} was sent with another body before; or rows of a batch can't be accepted.",
}
_PARAMETERS_OF_POST = [
    OpenApiParameter(
        HEADER,
        {
            "type": "string",
            "minLength": 1,
            "maxLength": KEY_LENGTH_MAX,
            "pattern": "^[ -~]+$",
        },
        OpenApiParameter.HEADER,
        description="A word of the caller's own. Sent again with it within"
        f" {KEPT_DAYS} days, the same request is not run again, and gets the first answer.",
    ),
    OpenApiParameter(
        REPLAYED,
        {"type": "string", "enum": ["true"]},
        OpenApiParameter.HEADER,
        description=f"This is the first answer to the {HEADER}, again.",
        response=[200, 201],
    ),
]
_ROW_ERROR = {
    "type": "object",
    "description": "What is wrong with a row of a batch, which is named by its index.",
    "properties": {
        "row": {"type": "integer"},
        "field": {"type": "string"},
        "message": {"type": "string"},
    },
}
_VERBS = {
    "create": "Make a {}",
    "retrieve": "Show a {}",
    "update": "Replace a {}",
    "partial_update": "Change a {}",
    "destroy": "Remove a {}",
}


class ApiSchema(AutoSchema):
    """Reads a view's `filters`, `answers` and `what`, and adds the refusals that it may give."""

    @property
    def _action(self) -> str:
        """The handler's name, as `answers` has it; `list` for the GET of a view without actions."""
        handler = "list" if self.method == "GET" else str(self.method).lower()
        return getattr(self.view, "action", None) or handler

    def get_override_parameters(self) -> list[Any]:
        filters = self.view.filters()
        asked = [filters] if self._action in ("list", "post") and filters.fields else []
        return asked + (_PARAMETERS_OF_POST if self.method == "POST" else [])

    def get_response_serializers(self) -> Any:
        return self.view.answers.get(self._action) or super().get_response_serializers()

    def get_summary(self) -> str | None:
        what = getattr(self.view, "what", None)
        if what is None:
            return str(self.view.summary)
        return _VERBS.get(self._action, "List every {}").format(what)

    def get_description(self) -> str:
        return inspect.getdoc(type(self.view)) or ""

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        name: str = super().get_serializer_name(serializer, direction)
        return name.removesuffix("Body")

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        for answer in operation["responses"].values():
            table = answer.get("content", {}).get("text/csv")
            if table:
                table["schema"] = {"type": "string"}
        problem = self.resolve_serializer(Problem, "response").ref
        told = REFUSALS | (_REFUSALS_OF_POST if self.method == "POST" else {})
        for status in self._refusals():
            operation["responses"][str(status)] = {
                "description": told[status],
                "content": {"application/json": {"schema": problem}},
            }
        return operation

    def _refusals(self) -> list[int]:
        found = {400, 401, 403, 429}
        if self.method != "GET":
            found |= {409, 503}
        if self.method in ("POST", "PUT", "PATCH"):
            found |= {404, 415}
        if self.method == "POST":
            found.add(422)
        if "{" in self.path:
            found.add(404)
        return sorted(found)


class ProblemShape(OpenApiSerializerExtension):
    """A refusal's body has the name of a field, or `detail`; a batch's names rows in `errors`."""

    target_class = "api.bodies.Problem"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        sentences = {"type": "array", "items": {"type": "string"}}
        return {
            "type": "object",
            "description": "A sentence as `detail`, or sentences for each field that is to blame.",
            "properties": {
                "detail": {"type": "string"},
                "errors": {"type": "array", "items": _ROW_ERROR},
            },
            "additionalProperties": sentences,
            "example": {"daily_budget": ["A budget can't be negative."]},
        }


class ChoiceShape(OpenApiSerializerFieldExtension):
    """An enumeration has one name, whatever the fields are called that carry it."""

    target_class = "api.fields.Choice"

    def get_name(self) -> str:
        name: str = self.target.words.__name__
        return name

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.target.choices)}


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "api.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The words `Api-Key`, a blank, and the key.",
        }


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "api.authentication.SessionAuthentication"
    name = "Session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The session of the portal; writes carry the X-CSRFToken header.",
        }
