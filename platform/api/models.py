"""What the API remembers itself: the answers that may be asked for again."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class RememberedAnswer(models.Model):
    """The first answer to a POST with an Idempotency-Key, stored by the transaction of its work."""

    by_kind = models.CharField(max_length=8)
    by_id = models.CharField(max_length=36)
    # The method and the path, such as `POST /api/spends/`.
    route = models.CharField(max_length=255)
    key = models.CharField(max_length=255)
    # SHA-256 in hex of all that was sent (idempotency.py), to tell another request by its body.
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    body = models.BinaryField()
    # What the answer rested on, which is asked again when it is sent again: the brands that it is
    # about (null: any), and the rights beside the route's own (null: none).
    brand_ids = ArrayField(models.UUIDField(), null=True)
    rights = ArrayField(models.CharField(max_length=32), null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            # Writers take turns by a lock; this says the same to everybody else.
            models.UniqueConstraint(
                fields=["by_kind", "by_id", "route", "key"], name="answer_once_per_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.status} to {self.route}"
