"""Fields that take what JSON says and nothing that merely resembles it.

DRF's own read `5` as a text, `"yes"` as true, `"20260302"` as a date and cut the zone off a time.
"""

import re
import sys
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from kernel.ids import KNOWN_MAX, read_id

_AMOUNT = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?")
# Printable ASCII without blanks at its ends.
_PLAIN = re.compile(r"[!-~]([ -~]*[!-~])?")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class NoSurrogates(ProhibitSurrogateCharactersValidator):
    """DRF's check, which looks at each character, where there can be such a one."""

    def __call__(self, value: Any) -> None:
        if not str(value).isascii():
            super().__call__(value)


class Text(serializers.CharField):
    """A text; blanks around it are cut off."""

    default_error_messages = {"invalid": "A text is wanted."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        slow = ProhibitSurrogateCharactersValidator
        self.validators = [NoSurrogates() if type(v) is slow else v for v in self.validators]
        own = {"validators", "min_length"} & options.keys()
        # Up to so many letters, figures and signs nothing below has an objection to.
        self.plain_length_max = 0 if own else options.get("max_length") or sys.maxsize

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if type(data) is str and len(data) <= self.plain_length_max and _PLAIN.fullmatch(data):
            return data
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class OptionalText(Text):
    """A text that may be left out, or empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, allow_blank=True, **options)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What a parser could not read as its field: the field refuses it, with the parser's reason."""

    why: str


@extend_schema_field({"type": "string", "format": "decimal", "example": "100.00"})
class Amount(serializers.Field[Decimal, Any, Any, Any]):
    """An amount: a string such as "25.50", or a number. Answers carry it as a string.

    How many digits it may have is the currency's affair, which the services know.
    """

    default_error_messages = {"invalid": 'An amount is wanted, such as "25.50".'}

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, Unreadable):
            raise serializers.ValidationError(data.why)
        if isinstance(data, str):
            is_amount = _AMOUNT.fullmatch(data.strip()) is not None
        else:
            is_amount = isinstance(data, int | Decimal) and not isinstance(data, bool)
        if not is_amount:
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Any) -> Any:
        return value


@lru_cache(maxsize=KNOWN_MAX)
def _read_usual_id(text: str) -> UUID:
    """Return the UUID of a text in the usual spelling. Raises TypeError and ValueError."""
    if not _UUID.fullmatch(text):
        raise ValueError("no UUID in its usual spelling")
    return read_id(text)


class Id(serializers.UUIDField):
    """A UUID in its usual spelling."""

    default_error_messages = {"invalid": "An id (a UUID) is wanted."}

    def to_internal_value(self, data: Any) -> UUID:
        try:
            return _read_usual_id(data)
        except (TypeError, ValueError):
            self.fail("invalid")


class Day(serializers.DateField):
    """A date: 2026-03-31."""

    default_error_messages = {"invalid": "A date is wanted, such as 2026-03-31."}

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            self.fail("invalid")
        return super().to_internal_value(value)


@extend_schema_field({"type": "string", "format": "date-time"})
class Moment(serializers.Field[datetime, Any, Any, Any]):
    """An instant that is sent: ISO 8601 with its offset, since nothing here runs on server time."""

    default_error_messages = {"invalid": "An instant is wanted, such as 2026-03-31T09:00:00Z."}

    def to_internal_value(self, data: Any) -> datetime:
        try:
            at = datetime.fromisoformat(data) if isinstance(data, str) else None
        except ValueError:
            at = None
        if at is None or at.tzinfo is None or not 1970 <= at.year < 2200:
            self.fail("invalid")
        return at

    def to_representation(self, value: Any) -> Any:
        return value


class DayOrMoment(Moment):
    """An instant with its offset, or a day."""

    default_error_messages = {
        "invalid": "A day (2026-03-31) or an instant (2026-03-31T09:00:00Z) is wanted."
    }

    def to_internal_value(self, data: Any) -> Any:
        try:
            day = date.fromisoformat(data) if len(data) == 10 else None
        except ValueError:
            day = None
        if day is None:
            # In a query a plus is a blank, unless it was written as %2B.
            return super().to_internal_value(data.replace(" ", "+"))
        if not 1970 <= day.year < 2200:
            self.fail("invalid")
        return day


class TimeOfDay(serializers.TimeField):
    """A time on the brand's wall clock: 09:00:00."""

    default_error_messages = {"invalid": "A time without zone is wanted, such as 09:00:00."}

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            self.fail("invalid")
        return super().to_internal_value(value)


class Flag(serializers.BooleanField):
    """True or false."""

    default_error_messages = {"invalid": "true or false is wanted."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class Whole(serializers.IntegerField):
    """A whole number."""

    default_error_messages = {"invalid": "A whole number is wanted."}

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class Choice(serializers.ChoiceField):
    """One of the words of an enumeration, which the OpenAPI description knows by its name."""

    def __init__(self, words: type[models.TextChoices], **options: Any) -> None:
        super().__init__(words.choices, **options)
        self.words = words
        known = ", ".join(words.values)
        # DRF's own sentence repeats what was sent, of any length.
        self.error_messages["invalid_choice"] = f"One of these is wanted: {known}."

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice")
        return self.words(super().to_internal_value(data))


class Many(serializers.ListField):
    """A list of at most so many; a longer one is refused before any of it is read."""

    def __init__(self, *, child: serializers.Field[Any, Any, Any, Any], most: int, **options: Any):
        super().__init__(child=child, max_length=most, **options)
        self.most = most

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) > self.most:
            raise serializers.ValidationError(f"There are more than {self.most:,} of them.")
        return super().to_internal_value(data)


Instant = serializers.DateTimeField


# Filters: a query's words are texts, and all of them may be left out ------------------------------
class Word(Text):
    """A filter by a text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=255, **options)


class YesNo(serializers.BooleanField):
    """A filter by true or false."""

    default_error_messages = {"invalid": "true or false is wanted."}

    def __init__(self, **options: Any) -> None:
        # Without a default, DRF reads an absent word as false.
        super().__init__(required=False, default=False, **options)
