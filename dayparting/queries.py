"""When schedules are open, as the rules ask it: one statement for any number of them."""

from collections.abc import Iterable, Sequence
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from .exceptions import Span, dated_hours
from .windows import Hours, WindowLine, day_span, weekly_hours

ALWAYS_OPEN: Hours = weekly_hours(())


def hours_of(schedule_ids: Sequence[UUID], *, since: date) -> dict[UUID, Hours]:
    """Return the hours of schedules, with their exceptions from about the local day `since` on.

    One that has neither an active window nor an exception is absent: it is ALWAYS_OPEN.
    """
    sql = """
        SELECT w.schedule_id, NULL::date,
               array_agg(w.day_of_week), array_agg(w.start_time), array_agg(w.end_time)
        FROM dayparting_window w
        WHERE w.is_active AND w.schedule_id = ANY(%(schedules)s::uuid[])
        GROUP BY w.schedule_id
        UNION ALL
        SELECT x.schedule_id, x.day, NULL, x.starts, x.ends
        FROM dayparting_scheduleexception x
        WHERE x.schedule_id = ANY(%(schedules)s::uuid[]) AND x.day >= %(since)s
    """
    # The morning after an exception is told by it.
    arguments: dict[str, Any] = {
        "schedules": list(schedule_ids),
        "since": since - timedelta(days=1),
    }
    lines: dict[UUID, tuple[WindowLine, ...]] = {}
    exceptions: dict[UUID, dict[date, list[Span]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        for schedule_id, day, days, starts, ends in cursor.fetchall():
            if day is None:
                lines[schedule_id] = tuple(sorted(map(WindowLine, days, starts, ends)))
            else:
                exceptions.setdefault(schedule_id, {})[day] = _spans(starts, ends)
    return {
        schedule_id: dated_hours(lines.get(schedule_id, ()), exceptions.get(schedule_id, {}))
        for schedule_id in lines.keys() | exceptions.keys()
    }


def _spans(starts: Iterable[time], ends: Iterable[time]) -> list[Span]:
    return [day_span(start, end) for start, end in zip(starts, ends, strict=True)]
