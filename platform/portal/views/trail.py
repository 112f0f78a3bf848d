"""The trail: who changed what, in sentences."""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from accounts.models import ApiKey, User
from accounts.roles import Right
from budgets.models import Brand
from campaigns.models import Campaign
from campaigns.trail_words import Kind, told
from kernel.actor import SYSTEM, ActorKind
from trail.models import Entry
from trail.queries import Asked, entries, page_of

from ..access import PortalRequest, page
from ..params import cursor_in, day_in, id_in, text_in

Row = TypeVar("Row", bound=Model)

ENTRIES_A_PAGE = 50
_SYSTEM = ActorKind.SYSTEM.value


class Choice(NamedTuple):
    """A word of a filter, and what people read there."""

    value: str
    label: str


class Filter(NamedTuple):
    """Which entries to show; None and "" are all of them. Days are inclusive."""

    kind: str
    actor: str
    brand_id: UUID | None
    campaign_id: UUID | None
    object_id: str
    first: date | None
    last: date | None

    @property
    def is_narrow(self) -> bool:
        return any(self)


@page(Right.READ_TRAIL)
def index(request: PortalRequest) -> HttpResponse:
    """Every change of what people set, the newest first."""
    asked = _read(request)
    mine = request.user.brand_ids
    brands = Brand.objects.order_by("name", "id")
    brands = brands if mine is None else brands.filter(id__in=mine)
    campaign = _one(Campaign.objects.select_related("brand"), asked.campaign_id)
    brand = campaign.brand if campaign else _one(brands, asked.brand_id)
    wanted = _wanted(asked, brand)
    rows = entries(wanted, brand_ids=mine)
    found, older = page_of(rows, before=cursor_in(request, "before"), size=ENTRIES_A_PAGE)
    context = {
        "asked": asked,
        "entries": told(found),
        "older": older,
        "is_first": not request.GET.get("before"),
        "brands": brands,
        "brand": brand,
        "kinds": [Choice(*choice) for choice in Kind.choices],
        "actors": _actors(asked.actor, rows),
        "campaign_name": campaign.name if campaign else _name_in(rows, asked.campaign_id),
        "object_name": _name_in(rows, asked.object_id),
        "csv": _file(wanted),
    }
    return render(request, "portal/trail.html", context)


def _read(request: PortalRequest) -> Filter:
    kind = text_in(request, "kind")
    return Filter(
        kind if kind in Kind.values else "",
        text_in(request, "actor", length_max=36),
        id_in(request, "brand"),
        id_in(request, "campaign"),
        text_in(request, "object", length_max=36),
        day_in(request, "start_date"),
        day_in(request, "end_date"),
    )


def _wanted(asked: Filter, brand: Brand | None) -> Asked:
    """Return what is asked of the trail; days are the brand's where there is one, else UTC's."""
    is_system = asked.actor == _SYSTEM
    return Asked(
        kind=asked.kind or None,
        by_kind=_SYSTEM if is_system else None,
        by_id=None if is_system else asked.actor or None,
        object_id=asked.object_id or None,
        brand_id=asked.brand_id,
        campaign_id=asked.campaign_id,
        since=_day_start(asked.first, brand) if asked.first else None,
        until=_day_start(asked.last + timedelta(days=1), brand) if asked.last else None,
    )


def _one(rows: QuerySet[Row], row_id: UUID | None) -> Row | None:
    return None if row_id is None else rows.filter(pk=row_id).first()


def _day_start(day: date, brand: Brand | None) -> datetime:
    if brand is not None:
        return brand.calendar.day_start(day)
    return datetime.combine(day, time(), tzinfo=UTC)


def _actors(asked: str, rows: QuerySet[Entry]) -> list[Choice]:
    """Return who may be asked for: everybody who is here, and whoever is asked for."""
    actors = [Choice(str(user.id), str(user)) for user in User.objects.order_by("name", "email")]
    actors += [Choice(key.actor.id, key.actor.label) for key in ApiKey.objects.all()]
    actors.append(Choice(_SYSTEM, f"{SYSTEM.label} itself"))
    if asked and asked not in {actor.value for actor in actors}:
        last = rows.first()
        actors.append(Choice(asked, last.by_label if last else "Somebody who is gone"))
    return actors


def _name_in(rows: QuerySet[Entry], thing_id: UUID | str | None) -> str:
    """Return what a thing was called last; "" where none is asked for."""
    if not thing_id:
        return ""
    last = rows.exclude(name="").first()
    return last.name if last else "One that is gone"


def _file(asked: Asked) -> str:
    """Return the address of the same entries as a file, which the API answers to sessions too."""
    words = {
        "format": "csv",
        "actor": asked.by_kind or asked.by_id,
        "kind": asked.kind,
        "object": asked.object_id,
        "brand": asked.brand_id,
        "campaign": asked.campaign_id,
        "from": asked.since and asked.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "to": asked.until and asked.until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return f"/api/trail/?{urlencode({name: word for name, word in words.items() if word})}"
