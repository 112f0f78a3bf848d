"""The one place that looks at the clock. Only tasks, views, admin actions and commands call it."""

from datetime import UTC, datetime


def read() -> datetime:
    """Return the current instant, aware, in UTC."""
    return datetime.now(UTC)
