"""What bodies and queries have in common: a word that is not known is refused, never ignored."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

Shown = dict[str, Any]


class Body(serializers.Serializer[Any]):
    """What a resource takes and what it answers, in one declaration.

    POST takes the writable fields. PUT and PATCH take the others too, if they come back as they
    are shown (get, edit, put works); `fixed` names what POST sets once. `shown_now` in the context
    returns the resource as the API shows it at this moment.
    """

    fixed: ClassVar[frozenset[str]] = frozenset()

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise ValidationError({"detail": "The body must be a JSON object."})
        errors = {name: [why] for name in data if (why := self._objection(name, data[name]))}
        try:
            values: dict[str, Any] = super().to_internal_value(data)
        except ValidationError as error:
            raise ValidationError({**cast(dict[str, Any], error.detail), **errors}) from None
        if errors:
            raise ValidationError(errors)
        is_update = self.instance is not None
        return {name: v for name, v in values.items() if not (is_update and name in self.fixed)}

    def _objection(self, name: str, value: Any) -> ErrorDetail | None:
        field = self.fields.get(name)
        if field is None:
            return ErrorDetail("There is no such field.", "unknown")
        if self.instance is None:
            if field.read_only:
                return ErrorDetail("This field is only shown: it can't be set.", "read_only")
        elif (field.read_only or name in self.fixed) and not self._is_as_shown(name, value):
            return ErrorDetail("This field can't be changed.", "read_only")
        return None

    def _is_as_shown(self, name: str, value: Any) -> bool:
        shown = self._shown(name)
        if name == "updated_at" and isinstance(value, str):
            # Any stamp since it was made will do, or the same PUT twice would be refused for the
            # change that the first one made. (ISO instants in UTC sort as texts.)
            return bool(self._shown("created_at") <= value <= shown)
        return bool(value == shown)

    def _shown(self, name: str) -> Any:
        if not hasattr(self, "_shown_now"):
            show: Callable[[], Shown] = self.context["shown_now"]
            self._shown_now = show()
        return self._shown_now.get(name)


class Query(serializers.Serializer[Any]):
    """The filters of a list. An empty word (`?brand=`) is no filter, an unknown one is refused."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        assert isinstance(data, QueryDict)
        errors = {}
        for name, words in data.lists():
            if name not in self.fields and name not in self.context["words"]:
                errors[name] = ["There is no such filter."]
            elif len(words) > 1:
                errors[name] = ["This may be given once."]
        if errors:
            raise ValidationError(errors)
        given = {name: word for name, word in data.items() if word != ""}
        values: dict[str, Any] = super().to_internal_value(given)
        return values


class Problem(serializers.Serializer[Any]):
    """Why a request was refused."""
