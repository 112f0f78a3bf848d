"""Campaigns, what holds them, and each change of their status."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from budgets.models import STOP_AT_MAX, Brand, Budget, BudgetMode, amount_field, sum_field
from dayparting.models import Schedule
from kernel.ids import uuid7
from kernel.rights import APPEND_ONLY


class Status(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    PAUSED = "PAUSED", "Paused"
    INACTIVE = "INACTIVE", "Inactive"


class Reason(models.TextChoices):
    """Why a campaign may not run, in the order in which people are told."""

    DAILY_BUDGET = "daily_budget", "Daily budget"
    MONTHLY_BUDGET = "monthly_budget", "Monthly budget"
    DAYPART = "daypart", "Dayparting"
    FLIGHT = "flight", "Flight dates"
    MANUAL = "manual", "Paused by hand"


# The origin of a person's (or a key's) pause; other placers of manual holds carry their own.
PAUSE = "pause"
# The origin of a budget's hold whose period is over, and which waits for a person to resume.
WAITS = "waits"


class Campaign(models.Model):
    """An advertising campaign. A live one runs if and only if nothing holds it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="campaigns")
    budget = models.OneToOneField(Budget, on_delete=models.PROTECT, related_name="campaign")
    schedule = models.OneToOneField(Schedule, on_delete=models.PROTECT, related_name="campaign")
    # It stands for the campaign's own as long as it is used.
    shared_schedule = models.ForeignKey(
        Schedule, null=True, blank=True, on_delete=models.PROTECT, related_name="users"
    )
    name = models.CharField(max_length=200)
    platform = models.CharField(
        max_length=50, blank=True, help_text="Where it runs: google, meta …"
    )
    external_id = models.CharField(max_length=100, blank=True, help_text="The platform's own id.")
    start_date = models.DateField(null=True, blank=True)
    end_date = models.DateField(null=True, blank=True, help_text="The last day, inclusive.")
    # Switched on by a person and not archived: the rules look at live campaigns only.
    is_live = models.BooleanField(default=True, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Derived from is_live and the open holds, and written beside them only (enforcement.py).
    status = models.CharField(
        max_length=8, choices=Status.choices, default=Status.ACTIVE, editable=False
    )
    status_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                "brand",
                Lower("name"),
                condition=Q(archived_at=None),
                name="campaign_name_once",
            ),
            models.UniqueConstraint(
                fields=["brand", "platform", "external_id"],
                condition=Q(archived_at=None) & ~Q(external_id=""),
                name="campaign_external_id_once",
            ),
            models.CheckConstraint(
                condition=Q(start_date=None) | Q(end_date=None) | Q(end_date__gte=F("start_date")),
                name="campaign_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(archived_at=None) | Q(is_live=False),
                name="campaign_archived_is_not_live",
            ),
        ]
        indexes = [models.Index(fields=["brand", "is_live"], name="campaign_live")]

    def __str__(self) -> str:
        return self.name


class _Holds(models.Manager["Hold"]):
    def get_queryset(self) -> models.QuerySet["Hold"]:
        return super().get_queryset().exclude(mode=BudgetMode.ALERT_ONLY)


class _Alerts(models.Manager["Hold"]):
    def get_queryset(self) -> models.QuerySet["Hold"]:
        return super().get_queryset().filter(mode=BudgetMode.ALERT_ONLY)


class Hold(models.Model):
    """A reason why a campaign may not run. A closed hold is kept: it is the campaign's history.

    An alert is what a budget that only alerts would have held, and holds nothing. It comes and goes
    by the same rules, so it is a row here; who asks for holds (`objects`) does not meet it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="holds")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    budget = models.ForeignKey(Budget, null=True, blank=True, on_delete=models.PROTECT)
    # The mode of the budget that placed it; without meaning for other reasons.
    mode = models.CharField(
        max_length=12, choices=BudgetMode.choices, default=BudgetMode.PAUSE_RESUME
    )
    # Empty for a rule; names the placer otherwise.
    origin = models.CharField(max_length=64, blank=True)
    # The local day from which a budget hold's period counts: the next period is another hold.
    period_start = models.DateField(null=True, blank=True)
    placed_at = models.DateTimeField()
    placed_by_kind = models.CharField(max_length=8)
    placed_by_id = models.CharField(max_length=36, blank=True)
    placed_by_label = models.CharField(max_length=120)
    until = models.DateTimeField(null=True, blank=True)
    # The numbers on which it stands: of when it was placed, or when its limit or end last changed.
    spent = sum_field(null=True, blank=True)
    limit = amount_field(null=True, blank=True)
    # What of the limit are adjustments, and from which percentage of it on it counts as spent.
    adjusted_by = sum_field(default=0)
    stop_at = models.PositiveSmallIntegerField(default=STOP_AT_MAX)
    note = models.CharField(max_length=500, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by_kind = models.CharField(max_length=8, blank=True)
    released_by_id = models.CharField(max_length=36, blank=True)
    released_by_label = models.CharField(max_length=120, blank=True)

    objects = _Holds()
    alerts = _Alerts()
    with_alerts = models.Manager["Hold"]()

    class Meta:
        ordering = ["-placed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "reason", "budget", "origin"],
                condition=Q(released_at=None),
                nulls_distinct=False,
                name="hold_once_while_open",
            ),
            models.CheckConstraint(
                condition=Q(released_at=None) | Q(released_at__gte=F("placed_at")),
                name="hold_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(reason=Reason.MANUAL) & ~Q(origin="")
                | ~Q(reason=Reason.MANUAL) & Q(origin__in=["", WAITS]),
                name="hold_by_hand_names_its_placer",
            ),
        ]
        indexes = [models.Index(fields=["campaign", "placed_at"], name="hold_history")]

    @property
    def is_alert(self) -> bool:
        """Whether it holds nothing, and only tells."""
        return self.mode == BudgetMode.ALERT_ONLY

    def __str__(self) -> str:
        return f"{self.get_reason_display()} since {self.placed_at:%Y-%m-%d %H:%M} UTC"


class StatusChange(models.Model):
    """The audit trail and the outbox in one: written in the transaction that changes the status.

    It stands on its own: a campaign may be deleted, and whoever drives an ad platform from the feed
    must still be told to stop it there, by the names that it had.
    """

    database_rights = APPEND_ONLY

    # In the order of the commits: the number is drawn under a lock that is held until the commit.
    id = models.BigAutoField(primary_key=True)
    campaign = models.ForeignKey(
        Campaign,
        null=True,  # Never stored so: it makes joins find the changes of deleted campaigns too.
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="changes",
    )
    brand_id = models.UUIDField(db_index=True)
    campaign_name = models.CharField(max_length=200)
    platform = models.CharField(max_length=50, blank=True)
    external_id = models.CharField(max_length=100, blank=True)
    version = models.PositiveIntegerField()
    from_status = models.CharField(max_length=8, choices=Status.choices, blank=True)
    to_status = models.CharField(max_length=8, choices=Status.choices)
    reasons = models.JSONField(default=list)
    at = models.DateTimeField()
    by_kind = models.CharField(max_length=8)
    by_id = models.CharField(max_length=36, blank=True)
    by_label = models.CharField(max_length=120)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint("campaign", "version", name="change_versions_once"),
        ]

    def __str__(self) -> str:
        return f"{self.from_status or 'new'} → {self.to_status}"
