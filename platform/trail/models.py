"""What was changed, by whom, from what to what. Triggers add rows here, and nobody does more."""

import json
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q
from pghistory.models import Event

from kernel.rights import APPEND_ONLY

from .triggers import Unchangeable


class ExactDecoder(json.JSONDecoder):
    """Amounts of money stay what they are: no float comes between."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_float": Decimal})


class Operation(models.TextChoices):
    INSERT = "insert", "Created"
    UPDATE = "update", "Changed"
    DELETE = "delete", "Deleted"


class Entry(Event):
    """One change of one row: an event of pghistory's, in one table for all that is tracked.

    It stands on its own: what it is about, and who did it, may be gone.
    """

    database_rights = APPEND_ONLY

    pgh_id = models.BigAutoField(primary_key=True)
    pgh_label = models.CharField(max_length=6, choices=Operation.choices)
    kind = models.CharField(max_length=20)
    object_id = models.CharField(max_length=36)
    # What people called it when it was changed; for what has no name, what it belongs to.
    name = models.CharField(max_length=200, blank=True)
    brand_id = models.UUIDField(null=True)
    campaign_id = models.UUIDField(null=True)
    # The whole row where it was created or deleted, what changed otherwise.
    before = models.JSONField(null=True, decoder=ExactDecoder)
    after = models.JSONField(null=True, decoder=ExactDecoder)
    by_kind = models.CharField(max_length=8)
    by_id = models.CharField(max_length=36, blank=True)
    by_label = models.CharField(max_length=120)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "entries"
        ordering = ["-pgh_id"]
        indexes = [
            models.Index(fields=["object_id", "pgh_id"], name="trail_object"),
            models.Index(
                fields=["brand_id", "pgh_id"],
                condition=Q(brand_id__isnull=False),
                name="trail_brand",
            ),
            models.Index(
                fields=["campaign_id", "pgh_id"],
                condition=Q(campaign_id__isnull=False),
                name="trail_campaign",
            ),
            models.Index(fields=["by_id", "pgh_id"], name="trail_actor"),
            models.Index(fields=["pgh_created_at"], name="trail_at"),
        ]
        triggers = [Unchangeable()]

    @classmethod
    def pghistory_setup(cls) -> None:
        """Nothing to set up: pghistory has a table of events for each model, this is one for all
        (`tracking.py`).
        """

    def __str__(self) -> str:
        return f"{self.by_label} {self.get_pgh_label_display().lower()} {self.kind} {self.name}"
