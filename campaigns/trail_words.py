"""Each entry of the trail in one sentence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import models
from django.db.models import Q

from accounts.roles import Role
from budgets.models import STOP_AT_MAX, Brand, Budget, BudgetKind, BudgetMode, Period
from dayparting.models import Schedule, Weekday
from kernel.money import show
from trail.models import Entry, Operation

from .models import Campaign

Row = Mapping[str, Any]


class Kind(models.TextChoices):
    """What an entry is about, as a filter."""

    BRAND = "brand", "Brands"
    BUDGET = "budget", "Budgets"
    LIMIT = "limit", "Limits"
    ADJUSTMENT = "adjustment", "Adjustments"
    CAMPAIGN = "campaign", "Campaigns"
    SCHEDULE = "schedule", "Schedules"
    WINDOW = "window", "Windows"
    EXCEPTION = "exception", "Exceptions"
    USER = "user", "People"
    KEY = "key", "API keys"
    AGENCY = "agency", "Agency"


# What each is called in a sentence; a name follows.
_THINGS = {
    "brand": "brand",
    "budget": "the budget of",
    "limit": "the limits of",
    "adjustment": "an adjustment of",
    "campaign": "campaign",
    "schedule": "the schedule of",
    "window": "a window of",
    "exception": "an exception for",
    "user": "person",
    "key": "API key",
    "agency": "agency",
}
_GONE = "a campaign that is gone"
# In the order in which people are told; a field that is not named here is for machines.
_FIELDS = {
    "name": "name",
    "email": "e-mail",
    "role": "role",
    "brand_ids": "brands",
    "is_active": "active",
    "password": "password",
    "secret_hash": "secret",
    "expires_at": "expires",
    "revoked_at": "revoked",
    "currency": "currency",
    "time_zone": "time zone",
    "time_zone_since": "new zone since",
    "platform": "platform",
    "external_id": "external id",
    "start_date": "start date",
    "end_date": "end date",
    "is_live": "switched on",
    "parent_id": "group",
    "shared_schedule_id": "shared schedule",
    "archived_at": "archived",
    "mode": "when spent",
    "stop_at": "stops at",
    "from_day": "from",
    "daily_limit": "daily budget",
    "monthly_limit": "monthly budget",
    "period": "period",
    "period_start": "from",
    "amount": "amount",
    "day_of_week": "day",
    "day": "day",
    "start_time": "start",
    "end_time": "end",
    "starts": "opens",
    "ends": "closes",
    "note": "note",
    "withdrawn_at": "withdrawn",
}
_WORDS: dict[str, dict[Any, str]] = {
    "mode": {mode.value: mode.label.lower() for mode in BudgetMode} | {"": "as the budget above"},
    "role": {role.value: role.label for role in Role},
    "period": {period.value: period.label.lower() for period in Period},
    "day_of_week": {day.value: day.label for day in Weekday},
}
_AMOUNTS = frozenset({"daily_limit", "monthly_limit", "amount"})
_NONE = {"daily_limit": "no limit", "monthly_limit": "no limit", "brand_ids": "all brands"}
_SECRET = frozenset({"password", "secret_hash"})
_SAID = frozenset({"revoked_at", "withdrawn_at", "archived_at", "is_live"})
_DAYS = frozenset({"start_date", "end_date", "from_day", "period_start", "day"})


@dataclass(frozen=True, slots=True)
class Names:
    """What ids in entries are called, and the currencies of brands; what is gone is absent."""

    brands: Mapping[UUID, Brand] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    # Campaigns, by the ids of their budgets and schedules.
    owners: Mapping[str, str] = field(default_factory=dict)

    def currency_of(self, entry: Entry) -> str:
        """Return the currency of the entry's brand; "" where there is none (any more)."""
        brand = self.brands.get(entry.brand_id) if entry.brand_id else None
        return brand.currency if brand else ""

    def of(self, thing_id: str) -> str:
        return self.others.get(thing_id, "one that is gone")

    def owner_of(self, entry: Entry) -> str:
        """Return the name of the campaign whose part it is; "" where it can't be told any more."""
        return self.owners.get(_part(entry), "")


class ToldEntry(NamedTuple):
    """An entry, and its sentence after the name of who did it."""

    entry: Entry
    deed: str


def told(entries: Sequence[Entry]) -> list[ToldEntry]:
    """Return entries in words. Four statements for any number."""
    names = names_in(entries)
    return [ToldEntry(entry, deed(entry, names)) for entry in entries]


def names_in(entries: Iterable[Entry]) -> Names:
    """Return the names that the entries' sentences want. Four statements for any number."""
    entries = list(entries)
    wanted: dict[str, set[str]] = {"brand": set(), "budget": set(), "schedule": set()}
    for entry in entries:
        if entry.brand_id:
            wanted["brand"].add(str(entry.brand_id))
        for row in (entry.before or {}, entry.after or {}):
            wanted["brand"].update(row.get("brand_ids") or ())
            wanted["budget"].add(row.get("parent_id") or "")
            wanted["schedule"].add(row.get("shared_schedule_id") or "")
    ids = {kind: [UUID(word) for word in words if word] for kind, words in wanted.items()}
    brands = Brand.objects.in_bulk(ids["brand"])
    groups = Budget.objects.filter(id__in=ids["budget"]).order_by()
    schedules = Schedule.objects.filter(id__in=ids["schedule"]).order_by()
    return Names(
        brands,
        {
            **{str(key): brand.name for key, brand in brands.items()},
            # A campaign that is in no group lies below its brand's root.
            **{str(b.id): "none" if b.kind == BudgetKind.ROOT else b.name for b in groups},
            **{str(schedule.id): schedule.name for schedule in schedules},
        },
        _owners(entries),
    )


def _owners(entries: Sequence[Entry]) -> dict[str, str]:
    """Return the names of campaigns by the ids of their parts, for parts that don't know them.

    A campaign's budget and schedule are made before it and deleted after it.
    """
    parts = {_part(entry) for entry in entries if not entry.name} - {""}
    owners = {}
    for entry in entries:
        # One that is gone is told of here, more often than not beside its parts.
        if entry.kind == Kind.CAMPAIGN and entry.pgh_label == Operation.DELETE:
            row = entry.before or {}
            owners[str(row["budget_id"])] = owners[str(row["schedule_id"])] = entry.name
    alive = Campaign.objects.filter(Q(budget_id__in=parts) | Q(schedule_id__in=parts))
    for campaign in alive.order_by():
        owners[str(campaign.budget_id)] = owners[str(campaign.schedule_id)] = campaign.name
    return owners


def _part(entry: Entry) -> str:
    """Return the id of the budget or the schedule that the entry is about, or ""."""
    if entry.kind in (Kind.BUDGET, Kind.SCHEDULE):
        return entry.object_id
    row = entry.after or entry.before or {}
    return str(row.get("budget_id") or row.get("schedule_id") or "")


def sentence(entry: Entry, names: Names) -> str:
    """Tell who changed what, from what to what."""
    return f"{entry.by_label} {deed(entry, names)}"


def deed(entry: Entry, names: Names) -> str:
    """Tell what was done, as it follows on the name of who did it."""
    details = ", ".join(_details(entry, names))
    about = f": {details}" if details else ""
    return f"{_verb(entry)} {_thing(entry, names)}{about}"


def _verb(entry: Entry) -> str:
    """Return what was done; what the verb says itself is not told again (`_SAID`)."""
    after = entry.after or {}
    if entry.pgh_label == Operation.UPDATE:
        if after.get("revoked_at"):
            return "revoked"
        if after.get("withdrawn_at"):
            return "withdrew"
        if "archived_at" in after:
            return "archived" if after["archived_at"] else "brought back"
        if "is_live" in after:
            return "switched on" if after["is_live"] else "switched off"
    return Operation(entry.pgh_label).label.lower()


def _thing(entry: Entry, names: Names) -> str:
    is_shared = entry.kind == "schedule" and entry.campaign_id is None and entry.name
    thing = "shared schedule" if is_shared else _THINGS.get(entry.kind, entry.kind)
    return f"{thing} {entry.name or names.owner_of(entry) or _GONE}"


def _details(entry: Entry, names: Names) -> list[str]:
    currency = names.currency_of(entry)
    before, after = entry.before or {}, entry.after or {}
    if entry.pgh_label == Operation.UPDATE:
        changed = [name for name in _FIELDS if name in after and name not in _SAID]
        return [_change(name, before.get(name), after[name], currency, names) for name in changed]
    row = after or before
    if entry.kind == "window":
        start, end = _time(row["start_time"]), _time(row["end_time"])
        return [f"{_WORDS['day_of_week'][row['day_of_week']]} {start}–{end}"]
    if entry.kind == "exception":
        hours = [f"{_time(a)}–{_time(b)}" for a, b in zip(row["starts"], row["ends"], strict=True)]
        return [_day(row["day"]), ", ".join(hours) or "closed", *filter(None, [row["note"]])]
    return [
        f"{label} {_word(name, row[name], currency, names)}"
        for name, label in _FIELDS.items()
        if name in row and not _goes_without_saying(name, row)
    ]


def _change(name: str, before: Any, after: Any, currency: str, names: Names) -> str:
    label = _FIELDS[name]
    if name in _SECRET:
        return f"{label} changed"
    return f"{label} {_word(name, before, currency, names)} → {_word(name, after, currency, names)}"


def _goes_without_saying(name: str, row: Row) -> bool:
    """Return whether a field of a whole row adds nothing to the sentence."""
    if name in ("daily_limit", "monthly_limit"):
        # Not set here, but kept from the version before.
        return not row.get("sets_daily" if name == "daily_limit" else "sets_monthly", True)
    value = row[name]
    if value is None or value is True or value in ("", []):
        return True
    # The thing's name stands before; a campaign's own budget is in its brand's unless it is told.
    return name in ("name", "parent_id") or (name == "stop_at" and value == STOP_AT_MAX)


def _word(name: str, value: Any, currency: str, names: Names) -> str:
    if name in _WORDS:
        return _WORDS[name].get(value, str(value))
    if value is None or value == "":
        return _NONE.get(name, "none")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in _AMOUNTS:
        return _amount(Decimal(value), currency)
    if name == "stop_at":
        return f"{value} %"
    if name in ("starts", "ends"):
        return ", ".join(map(_time, value)) or "closed"
    if name == "brand_ids":
        return ", ".join(map(names.of, value)) or "none"
    if name in ("parent_id", "shared_schedule_id"):
        return names.of(value)
    if name in _DAYS:
        return _day(value)
    if name in ("start_time", "end_time"):
        return _time(value)
    if name.endswith(("_at", "_since")):
        at = datetime.fromisoformat(value)
        return f"{at.day} {at:%b %Y, %H:%M} UTC"
    return str(value)


def _amount(amount: Decimal, currency: str) -> str:
    if not currency:
        return f"{amount.normalize():f}"
    return f"{show(amount, currency)} {currency}"


def _day(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day.day} {day:%b %Y}"


def _time(text: str) -> str:
    """Cut the seconds, which are zero, from `09:00:00`."""
    return text[:5]
