"""Change the windows of a campaign's schedule, and decide again in the same transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, time
from typing import NamedTuple, TypedDict
from uuid import UUID

from budgets.models import Brand
from dayparting.models import Window
from kernel.actor import Actor
from kernel.errors import Conflict, InvalidValue, NotFound
from kernel.transactions import atomic

from ..enforcement import enforce_delivery
from ..models import Campaign
from .campaigns import lock_campaign


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
    brand, campaign = _lock(campaign_id)
    window = Window(
        schedule_id=campaign.schedule_id,
        day_of_week=day_of_week,
        start_time=start_time,
        end_time=end_time,
        is_active=is_active,
    )
    _check(window)
    window.save()
    _decide(brand, campaign, now=now, by=by)
    return window


@atomic
def update_window(*, window_id: UUID, changes: WindowChanges, now: datetime, by: Actor) -> Window:
    """Change a window. Raises NotFound, InvalidValue and Conflict."""
    brand, campaign, window = _lock_window(window_id)
    _change(window, changes)
    _decide(brand, campaign, now=now, by=by)
    return window


@atomic
def remove_window(*, window_id: UUID, now: datetime, by: Actor) -> None:
    """Remove a window. Raises NotFound and Conflict."""
    brand, campaign, window = _lock_window(window_id)
    window.delete()
    _decide(brand, campaign, now=now, by=by)


@atomic
def change_windows(
    *,
    campaign_id: UUID,
    add: Sequence[NewWindow] = (),
    update: Mapping[UUID, WindowChanges] | None = None,
    remove: Collection[UUID] = (),
    now: datetime,
    by: Actor,
) -> list[Window]:
    """Add, change and remove windows of one campaign, and decide once: no status flickers between.

    Ids that are none of its windows are passed over. Raises NotFound, InvalidValue and Conflict.
    """
    brand, campaign = _lock(campaign_id)
    own = Window.objects.filter(schedule_id=campaign.schedule_id)
    own.filter(id__in=remove).delete()
    changes = update or {}
    for window in own.filter(id__in=list(changes)):
        _change(window, changes[window.id])
    added = [Window(schedule_id=campaign.schedule_id, **new._asdict()) for new in add]
    for window in added:
        _check(window)
    Window.objects.bulk_create(added)
    _decide(brand, campaign, now=now, by=by)
    return added


def _lock(campaign_id: UUID) -> tuple[Brand, Campaign]:
    """Lock the campaign's brand; what is read of its windows is read after that."""
    brand, campaign = lock_campaign(campaign_id)
    if campaign.archived_at is not None:
        raise Conflict(f"{campaign.name} is archived.", field="campaign")
    return brand, campaign


def _lock_window(window_id: UUID) -> tuple[Brand, Campaign, Window]:
    campaign_id = (
        Campaign.objects.filter(schedule__windows=window_id).values_list("id", flat=True).first()
    )
    if campaign_id is None:
        raise NotFound("There is no such window.")
    brand, campaign = _lock(campaign_id)
    window = Window.objects.filter(id=window_id).first()
    if window is None:
        # Somebody else removed it while we waited for the lock.
        raise NotFound("There is no such window.")
    return brand, campaign, window


def _change(window: Window, changes: WindowChanges) -> None:
    for field, value in changes.items():
        setattr(window, field, value)
    _check(window)
    window.save(update_fields=[*changes, "updated_at"])


def _decide(brand: Brand, campaign: Campaign, *, now: datetime, by: Actor) -> None:
    enforce_delivery({brand.id: brand}, now=now, by=by, campaign_ids=[campaign.id])


def _check(window: Window) -> None:
    if not 0 <= window.day_of_week <= 6:
        raise InvalidValue("A weekday is 0 (Monday) to 6 (Sunday).", field="day_of_week")
    for field in ("start_time", "end_time"):
        if getattr(window, field).tzinfo is not None:
            raise InvalidValue("A window is in the brand's local time, without zone.", field=field)
    if window.start_time == window.end_time:
        raise InvalidValue("A window needs a length: start and end are equal.", field="end_time")
