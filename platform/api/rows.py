"""Read many rows of one kind, as its serializer reads one, in a tenth of the time."""

from collections.abc import Callable, Mapping
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.fields import SkipField
from rest_framework.serializers import ListField

from .bodies import Body

Column = Callable[[Any], Any]


class Rows(ListField):
    """A list of objects, which a `RowReader` reads later."""

    def run_child_validation(self, data: Any) -> Any:
        if all(type(row) is dict for row in data):
            return data
        return super().run_child_validation(data)


class RowReader:
    """Reads the rows of one request.

    Each column is read by the serializer's own field, and a text that a column had before is known.
    A row that is not read so goes through the serializer itself, for its sentences.
    """

    def __init__(self, serializer: Body) -> None:
        self.serializer = serializer
        fields = dict(serializer.fields.items())
        self.columns = {name: _column(serializer, name) for name in fields}
        self.required = {name for name, field in fields.items() if field.required}
        self.known: dict[tuple[str, str], Any] = {}

    def read(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row's values. Raises ValidationError, as the serializer does."""
        values, known = {}, self.known
        try:
            for name, word in row.items():
                if type(word) is not str:
                    values[name] = self.columns[name](word)
                    continue
                value = known.get((name, word))
                if value is None:
                    value = known[name, word] = self.columns[name](word)
                values[name] = value
        except (KeyError, SkipField, ValidationError):
            return self._slowly(row)
        return values if self.required <= values.keys() else self._slowly(row)

    def _slowly(self, row: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = self.serializer.run_validation(row)
        return values


def _column(serializer: Body, name: str) -> Column:
    """Return what reads one column: the field, and the serializer's own check of it."""
    field = serializer.fields[name]
    assert not field.read_only, "a row has no field that is only shown"
    check: Column | None = getattr(serializer, f"validate_{name}", None)
    if check is None:
        return field.run_validation

    def read(word: Any) -> Any:
        return check(field.run_validation(word))

    return read
