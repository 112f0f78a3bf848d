"""Brands, the tree of their budgets, and the append-only ledger of what was spent."""

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from kernel.ids import uuid7
from kernel.local_time import Calendar
from kernel.money import AMOUNT_DECIMALS_MAX, AMOUNT_DIGITS_MAX, SUM_DIGITS_MAX
from kernel.rights import APPEND_ONLY, WRITTEN_ONCE


def amount_field(**options: Any) -> Any:
    """An amount of money: NUMERIC(18,6) in the brand's currency."""
    return models.DecimalField(
        max_digits=AMOUNT_DIGITS_MAX, decimal_places=AMOUNT_DECIMALS_MAX, **options
    )


def sum_field(**options: Any) -> Any:
    """A sum of amounts: wide enough that millions of the largest ones do not overflow it."""
    return models.DecimalField(
        max_digits=SUM_DIGITS_MAX, decimal_places=AMOUNT_DECIMALS_MAX, **options
    )


class Brand(models.Model):
    """A client of the agency, whose money it is. Its days and months are those of its zone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    currency = models.CharField(
        max_length=3, default="USD", help_text="ISO 4217; fixed once there is spend."
    )
    time_zone = models.CharField(
        max_length=64, default="UTC", help_text="IANA name, such as America/New_York."
    )
    # A change of zone takes effect at an instant; until then the former one applies.
    time_zone_before = models.CharField(max_length=64, blank=True, editable=False)
    time_zone_since = models.DateTimeField(null=True, blank=True, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    # The instant of the last decision on this brand's campaigns; decisions never run backwards.
    decided_at = models.DateTimeField(null=True, editable=False)
    # The earliest instant at which time alone could change one of them; null: never.
    next_check_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), condition=Q(archived_at=None), name="brand_name_once"
            ),
        ]
        indexes = [models.Index(fields=["next_check_at"], name="brand_due")]

    def __str__(self) -> str:
        return self.name

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.time_zone, self.time_zone_before, self.time_zone_since)


class BudgetKind(models.TextChoices):
    ROOT = "root", "brand"
    GROUP = "group", "group"
    LEAF = "leaf", "campaign"


class BudgetMode(models.TextChoices):
    """What happens when a limit is spent."""

    PAUSE_RESUME = "pause_resume", "Pause, and resume with the next period"
    PAUSE = "pause", "Pause, until a person resumes"
    ALERT_ONLY = "alert_only", "Only tell"


# Spend arrives late: a budget may stop somewhat before its limit.
STOP_AT_MIN, STOP_AT_MAX = 50, 100


class Budget(models.Model):
    """A node of a brand's budgets: the root, an optional group below it, a leaf per campaign."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="budgets")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    kind = models.CharField(max_length=5, choices=BudgetKind.choices)
    # A group's own name; a root and a leaf are called what their brand and campaign are called.
    name = models.CharField(max_length=100, blank=True)
    mode = models.CharField(
        max_length=12,
        choices=BudgetMode.choices,
        blank=True,
        help_text="Empty: that of the budget above; the brand's is then pause_resume.",
    )
    stop_at = models.PositiveSmallIntegerField(
        default=STOP_AT_MAX,
        help_text="Spent from this percentage of a limit on, because spend arrives late.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["brand", "kind", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                "brand",
                condition=Q(kind=BudgetKind.ROOT),
                name="budget_one_root_a_brand",
            ),
            models.UniqueConstraint(
                "brand",
                Lower("name"),
                condition=Q(kind=BudgetKind.GROUP),
                name="budget_group_name_once",
            ),
            models.CheckConstraint(
                condition=Q(kind=BudgetKind.ROOT, parent=None)
                | ~Q(kind=BudgetKind.ROOT) & Q(parent__isnull=False),
                name="budget_root_has_no_parent",
            ),
            models.CheckConstraint(
                condition=Q(stop_at__gte=STOP_AT_MIN, stop_at__lte=STOP_AT_MAX),
                name="budget_stops_near_its_limit",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.get_kind_display()} {self.id}"


class Period(models.TextChoices):
    DAY = "DAY", "Day"
    MONTH = "MONTH", "Month"


class LimitVersion(models.Model):
    """The limits of a budget from a local day on. The past is not rewritten; null is no limit.

    For days before a budget's first version that first version is taken. A limit that a version
    does not set itself is that of the version before, and is kept so when that one changes.
    """

    id = models.BigAutoField(primary_key=True)
    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="limits")
    from_day = models.DateField()
    daily_limit = amount_field(null=True, blank=True, validators=[MinValueValidator(0)])
    monthly_limit = amount_field(null=True, blank=True, validators=[MinValueValidator(0)])
    sets_daily = models.BooleanField(default=True, editable=False)
    sets_monthly = models.BooleanField(default=True, editable=False)
    set_at = models.DateTimeField()
    set_by_kind = models.CharField(max_length=8)
    set_by_id = models.CharField(max_length=36, blank=True)
    set_by_label = models.CharField(max_length=120)

    class Meta:
        ordering = ["budget", "from_day"]
        constraints = [
            models.UniqueConstraint("budget", "from_day", name="limit_one_version_a_day"),
            models.CheckConstraint(
                condition=Q(daily_limit=None) | Q(daily_limit__gte=0),
                name="limit_daily_positive",
            ),
            models.CheckConstraint(
                condition=Q(monthly_limit=None) | Q(monthly_limit__gte=0),
                name="limit_monthly_positive",
            ),
        ]

    def sets(self, period: Period) -> bool:
        """Return whether the limit of a period is set here, and not that of the version before."""
        return self.sets_daily if period == Period.DAY else self.sets_monthly


class BudgetAdjustment(models.Model):
    """An amount more (or less, if negative) that one budget may spend in one period."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="adjustments")
    period = models.CharField(max_length=5, choices=Period.choices)
    # The brand's local day, or the first of its local month.
    period_start = models.DateField()
    amount = amount_field()
    note = models.CharField(max_length=500)
    # Null: it ends with its period.
    expires_at = models.DateTimeField(null=True, blank=True)
    given_at = models.DateTimeField()
    given_by_kind = models.CharField(max_length=8)
    given_by_id = models.CharField(max_length=36, blank=True)
    given_by_label = models.CharField(max_length=120)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by_kind = models.CharField(max_length=8, blank=True)
    withdrawn_by_id = models.CharField(max_length=36, blank=True)
    withdrawn_by_label = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-given_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="adjustment_changes_something"),
        ]
        indexes = [models.Index(fields=["budget", "period_start"], name="adjustment_budget_period")]

    def __str__(self) -> str:
        return f"{self.amount:+} for {self.period_start} ({self.get_period_display().lower()})"


class BudgetChange(models.Model):
    """Who changed what a budget may spend, from what to what. Nothing here is ever changed."""

    database_rights = WRITTEN_ONCE

    id = models.BigAutoField(primary_key=True)
    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="changes")
    # The local day from which it applies.
    from_day = models.DateField()
    # What changed only: amounts as texts, null for no limit.
    before = models.JSONField()
    after = models.JSONField()
    at = models.DateTimeField()
    by_kind = models.CharField(max_length=8)
    by_id = models.CharField(max_length=36, blank=True)
    by_label = models.CharField(max_length=120)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.before} → {self.after} from {self.from_day}"


class SpendType(models.TextChoices):
    DAILY = "DAILY", "Daily"
    MONTHLY = "MONTHLY", "Monthly only"


class EntryKind(models.TextChoices):
    SPEND = "spend", "Spend"
    CORRECTION = "correction", "Correction"
    REVERSAL = "reversal", "Reversal"
    RESTATEMENT = "restated", "Restated"


class SpendEntry(models.Model):
    """A line of the ledger. Nothing here is ever updated or deleted: a correction is a new line."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Its own index is the one with the day, below.
    budget = models.ForeignKey(
        Budget, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    # The budget's brand, for ever, within which a key is unique. The budget's constraint stands
    # for its own.
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    day = models.DateField(help_text="The brand's local day.")
    amount = amount_field()
    spend_type = models.CharField(max_length=7, choices=SpendType.choices, default=SpendType.DAILY)
    kind = models.CharField(max_length=10, choices=EntryKind.choices, default=EntryKind.SPEND)
    source = models.CharField(max_length=64)
    # A correction counts within what the named source has said, until that source says it anew.
    corrects_source = models.CharField(max_length=64, blank=True)
    key = models.CharField(max_length=255)
    description = models.CharField(max_length=500, blank=True)
    reverses = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversal"
    )
    recorded_at = models.DateTimeField()
    recorded_by_kind = models.CharField(max_length=8)
    recorded_by_id = models.CharField(max_length=36, blank=True)
    recorded_by_label = models.CharField(max_length=120)

    class Meta:
        verbose_name_plural = "spend entries"
        ordering = ["-day", "-id"]
        constraints = [
            models.UniqueConstraint("brand", "source", "key", name="entry_key_once_a_brand"),
            models.CheckConstraint(
                condition=Q(kind=EntryKind.REVERSAL, reverses__isnull=False)
                | ~Q(kind=EntryKind.REVERSAL) & Q(reverses=None),
                name="entry_reversal_names_its_entry",
            ),
        ]
        indexes = [
            models.Index(fields=["budget", "day"], name="entry_budget_day"),
            # A complete statement looks for what people corrected of its source; few are.
            models.Index(
                fields=["corrects_source", "day"],
                condition=~Q(corrects_source=""),
                name="entry_corrects_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.amount} ({self.source})"


class SpendTotal(models.Model):
    """What a node and all below it spent on a local day; kept with the entries, in one commit."""

    pk = models.CompositePrimaryKey("budget_id", "day")
    # The primary key begins with it.
    budget = models.ForeignKey(
        Budget, on_delete=models.CASCADE, related_name="totals", db_index=False
    )
    day = models.DateField()
    daily_amount = sum_field(default=0)
    # Counts in the month, not in the day (a fee, a month-level charge).
    monthly_only_amount = sum_field(default=0)


class SourceMode(models.TextChoices):
    APPEND = "append", "Appends"
    RESTATE = "restate", "Restates"


class SpendSource(models.Model):
    """Who restates spend: one name in all brands. Who restates under it takes turns by its row."""

    name = models.CharField(max_length=64, primary_key=True)
    first_used_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class BrandSource(models.Model):
    """What a source does in a brand: it appends or restates, for life."""

    id = models.BigAutoField(primary_key=True)
    # The constraint's index begins with it.
    brand = models.ForeignKey(
        Brand, on_delete=models.CASCADE, related_name="sources", db_index=False
    )
    name = models.CharField(max_length=64)
    mode = models.CharField(max_length=7, choices=SourceMode.choices)
    first_used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["brand", "name"], name="source_once_a_brand"),
        ]

    def __str__(self) -> str:
        return self.name


class SourceFigure(models.Model):
    """The last that a restating source said of a campaign's day: how much, and as of when."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(SpendSource, on_delete=models.PROTECT, related_name="figures")
    # A campaign of which nothing but zeros was said has no spend, and may be deleted.
    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="figures")
    day = models.DateField()
    spend_type = models.CharField(max_length=7, choices=SpendType.choices)
    amount = amount_field()
    as_of = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "day", "spend_type", "source"], name="figure_once_a_source"
            ),
        ]
        indexes = [models.Index(fields=["source", "day"], name="figure_source_day")]


class CompleteStatement(models.Model):
    """A source said all that there is in a range of days: what it did not list is nothing.

    It is remembered, so that an older row that arrives later is stale.
    """

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(SpendSource, on_delete=models.PROTECT, related_name="complete")
    from_day = models.DateField()
    to_day = models.DateField()
    # The leaf budgets that it covers; null: all of them.
    budget_ids = models.JSONField(null=True)
    as_of = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["source", "to_day"], name="complete_source_day")]
