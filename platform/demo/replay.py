"""Live through days that are over: what people did, and what the sweep would have decided.

Every service takes the instant as an argument, so the past is made by the same code as the present,
and leaves the same trail: holds placed at noon and released at midnight, changes in their order.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from budgets.models import Brand
from budgets.services import lock_brands
from campaigns.enforcement import enforce_delivery
from kernel.actor import SYSTEM


class Event(NamedTuple):
    """Something that somebody did: `act` is called with the instant at which it happened."""

    at: datetime
    act: Callable[[datetime], object]


def replay(events: Iterable[Event], *, until: datetime) -> None:
    """Let the events happen in their order, and time decide in between, up to `until`.

    Call it in an agency's context, in a transaction; all events are at or before `until`.
    """
    for event in sorted(events, key=lambda event: event.at):
        _let_time_pass(event.at)
        event.act(event.at)
    _let_time_pass(until)


def _let_time_pass(until: datetime) -> None:
    """Decide for each brand at each instant at which time alone may have changed something."""
    while True:
        due = Brand.objects.filter(next_check_at__lte=until).order_by("next_check_at", "id").first()
        if due is None:
            return
        assert due.next_check_at is not None
        enforce_delivery(lock_brands([due.id], by=SYSTEM), now=due.next_check_at, by=SYSTEM)
