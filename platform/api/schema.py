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

from .bodies import Problem

REFUSALS = {
    400: "A field, a filter or the body itself can't be accepted.",
    401: "No credentials, or ones that are not valid (any more).",
    403: "The role does not include this, or a session's CSRF token is missing.",
    404: "There is no such thing in this agency.",
    405: "This is never done; the sentence says what to do instead.",
    409: "It contradicts what is stored.",
    415: "The body is not application/json.",
    503: "Somebody else holds the lock. Try again after Retry-After seconds.",
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
        return getattr(self.view, "action", None) or "list"

    def get_override_parameters(self) -> list[Any]:
        filters = self.view.filters()
        return [filters] if self._action == "list" and filters.fields else []

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
        for status in self._refusals():
            operation["responses"][str(status)] = {
                "description": REFUSALS[status],
                "content": {"application/json": {"schema": problem}},
            }
        return operation

    def _refusals(self) -> list[int]:
        found = {400, 401, 403}
        if self.method != "GET":
            found |= {409, 503}
        if self.method in ("POST", "PUT", "PATCH"):
            found |= {404, 415}
        if "{" in self.path:
            found.add(404)
        return sorted(found)


class ProblemShape(OpenApiSerializerExtension):
    """A refusal's body has the name of a field, or `detail`; no fixed property would be true."""

    target_class = "api.bodies.Problem"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        sentences = {"type": "array", "items": {"type": "string"}}
        return {
            "type": "object",
            "description": "A sentence as `detail`, or sentences for each field that is to blame.",
            "properties": {"detail": {"type": "string"}},
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
