"""Schedules: their windows, their exceptions by date, and which of them a campaign uses."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms

from campaigns.services.exceptions import DayHours
from campaigns.services.schedules import NewWindow
from dayparting.models import Schedule, ScheduleException, Weekday
from dayparting.sentences import told_hours

from .shared import ClockField, DayField, HoursField, PortalForm, WeekdayField, WeekdaysField

CLOSED, OTHER_HOURS = "closed", "hours"
HOURS_MAX = 50


class NewWindowForm(PortalForm):
    days = WeekdaysField(label="On", error_messages={"required": "Choose at least one day."})
    start_time = ClockField(label="From")
    end_time = ClockField(
        label="Until", help_text="00:00 is the end of the day; before the start: the next day."
    )

    def windows(self) -> list[NewWindow]:
        """Return the windows as the service adds them."""
        values = self.cleaned_data
        return [NewWindow(day, values["start_time"], values["end_time"]) for day in values["days"]]

    def told(self) -> str:
        """Say what was added."""
        values = self.cleaned_data
        hours = told_hours(values["start_time"], values["end_time"])
        return f"{hours} added on {_names(values['days'])}."


class WindowForm(PortalForm):
    day_of_week = WeekdayField(label="Day")
    start_time = ClockField(label="From")
    end_time = ClockField(
        label="Until", help_text="00:00 is the end of the day; before the start: the next day."
    )
    is_active = forms.BooleanField(
        required=False, label="In use", help_text="A window that is not in use opens nothing."
    )


class CopyDayForm(PortalForm):
    source = WeekdayField(label="Copy")
    targets = WeekdaysField(label="To", error_messages={"required": "Choose at least one day."})
    replace = forms.BooleanField(
        required=False, initial=True, label="Replace the windows that are there"
    )

    def other_days(self) -> list[int]:
        """Return the days that are copied to: not the one that is copied."""
        source = self.cleaned_data["source"]
        return [day for day in self.cleaned_data["targets"] if day != source]

    def told(self) -> str:
        """Say what was copied."""
        source = Weekday(self.cleaned_data["source"]).label
        return f"{source} copied to {_names(self.other_days())}."


def _names(days: list[int]) -> str:
    return ", ".join(Weekday(day).label for day in sorted(days)) or "no other day"


class SharedScheduleForm(PortalForm):
    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="As campaigns choose it: Office hours, Night shift …",
    )


class ScheduleField(forms.TypedChoiceField):
    """A campaign's own hours (None), or a shared schedule, by its id."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, coerce=UUID, empty_value=None, **options)

    def offer(self, schedules: Iterable[Schedule]) -> None:
        """Let a person choose among these."""
        own = ("", "Its own hours")
        self.choices = [own, *((str(schedule.id), schedule.name) for schedule in schedules)]


class ChooseScheduleForm(PortalForm):
    shared_schedule = ScheduleField(label="It runs by")

    @classmethod
    def among(
        cls, schedules: Iterable[Schedule], chosen: UUID | None, data: Any = None
    ) -> "ChooseScheduleForm":
        form = cls(data, initial={"shared_schedule": str(chosen or "")})
        field = form.fields["shared_schedule"]
        assert isinstance(field, ScheduleField)
        field.offer(schedules)
        return form


class ExceptionForm(PortalForm):
    day = DayField(label="Day")
    kind = forms.ChoiceField(
        label="On that day",
        choices=[(CLOSED, "Closed"), (OTHER_HOURS, "Other hours than usual")],
        initial=CLOSED,
        widget=forms.RadioSelect(attrs={"class": "days"}),
    )
    hours = HoursField(
        required=False,
        label="Its hours",
        help_text="They stand for the week's. 00:00 is the end of the day; an end before the start"
        " is on the next day.",
    )
    note = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Why: a holiday, a sale …",
    )

    @classmethod
    def for_exception(cls, exception: ScheduleException, data: Any = None) -> "ExceptionForm":
        """Make the form of an exception that is there."""
        hours = list(zip(exception.starts, exception.ends, strict=True))
        return cls(
            data,
            initial={
                "day": exception.day,
                "kind": OTHER_HOURS if hours else CLOSED,
                "hours": hours,
                "note": exception.note,
            },
        )

    def clean_hours(self) -> list[DayHours]:
        hours = [DayHours(*pair) for pair in self.cleaned_data["hours"]]
        kind = self.cleaned_data.get("kind")
        if kind == OTHER_HOURS and not hours:
            raise forms.ValidationError("Which hours does the day have?")
        if kind == CLOSED and hours:
            raise forms.ValidationError(
                "A closed day has no hours: clear them, or choose other hours."
            )
        if len(hours) > HOURS_MAX:
            raise forms.ValidationError(f"A day has at most {HOURS_MAX} hours of its own.")
        return hours

    def values(self) -> dict[str, Any]:
        """Return the exception as services take it."""
        return {name: self.cleaned_data[name] for name in ("day", "hours", "note")}
