"""Exceptions of schedules by date: closed days, and days with hours of their own."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from itertools import pairwise
from typing import NamedTuple, TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction

from dayparting.models import ScheduleException
from dayparting.windows import day_span
from kernel.actor import Actor
from kernel.errors import InvalidValue, NameTaken, NotFound
from kernel.transactions import atomic

from .schedules import LockedSchedule, lock_own, lock_schedule, lock_shared

_YEARS = range(1970, 2200)


class DayHours(NamedTuple):
    """Hours of one date, on the brand's wall clock; past midnight where start > end."""

    start_time: time
    end_time: time


class NewException(NamedTuple):
    """An exception to add; without hours: closed."""

    day: date
    hours: Sequence[DayHours] = ()
    note: str = ""


class ExceptionChanges(TypedDict, total=False):
    """What may change; an absent key keeps what is. No `hours`: closed."""

    day: date
    hours: Sequence[DayHours]
    note: str


@atomic
def add_exception(
    *,
    campaign_id: UUID | None = None,
    schedule_id: UUID | None = None,
    day: date,
    hours: Sequence[DayHours] = (),
    note: str = "",
    now: datetime,
    by: Actor,
) -> ScheduleException:
    """Add an exception to a campaign's own schedule, or to a shared one; without hours: closed.

    Raises NotFound, InvalidValue, NameTaken (the day has one) and Conflict (archived).
    """
    locked = lock_schedule(campaign_id=campaign_id, schedule_id=schedule_id, by=by)
    exception = ScheduleException(schedule=locked.schedule, day=day, note=note)
    _set_hours(exception, hours)
    _save(exception)
    locked.decide(now=now, by=by)
    return exception


@atomic
def update_exception(
    *, exception_id: UUID, changes: ExceptionChanges, now: datetime, by: Actor
) -> ScheduleException:
    """Change an exception. Raises as `add_exception` does."""
    locked, exception = _lock_exception(exception_id, by=by)
    _change(exception, changes)
    locked.decide(now=now, by=by)
    return exception


@atomic
def remove_exception(*, exception_id: UUID, now: datetime, by: Actor) -> None:
    """Remove an exception: the day is like any other of its weekday. Raises NotFound."""
    locked, exception = _lock_exception(exception_id, by=by)
    exception.delete()
    locked.decide(now=now, by=by)


@atomic
def change_exceptions(
    *,
    campaign_id: UUID | None = None,
    schedule_id: UUID | None = None,
    add: Sequence[NewException] = (),
    update: Mapping[UUID, ExceptionChanges] | None = None,
    remove: Collection[UUID] = (),
    now: datetime,
    by: Actor,
) -> None:
    """Add, change and remove exceptions of one schedule, and decide once.

    Ids that are none of its exceptions are passed over. Raises as `add_exception` does.
    """
    locked = lock_schedule(campaign_id=campaign_id, schedule_id=schedule_id, by=by)
    own = ScheduleException.objects.filter(schedule=locked.schedule)
    own.filter(id__in=remove).delete()
    changes = update or {}
    for exception in own.filter(id__in=list(changes)):
        _change(exception, changes[exception.id])
    for new in add:
        exception = ScheduleException(schedule=locked.schedule, day=new.day, note=new.note)
        _set_hours(exception, new.hours)
        _save(exception)
    locked.decide(now=now, by=by)


def _lock_exception(exception_id: UUID, *, by: Actor) -> tuple[LockedSchedule, ScheduleException]:
    rows = ScheduleException.objects.filter(id=exception_id)
    owner = rows.values_list("schedule__campaign", "schedule_id").first()
    if owner is None:
        raise NotFound("There is no such exception.")
    campaign_id, schedule_id = owner
    try:
        locked = lock_own(campaign_id, by=by) if campaign_id else lock_shared(schedule_id, by=by)
    except NotFound:
        # Not a word on whose it is.
        raise NotFound("There is no such exception.") from None
    exception = rows.first()
    if exception is None:
        # Somebody else removed it while we waited for the lock.
        raise NotFound("There is no such exception.")
    return locked, exception


def _change(exception: ScheduleException, changes: ExceptionChanges) -> None:
    exception.day = changes.get("day", exception.day)
    exception.note = changes.get("note", exception.note)
    if "hours" in changes:
        _set_hours(exception, changes["hours"])
    _save(exception)


def _set_hours(exception: ScheduleException, hours: Sequence[DayHours]) -> None:
    """Raises InvalidValue for hours without length, with a zone, or that overlap."""
    for each in hours:
        if each.start_time.tzinfo or each.end_time.tzinfo:
            raise InvalidValue("Hours are in the brand's local time, without zone.", field="hours")
        if each.start_time == each.end_time:
            raise InvalidValue("Hours need a length: start and end are equal.", field="hours")
    spans = sorted(day_span(*each) for each in hours)
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            raise InvalidValue("Hours of one day can't overlap.", field="hours")
    ordered = sorted(hours)
    exception.starts = [each.start_time for each in ordered]
    exception.ends = [each.end_time for each in ordered]


def _save(exception: ScheduleException) -> None:
    if exception.day.year not in _YEARS:
        raise InvalidValue("An exception lies between 1970 and 2199.", field="day")
    try:
        with transaction.atomic():
            exception.save()
    except IntegrityError:
        raise NameTaken(
            f"The schedule has an exception on {exception.day} already.", field="day"
        ) from None
