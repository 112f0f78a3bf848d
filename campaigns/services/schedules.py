"""Change the windows of a campaign's schedule, and decide again in the same transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, time
from typing import NamedTuple, TypedDict
from uuid import UUID

from django.db import transaction

from budgets import services as budgets
from dayparting.models import Window
from kernel.actor import Actor
from kernel.errors import Conflict, InvalidValue, NotFound

from ..enforcement import decision_instant, enforce_delivery
from ..models import Campaign


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


@transaction.atomic
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
    campaign = Campaign.objects.filter(id=campaign_id).first()
    if campaign is None:
        raise NotFound("There is no such campaign.", field="campaign")
    window = Window(
        schedule_id=campaign.schedule_id,
        day_of_week=day_of_week,
        start_time=start_time,
        end_time=end_time,
        is_active=is_active,
    )
    _check(window)
    _change(campaign, window.save, now=now, by=by)
    return window


@transaction.atomic
def update_window(*, window_id: UUID, changes: WindowChanges, now: datetime, by: Actor) -> Window:
    """Change a window. Raises NotFound, InvalidValue and Conflict."""
    window, campaign = _find(window_id)
    for field, value in changes.items():
        setattr(window, field, value)
    _check(window)
    _change(campaign, window.save, now=now, by=by)
    return window


@transaction.atomic
def remove_window(*, window_id: UUID, now: datetime, by: Actor) -> None:
    """Remove a window. Raises NotFound and Conflict."""
    window, campaign = _find(window_id)
    _change(campaign, window.delete, now=now, by=by)


@transaction.atomic
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
    campaign = Campaign.objects.filter(id=campaign_id).first()
    if campaign is None:
        raise NotFound("There is no such campaign.", field="campaign")
    added = [Window(schedule_id=campaign.schedule_id, **new._asdict()) for new in add]
    changes = update or {}
    known = Window.objects.filter(schedule_id=campaign.schedule_id, id__in=list(changes))
    changed = list(known)
    for window in changed:
        for field, value in changes[window.id].items():
            setattr(window, field, value)
    for window in [*added, *changed]:
        _check(window)

    def change() -> None:
        Window.objects.filter(schedule_id=campaign.schedule_id, id__in=remove).delete()
        for window in changed:
            window.save()
        Window.objects.bulk_create(added)

    _change(campaign, change, now=now, by=by)
    return added


def _change(campaign: Campaign, change: Callable[[], object], *, now: datetime, by: Actor) -> None:
    brand = budgets.lock_brand(campaign.brand_id)
    if Campaign.objects.filter(id=campaign.id).exclude(archived_at=None).exists():
        raise Conflict(f"{campaign.name} is archived.", field="campaign")
    change()
    now = decision_instant(brand, now=now)
    enforce_delivery({brand.id: brand}, now=now, by=by, campaign_ids=[campaign.id])


def _find(window_id: UUID) -> tuple[Window, Campaign]:
    window = Window.objects.filter(id=window_id).first()
    if window is None:
        raise NotFound("There is no such window.")
    return window, Campaign.objects.get(schedule_id=window.schedule_id)


def _check(window: Window) -> None:
    if not 0 <= window.day_of_week <= 6:
        raise InvalidValue("A weekday is 0 (Monday) to 6 (Sunday).", field="day_of_week")
    for field in ("start_time", "end_time"):
        if getattr(window, field).tzinfo is not None:
            raise InvalidValue("A window is in the brand's local time, without zone.", field=field)
    if window.start_time == window.end_time:
        raise InvalidValue("A window needs a length: start and end are equal.", field="end_time")
