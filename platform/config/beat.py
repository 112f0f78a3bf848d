"""The scheduler, on the platform's schema: it reads its rows there and touches no agency."""

from typing import Any

from django.db import connection
from django_celery_beat.schedulers import DatabaseScheduler


class PlatformScheduler(DatabaseScheduler):
    """django-celery-beat's own scheduler, put into the platform's context before its first query.

    (Celery sends `beat_init` only after it has made the scheduler, which reads its rows at once.)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        connection.set_schema_to_public()  # type: ignore[attr-defined]
        super().__init__(*args, **kwargs)
        # An interval's first turn comes after its whole length; what is due need not wait for it.
        self.app.send_task("campaigns.tick", expires=55)
