"""What every form of the portal shares: its look, its fields, and how a refusal is told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
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


class ClockField(forms.TimeField):
    def __init__(self, **options: Any) -> None:
        attrs = {"type": "time", "step": "60"}
        options.setdefault("widget", forms.TimeInput(attrs=attrs, format="%H:%M"))
        super().__init__(**options)


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
