"""A weekly timetable and its lines, in the brand's local time."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q

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
    """When a campaign may run; without an active window, always."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    def __str__(self) -> str:
        return f"Schedule {self.id}"


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
