"""Change when campaigns may run, and decide again in the same transaction.

A shared schedule's row is locked before any brand: who begins to use it takes the same lock first,
so that he is either among the users that are decided again, or sees what was changed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import NamedTuple, TypedDict
from uuid import UUID

from budgets import services as budgets
from budgets.models import Brand
from dayparting.models import Schedule, Window
from kernel.actor import Actor
from kernel.errors import Conflict, InvalidValue, NotAllowed, NotFound
from kernel.transactions import atomic

from ..enforcement import enforce_delivery
from ..models import Campaign
from .campaigns import lock_campaign, lock_shared_row


class WindowChanges(TypedDict, total=False):
    """What may change of a window; an absent key keeps what is."""

    day_of_week: int
    start_time: time
    end_time: time
    is_active: bool


class NewWindow(NamedTuple):
    """A window to add: 0 = Monday, times of the brand's wall clock."""

    day_of_week: int
    start_time: time
    end_time: time
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class LockedSchedule:
    """A schedule, and the campaigns that may use it with their brands locked."""

    schedule: Schedule
    brands: Mapping[UUID, Brand]
    campaign_ids: Sequence[UUID]

    def decide(self, *, now: datetime, by: Actor) -> None:
        """Decide again for those campaigns, in the caller's transaction."""
        if self.campaign_ids:
            enforce_delivery(self.brands, now=now, by=by, campaign_ids=self.campaign_ids)


def lock_own(campaign_id: UUID, *, by: Actor) -> LockedSchedule:
    """Lock a campaign's brand; what is read of its own schedule is read after that.

    Raises NotFound and Conflict (archived).
    """
    brand, campaign = lock_campaign(campaign_id, by=by)
    if campaign.archived_at is not None:
        raise Conflict(f"{campaign.name} is archived.", field="campaign")
    return LockedSchedule(campaign.schedule, {brand.id: brand}, [campaign.id])


def lock_shared(schedule_id: UUID, *, by: Actor) -> LockedSchedule:
    """Lock a shared schedule, then the brands of its users.

    Raises NotFound, and NotAllowed where brands that are not `by`'s use it too.
    """
    schedule = lock_shared_row(schedule_id, by=by)
    users = Campaign.objects.filter(shared_schedule=schedule)
    brand_ids = set(users.values_list("brand_id", flat=True))
    if not all(map(by.covers, brand_ids)):
        raise NotAllowed(
            f"{schedule.name} is used by more than your brands, so you can't change it: give a"
            " campaign hours of its own instead."
        )
    brands = budgets.lock_brands(brand_ids, by=by)
    # Read again: one may have gone while we waited for the locks; none can have come.
    return LockedSchedule(schedule, brands, list(users.values_list("id", flat=True)))


def lock_schedule(
    *, campaign_id: UUID | None, schedule_id: UUID | None, by: Actor
) -> LockedSchedule:
    """Lock a campaign's own schedule, or a shared one: exactly one of them is named.

    Raises NotFound, Conflict (archived) and InvalidValue (none or both are named).
    """
    if campaign_id is not None and schedule_id is None:
        return lock_own(campaign_id, by=by)
    if schedule_id is not None and campaign_id is None:
        return lock_shared(schedule_id, by=by)
    raise InvalidValue(
        "Hours are a campaign's or a shared schedule's: name one of them.", field="campaign"
    )


@atomic
def add_window(
    *,
    campaign_id: UUID,
    day_of_week: int,
    start_time: time,
    end_time: time,
    is_active: bool = True,
    now: datetime,
    by: Actor,
) -> Window:
    """Add a window (0 = Monday; local wall clock). Raises NotFound, InvalidValue and Conflict."""
    locked = lock_own(campaign_id, by=by)
    window = Window(
        schedule=locked.schedule,
        day_of_week=day_of_week,
        start_time=start_time,
        end_time=end_time,
        is_active=is_active,
    )
    check_window(window)
    window.save()
    locked.decide(now=now, by=by)
    return window


@atomic
def update_window(*, window_id: UUID, changes: WindowChanges, now: datetime, by: Actor) -> Window:
    """Change a window. Raises NotFound, InvalidValue and Conflict."""
    locked, window = _lock_window(window_id, by=by)
    _change(window, changes)
    locked.decide(now=now, by=by)
    return window


@atomic
def remove_window(*, window_id: UUID, now: datetime, by: Actor) -> None:
    """Remove a window. Raises NotFound and Conflict."""
    locked, window = _lock_window(window_id, by=by)
    window.delete()
    locked.decide(now=now, by=by)


@atomic
def change_windows(
    *,
    campaign_id: UUID | None = None,
    schedule_id: UUID | None = None,
    add: Sequence[NewWindow] = (),
    update: Mapping[UUID, WindowChanges] | None = None,
    remove: Collection[UUID] = (),
    now: datetime,
    by: Actor,
) -> list[Window]:
    """Add, change and remove windows of a campaign's own schedule, or of a shared one.

    It is decided once, so that no status flickers in between. Ids that are none of its windows are
    passed over. Raises NotFound, InvalidValue and Conflict.
    """
    locked = lock_schedule(campaign_id=campaign_id, schedule_id=schedule_id, by=by)
    own = Window.objects.filter(schedule=locked.schedule)
    own.filter(id__in=remove).delete()
    changes = update or {}
    for window in own.filter(id__in=list(changes)):
        _change(window, changes[window.id])
    added = [Window(schedule=locked.schedule, **new._asdict()) for new in add]
    for window in added:
        check_window(window)
    Window.objects.bulk_create(added)
    locked.decide(now=now, by=by)
    return added


def _lock_window(window_id: UUID, *, by: Actor) -> tuple[LockedSchedule, Window]:
    rows = Window.objects.filter(id=window_id)
    owner = rows.values_list("schedule__campaign", "schedule_id").first()
    if owner is None:
        raise NotFound("There is no such window.")
    campaign_id, schedule_id = owner
    try:
        locked = lock_own(campaign_id, by=by) if campaign_id else lock_shared(schedule_id, by=by)
    except NotFound:
        # Not a word on whose it is.
        raise NotFound("There is no such window.") from None
    window = rows.first()
    if window is None:
        # Somebody else removed it while we waited for the lock.
        raise NotFound("There is no such window.")
    return locked, window


def _change(window: Window, changes: WindowChanges) -> None:
    for field, value in changes.items():
        setattr(window, field, value)
    check_window(window)
    window.save(update_fields=[*changes, "updated_at"])


def check_window(window: Window) -> None:
    """Raise InvalidValue for a window that can't be."""
    if not 0 <= window.day_of_week <= 6:
        raise InvalidValue("A weekday is 0 (Monday) to 6 (Sunday).", field="day_of_week")
    for field in ("start_time", "end_time"):
        if getattr(window, field).tzinfo is not None:
            raise InvalidValue("A window is in the brand's local time, without zone.", field=field)
    if window.start_time == window.end_time:
        raise InvalidValue("A window needs a length: start and end are equal.", field="end_time")
