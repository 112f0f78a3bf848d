"""What every form of the portal shares: its look, its fields, and how a refusal is told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, time
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import PermissionDenied
from django.forms.renderers import DjangoTemplates
from django.utils import timezone

from accounts.models import User
from accounts.roles import Right
from dayparting.models import Weekday
from kernel.errors import DomainError, NotFound
from kernel.local_time import Calendar


class PortalRenderer(DjangoTemplates):
    form_template_name = "portal/forms/form.html"
    field_template_name = "portal/forms/field.html"


class PortalForm(forms.Form):
    default_renderer = PortalRenderer()
    # Where the form calls a field otherwise than the service.
    refused_as: Mapping[str, str] = {}
    # What takes a right of its own beside the page's.
    rights: Mapping[str, Right] = {}

    def keep_to(self, person: User) -> None:
        """Take away the fields that a person may not set.

        Raises PermissionDenied where another value of one was sent nevertheless.
        """
        for name, right in self.rights.items():
            field = self.fields.get(name)
            if field is None or person.may(right):
                continue
            initial = self.get_initial_for_field(field, name)
            if name in self.data and field.has_changed(initial, self.data[name]):
                raise PermissionDenied
            del self.fields[name]

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Turn a service's refusal into an error of the field it names; entered values stay."""
        try:
            yield
        except NotFound as missing:
            if (field := self._field_of(missing)) is None:
                raise
            self.add_error(field, missing.message)
        except DomainError as refusal:
            self.add_error(self._field_of(refusal), refusal.message)

    def _field_of(self, refusal: DomainError) -> str | None:
        """Return the name of the field that a refusal names; None: the form as a whole."""
        field = self.refused_as.get(refusal.field or "", refusal.field)
        return field if field in self.fields else None


class AmountField(forms.DecimalField):
    """An amount of money as people write it: plain digits, with a point before the decimals."""

    def __init__(self, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "class": "amount"}
        options.setdefault("widget", forms.TextInput(attrs=attrs))
        super().__init__(**options)


class LimitField(AmountField):
    """A limit; an empty field is no limit."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, help_text="Empty: no limit.", **options)


class DayField(forms.DateField):
    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        super().__init__(**options)


class ClockInput(forms.TimeInput):
    """The browser's own field for times; seconds show where there are any."""

    def __init__(self) -> None:
        super().__init__(attrs={"type": "time", "step": "60"}, format="%H:%M")

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, time) and value.second:
            return f"{value:%H:%M:%S}"
        return super().format_value(value)


class ClockField(forms.TimeField):
    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", ClockInput)
        super().__init__(**options)


class HoursInput(forms.Widget):
    """As many pairs of times as there are, and two to fill in."""

    template_name = "portal/forms/hours.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[tuple[str, str]]:
        starts, ends = data.getlist(f"{name}_from"), data.getlist(f"{name}_until")
        return list(zip_longest(starts, ends, fillvalue=""))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}_from" not in data and f"{name}_until" not in data

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        clock = ClockInput()
        pairs = [pair for pair in value or () if any(pair)]
        context = super().get_context(name, None, attrs)
        context["widget"]["pairs"] = [
            tuple(clock.format_value(at) or "" for at in pair)
            for pair in [*pairs, ("", ""), ("", "")]
        ]
        return context


class HoursField(forms.Field):
    """The hours of a day, as pairs of times; pairs that were left empty do not count."""

    widget = HoursInput

    def clean(self, value: list[tuple[str, str]]) -> list[tuple[time, time]]:
        """Return the pairs. Raises ValidationError for what is no time, and for half a pair."""
        pairs = [tuple(text.strip() for text in pair) for pair in value]
        return [(self._time(start), self._time(end)) for start, end in pairs if start or end]

    def _time(self, text: str) -> time:
        if not text:
            raise forms.ValidationError("Hours have a beginning and an end.")
        try:
            return forms.TimeField().clean(text)
        except forms.ValidationError:
            raise forms.ValidationError(f"{text[:20]} is no time of day.") from None


class WallClockField(forms.DateTimeField):
    """A day and a time on a brand's wall clock, whose `calendar` the form sets; an instant."""

    calendar = Calendar("UTC")

    def __init__(self, **options: Any) -> None:
        attrs = {"type": "datetime-local"}
        widget = forms.DateTimeInput(attrs=attrs, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, **options)

    def to_python(self, value: Any) -> datetime | None:
        """Read the time; what the clock shows twice, or never, is refused."""
        since = self.calendar.since
        at = self._read(value, self.calendar.zone_before if since else self.calendar.zone)
        if at is None or since is None or at < since:
            return at
        return self._read(value, self.calendar.zone)

    def _read(self, value: Any, zone: str) -> datetime | None:
        with timezone.override(ZoneInfo(zone)):
            return super().to_python(value)


class WeekdaysField(forms.TypedMultipleChoiceField):
    """One or more weekdays, 0 = Monday."""

    def __init__(self, **options: Any) -> None:
        choices = [(day.value, day.label) for day in Weekday]
        widget = forms.CheckboxSelectMultiple(attrs={"class": "days"})
        super().__init__(choices=choices, coerce=int, widget=widget, **options)


class WeekdayField(forms.TypedChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[(day.value, day.label) for day in Weekday], coerce=int, **options)
