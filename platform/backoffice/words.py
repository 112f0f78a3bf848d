"""How the lists tell a status and an instant."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.models import WAITS, Campaign, Hold, Reason, Status
from campaigns.queries import ToldHold
from kernel.local_time import Calendar

NOTHING = "–"


def label_of(row: Model) -> str:
    """Return what a row is called where brands mix: many brands have a campaign named "Search"."""
    return f"{row.brand.name} / {row.name}" if isinstance(row, Campaign) else str(row)


def chip(word: str, kind: str) -> SafeString:
    """A word in the colour of its kind: `run`, `held`, `wait`, `off`, `bad`."""
    return format_html('<span class="chip chip-{}">{}</span>', kind, word)


def status_chip(campaign: Campaign, holds: Iterable[Hold]) -> SafeString:
    """Tell the status; where a flight alone holds, that it is scheduled or has ended, and where
    nothing but a person brings it back, that it waits for one."""
    if campaign.archived_at is not None:
        return chip("Archived", "off")
    match campaign.status:
        case Status.ACTIVE:
            return chip("Active", "run")
        case Status.INACTIVE:
            return chip("Off", "off")
        case _:
            return _held_chip(list(holds))


def _held_chip(holds: Sequence[Hold]) -> SafeString:
    flight = [hold for hold in holds if hold.reason == Reason.FLIGHT]
    waits = any(hold.origin == WAITS for hold in holds)
    others = [h for h in holds if h.reason != Reason.FLIGHT and h.origin != WAITS]
    if not others and any(hold.until is None for hold in flight):
        return chip("Ended", "off")
    if waits:
        return chip("Waits for you", "bad")
    return chip("Paused", "held") if others or not flight else chip("Scheduled", "wait")


def told(holds: Collection[ToldHold]) -> SafeString:
    """Tell the open holds, a sentence each."""
    lines = [format_html("<li>{}</li>", hold.sentence) for hold in holds]
    if not lines:
        return SafeString("")
    return format_html('<ul class="why">{}</ul>', SafeString("".join(lines)))


def instant(at: datetime | None, calendar: Calendar) -> str:
    """Write an instant on the brand's wall clock, with its zone."""
    if at is None:
        return NOTHING
    local = calendar.local(at)
    return f"{local.day} {local:%b %Y %H:%M} {calendar.zone_at(at)}"


def utc(at: datetime | None) -> str:
    """Write an instant where there is no brand whose clock it would be."""
    return NOTHING if at is None else f"{at.day} {at:%b %Y %H:%M} UTC"
