"""Windows of a schedule."""

from django import forms

from .shared import ClockField, PortalForm, WeekdayField, WeekdaysField


class NewWindowForm(PortalForm):
    days = WeekdaysField(label="On", error_messages={"required": "Choose at least one day."})
    start_time = ClockField(label="From")
    end_time = ClockField(
        label="Until", help_text="00:00 is the end of the day; before the start: the next day."
    )


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
