"""What people call a status: a campaign that its flight alone holds is "scheduled" or "ended"."""

from collections.abc import Collection
from enum import StrEnum

from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When
from django.db.models.expressions import Combinable

from campaigns.models import Campaign, Hold, Reason, Status


class State(StrEnum):
    """In the order in which pages list them; the stylesheet and the URLs use the same words."""

    RUNNING = "running"
    PAUSED = "paused"
    SCHEDULED = "scheduled"
    ENDED = "ended"
    OFF = "off"
    ARCHIVED = "archived"

    @property
    def label(self) -> str:
        return self.value.title()


# Archived campaigns have left the overviews.
SHOWN_STATES = [state for state in State if state != State.ARCHIVED]


def state_of(campaign: Campaign, open_holds: Collection[Hold]) -> State:
    """Return what to call a campaign with these open holds."""
    if campaign.archived_at is not None:
        return State.ARCHIVED
    if campaign.status == Status.ACTIVE:
        return State.RUNNING
    if campaign.status == Status.INACTIVE:
        return State.OFF
    if not open_holds or any(hold.reason != Reason.FLIGHT for hold in open_holds):
        return State.PAUSED
    return State.SCHEDULED if all(hold.until for hold in open_holds) else State.ENDED


def state_expression() -> Combinable:
    """Return `state_of` in SQL, to filter and to count by."""
    own = Hold.objects.filter(campaign=OuterRef("pk"), released_at=None)
    other = Exists(own.exclude(reason=Reason.FLIGHT))
    ended = Exists(own.filter(reason=Reason.FLIGHT, until=None))
    flight = Exists(own.filter(reason=Reason.FLIGHT))
    return Case(
        When(archived_at__isnull=False, then=Value(State.ARCHIVED.value)),
        When(status=Status.ACTIVE, then=Value(State.RUNNING.value)),
        When(status=Status.INACTIVE, then=Value(State.OFF.value)),
        When(other | ~flight, then=Value(State.PAUSED.value)),
        When(ended, then=Value(State.ENDED.value)),
        default=Value(State.SCHEDULED.value),
    )


def in_state(campaigns: QuerySet[Campaign], state: State) -> QuerySet[Campaign]:
    """Return those of `campaigns` that are in a state."""
    return campaigns.annotate(state=state_expression()).filter(state=state)
