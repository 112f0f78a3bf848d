"""What every form of the portal shares: its look, its fields, and how a refusal is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates

from dayparting.models import Weekday
from kernel.errors import DomainError, NotFound


class PortalRenderer(DjangoTemplates):
    form_template_name = "portal/forms/form.html"
    field_template_name = "portal/forms/field.html"


class PortalForm(forms.Form):
    default_renderer = PortalRenderer()

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Turn a service's refusal into an error of the field it names; entered values stay."""
        try:
            yield
        except NotFound as missing:
            if missing.field not in self.fields:
                raise
            self.add_error(missing.field, missing.message)
        except DomainError as refusal:
            field = refusal.field if refusal.field in self.fields else None
            self.add_error(field, refusal.message)


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


class WeekdaysField(forms.TypedMultipleChoiceField):
    """One or more weekdays, 0 = Monday."""

    def __init__(self, **options: Any) -> None:
        choices = [(day.value, day.label) for day in Weekday]
        widget = forms.CheckboxSelectMultiple(attrs={"class": "days"})
        super().__init__(choices=choices, coerce=int, widget=widget, **options)


class WeekdayField(forms.TypedChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[(day.value, day.label) for day in Weekday], coerce=int, **options)
