"""The hours of one date as a text: `10:00–14:00, 22:00–02:00`; none: closed."""

import re
from datetime import time
from typing import Any

from django import forms

from campaigns.services.exceptions import DayHours
from dayparting.models import ScheduleException
from dayparting.sentences import told_hours

HOURS_MAX = 50
_LENGTH_MAX = 1000
_PAIR = re.compile(r"([0-9:]{4,8})\s*[-–]\s*([0-9:]{4,8})")


def day_hours(exception: ScheduleException) -> str:
    """Return the hours of an exception as the field shows them."""
    pairs = zip(exception.starts, exception.ends, strict=True)
    return ", ".join(told_hours(*pair) for pair in pairs)


class DayHoursField(forms.CharField):
    """Reads the text into DayHours; what is no time, or no pair, is refused."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            required=False,
            max_length=_LENGTH_MAX,
            widget=forms.TextInput(attrs={"class": "vTextField", "placeholder": "closed"}),
            help_text="10:00–14:00, 22:00–02:00. Empty: closed.",
            **options,
        )

    def clean(self, value: Any) -> list[DayHours]:
        """Return the hours. Raises ValidationError."""
        text = super().clean(value).strip(" ,")
        parts = [part.strip() for part in text.split(",")] if text else []
        if len(parts) > HOURS_MAX:
            raise forms.ValidationError(f"A day has at most {HOURS_MAX} hours of its own.")
        return [_pair(part) for part in parts]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or "") != (data or "").strip()


def _pair(text: str) -> DayHours:
    found = _PAIR.fullmatch(text)
    if found is None:
        raise forms.ValidationError("Write hours as 10:00–14:00, 22:00–02:00.")
    return DayHours(_time(found[1]), _time(found[2]))


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text.zfill(5))
    except ValueError:
        raise forms.ValidationError(f"{text} is no time of day.") from None
