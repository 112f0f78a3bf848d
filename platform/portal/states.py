"""What people call a status: a campaign that its flight alone holds is "scheduled" or "ended", and
one that nothing but a person brings back "waits for you".
"""

from collections.abc import Collection
from enum import StrEnum

from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When
from django.db.models.expressions import Combinable

from campaigns.models import WAITS, Campaign, Hold, Reason, Status


class State(StrEnum):
    """In the order in which pages list them; the stylesheet and the URLs use the same words."""

    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    SCHEDULED = "scheduled"
    ENDED = "ended"
    OFF = "off"
    ARCHIVED = "archived"

    @property
    def label(self) -> str:
        return "Waits for you" if self == State.WAITING else self.value.title()


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
    waits = any(hold.origin == WAITS for hold in open_holds)
    flight = [hold for hold in open_holds if hold.reason == Reason.FLIGHT]
    others = [h for h in open_holds if h.reason != Reason.FLIGHT and h.origin != WAITS]
    # Whoever resumed what has ended would start nothing.
    if not others and any(hold.until is None for hold in flight):
        return State.ENDED
    if waits:
        return State.WAITING
    return State.PAUSED if others or not flight else State.SCHEDULED


def state_expression() -> Combinable:
    """Return `state_of` in SQL, to filter and to count by."""
    own = Hold.objects.filter(campaign=OuterRef("pk"), released_at=None)
    waits = Exists(own.filter(origin=WAITS))
    other = Exists(own.exclude(reason=Reason.FLIGHT).exclude(origin=WAITS))
    ended = Exists(own.filter(reason=Reason.FLIGHT, until=None))
    flight = Exists(own.filter(reason=Reason.FLIGHT))
    return Case(
        When(archived_at__isnull=False, then=Value(State.ARCHIVED.value)),
        When(status=Status.ACTIVE, then=Value(State.RUNNING.value)),
        When(status=Status.INACTIVE, then=Value(State.OFF.value)),
        When(ended & ~other, then=Value(State.ENDED.value)),
        When(waits, then=Value(State.WAITING.value)),
        When(other | ~flight, then=Value(State.PAUSED.value)),
        default=Value(State.SCHEDULED.value),
    )


def in_state(campaigns: QuerySet[Campaign], state: State) -> QuerySet[Campaign]:
    """Return those of `campaigns` that are in a state."""
    return campaigns.annotate(state=state_expression()).filter(state=state)
