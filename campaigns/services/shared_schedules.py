"""Schedules with a name, which campaigns share: a change decides again for all that use them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction

from dayparting.models import Schedule, Window
from kernel.actor import Actor
from kernel.errors import Conflict, NameTaken, NotAllowed
from kernel.transactions import atomic

from ..models import Campaign
from .campaigns import lock_shared_row
from .schedules import NewWindow, check_window, lock_shared


class SharedScheduleChanges(TypedDict, total=False):
    """What may change; an absent key keeps what is. `windows` replaces all of them."""

    name: str
    windows: Sequence[NewWindow]


@atomic
def create_shared_schedule(*, name: str, windows: Sequence[NewWindow] = (), by: Actor) -> Schedule:
    """Make a schedule to share.

    Raises NameTaken, InvalidValue, and NotAllowed for who is limited to some brands: to them a
    schedule is there once their campaigns use it.
    """
    if by.is_limited:
        raise NotAllowed("Who is limited to some brands makes no schedules for all to share.")
    schedule = Schedule(name=name)
    _save(schedule)
    _replace_windows(schedule, windows)
    return schedule


@atomic
def update_shared_schedule(
    *, schedule_id: UUID, changes: SharedScheduleChanges, now: datetime, by: Actor
) -> Schedule:
    """Change a shared schedule, and decide again for every campaign that uses it.

    Raises NotFound, NameTaken and InvalidValue.
    """
    locked = lock_shared(schedule_id, by=by)
    schedule = locked.schedule
    if "name" in changes and changes["name"] != schedule.name:
        schedule.name = changes["name"]
        _save(schedule)
    if "windows" in changes:
        _replace_windows(schedule, changes["windows"])
    locked.decide(now=now, by=by)
    return schedule


@atomic
def remove_shared_schedule(*, schedule_id: UUID, by: Actor) -> None:
    """Delete a shared schedule that no campaign uses; archived ones fall back on their own hours.

    Raises NotFound, Conflict, and NotAllowed where brands that are not `by`'s use it too.
    """
    schedule = lock_shared_row(schedule_id, by=by)
    users = Campaign.objects.filter(shared_schedule=schedule)
    if not all(map(by.covers, set(users.values_list("brand_id", flat=True)))):
        raise NotAllowed(f"{schedule.name} is used by more than your brands.")
    used = users.filter(archived_at=None).count()
    if used:
        campaigns = "1 campaign uses" if used == 1 else f"{used} campaigns use"
        raise Conflict(f"{campaigns} {schedule.name}: give them another schedule first.")
    # Nobody could give these another one: what is archived does not change.
    users.update(shared_schedule=None)
    schedule.delete()


def _save(schedule: Schedule) -> None:
    try:
        with transaction.atomic():
            schedule.save()
    except IntegrityError:
        raise NameTaken(
            f"A shared schedule named {schedule.name!r} is here already.", field="name"
        ) from None


def _replace_windows(schedule: Schedule, windows: Sequence[NewWindow]) -> None:
    rows = [Window(schedule=schedule, **window._asdict()) for window in windows]
    for row in rows:
        check_window(row)
    Window.objects.filter(schedule=schedule).delete()
    Window.objects.bulk_create(rows)
