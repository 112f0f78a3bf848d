"""A weekly timetable and its lines, in the brand's local time."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from kernel.ids import uuid7


class Weekday(models.IntegerChoices):
    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"


class Schedule(models.Model):
    """When campaigns may run; without an active window, always.

    A campaign's own has no name; one with a name is shared by any number of campaigns.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), condition=~Q(name=""), name="schedule_shared_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"Schedule {self.id}"


class SharedSchedule(Schedule):
    """A schedule with a name, where it is administered apart from campaigns' own."""

    class Meta:
        proxy = True
        ordering = ["name", "id"]


class ScheduleException(models.Model):
    """A date on which a schedule's windows do not count: closed, or with hours of its own."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="exceptions")
    day = models.DateField(help_text="The brand's local day.")
    # The day's own hours, as pairs of the same place in both; none: closed.
    starts = ArrayField(models.TimeField(), default=list, blank=True)
    ends = ArrayField(models.TimeField(), default=list, blank=True)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["schedule", "day"]
        constraints = [
            models.UniqueConstraint("schedule", "day", name="exception_once_a_day"),
            models.CheckConstraint(
                condition=Q(starts__len=F("ends__len")), name="exception_hours_are_pairs"
            ),
        ]

    def __str__(self) -> str:
        hours = (f"{a:%H:%M}–{b:%H:%M}" for a, b in zip(self.starts, self.ends, strict=True))
        return f"{self.day}: {', '.join(hours) or 'closed'}"


class Window(models.Model):
    """`[start_time, end_time)` on a weekday; it reaches past midnight where start > end."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="windows")
    day_of_week = models.PositiveSmallIntegerField(
        choices=Weekday.choices, validators=[MaxValueValidator(6)]
    )
    start_time = models.TimeField()
    end_time = models.TimeField(help_text="00:00 is the end of that day.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["schedule", "day_of_week", "start_time", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(start_time=F("end_time")),
                name="window_has_length",
                violation_error_message="A window needs a length: start and end are equal.",
            ),
            models.CheckConstraint(
                condition=Q(day_of_week__gte=0, day_of_week__lte=6),
                name="window_on_a_weekday",
            ),
        ]

    def __str__(self) -> str:
        day = Weekday(self.day_of_week).label
        return f"{day} {self.start_time:%H:%M}–{self.end_time:%H:%M}"
