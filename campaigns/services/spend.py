"""Record what was spent. The spend that crosses a limit holds the campaigns in the same
transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from budgets import ledger, sources
from budgets import services as budgets
from budgets.ledger import Appended, NewEntry, check_key, own_key
from budgets.limits import check_amount
from budgets.locked import note_locked
from budgets.models import Brand, EntryKind, SourceMode, SpendEntry, SpendType
from kernel.actor import Actor
from kernel.arrays import id_array
from kernel.counters import Count
from kernel.errors import Conflict, DomainError, InvalidValue, NotFound
from kernel.ids import uuid7
from kernel.money import canonical
from kernel.transactions import atomic

from ..crossings import Spender, enforce_after_spend, find_spenders, find_spenders_of
from ..judgement import Outcome, decision_instant
from .counting import counted

API_SOURCE = "api"
# In the order in which a brand is made of them.
_BRAND_FIELDS = [field.attname for field in Brand._meta.concrete_fields]
_BRAND_COLUMNS = ", ".join(f"b.{field.column}" for field in Brand._meta.concrete_fields)


class NewSpend(NamedTuple):
    """One spend as reported: `spend_date` is the brand's local day, `amount` in its currency.

    With an `external_id` it counts once in its source; without one each report is a spend of its
    own.
    """

    campaign_id: UUID
    amount: Decimal
    spend_date: date
    spend_type: SpendType = SpendType.DAILY
    description: str = ""
    external_id: str = ""
    source: str = API_SOURCE
    is_correction: bool = False
    # The restating source that a correction corrects: its next restatement replaces it.
    corrects_source: str = ""
    # What the reporter believes the brand's currency to be; empty: nothing was said.
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The ledger's line for each spend, whether it is new, whether it was known and is reversed;
    what was decided on them; and their campaigns and brands as they were before that."""

    appended: Appended
    outcome: Outcome
    campaigns: Mapping[UUID, Spender]
    brands: Mapping[UUID, Brand]

    @property
    def entries(self) -> list[SpendEntry]:
        return self.appended.entries

    @property
    def is_new(self) -> list[bool]:
        return self.appended.is_new

    @property
    def is_reversed(self) -> list[bool]:
        return self.appended.is_reversed

    def status_of(self, campaign_id: UUID) -> str:
        """Return the status that a campaign has now."""
        decided = {d.campaign.campaign_id: d.status for d in self.outcome.moves}
        return decided.get(campaign_id, self.campaigns[campaign_id].status)

    @property
    def row_counts(self) -> Mapping[Count, int]:
        new = sum(self.is_new)
        return {Count.SPEND_RECORDED: new, Count.SPEND_DUPLICATE: len(self.is_new) - new}


class BadRows(DomainError):
    """Some rows of a batch can't be accepted, so none was; `errors` maps a row's index to why."""

    def __init__(self, errors: Mapping[int, DomainError]) -> None:
        super().__init__(f"{len(errors)} bad rows; nothing was stored.")
        self.errors = dict(errors)

    @property
    def are_conflicts(self) -> bool:
        """Whether every row is fine in itself, and contradicts the ledger."""
        return all(isinstance(error, Conflict) for error in self.errors.values())


def record_spend(*, spend: NewSpend, now: datetime, by: Actor) -> Recorded:
    """Record one spend. Raises NotFound, InvalidValue, KeyConflict."""
    try:
        return record_spends(spends=[spend], now=now, by=by)
    except BadRows as bad:
        raise bad.errors[0] from None


@counted
@atomic
def record_spends(*, spends: Sequence[NewSpend], now: datetime, by: Actor) -> Recorded:
    """Record spends, all or nothing, and decide again. Raises BadRows, which names each bad row."""
    named = {spend.campaign_id for spend in spends}
    brands = lock_brands_of(named, by=by)
    campaigns = find_spenders(named)
    errors = _bad_rows(spends, campaigns, brands, now=now)
    if errors:
        raise BadRows(errors)
    used = {(campaigns[spend.campaign_id].brand_id, spend.source) for spend in spends}
    sources.claim(used, SourceMode.APPEND, now=now)
    entries = [_entry(spend, campaigns[spend.campaign_id]) for spend in spends]
    try:
        chains = {campaign.budget_id: campaign.chain for campaign in campaigns.values()}
        appended = ledger.append(entries, now=now, by=by, chains=chains)
    except ledger.KeyConflicts as conflicts:
        raise BadRows(conflicts.by_index) from None
    outcome = enforce_after_spend(appended, campaigns.values(), brands, now=now, by=by)
    return Recorded(appended, outcome, campaigns, brands)


@atomic
def reverse_spend(*, entry_id: UUID, now: datetime, by: Actor) -> tuple[SpendEntry, bool]:
    """Reverse a spend by an entry that names it, once; return that entry and whether it is new.

    Raises NotFound, and Conflict for an entry that is a reversal itself.
    """
    entry = SpendEntry.objects.select_related("budget").filter(id=entry_id).first()
    if entry is None or not by.covers(entry.budget.brand_id):
        raise NotFound("There is no such spend.")
    if entry.kind == EntryKind.REVERSAL:
        raise Conflict("This entry is a reversal: record the spend again, under another key.")
    brand = budgets.lock_brand(entry.budget.brand_id, by=by)
    known = SpendEntry.objects.filter(reverses=entry).first()
    if known is not None:
        return known, False
    reversal = NewEntry(
        budget_id=entry.budget_id,
        brand_id=brand.id,
        day=entry.day,
        amount=-entry.amount,
        spend_type=SpendType(entry.spend_type),
        source=entry.source,
        # A key of its own: older entries may carry one that was made of the entry's id.
        key=ledger.own_key("reversal", uuid7()),
        kind=EntryKind.REVERSAL,
        description=f"Reverses {entry.key}"[:500],
        reverses_id=entry.id,
        corrects_source=entry.corrects_source,
    )
    appended = ledger.append([reversal], now=now, by=by)
    spenders = find_spenders_of([entry.budget_id]).values()
    enforce_after_spend(appended, spenders, {brand.id: brand}, now=now, by=by)
    return appended.entries[0], True


def find_bad_spends(
    *, spends: Sequence[NewSpend], now: datetime, by: Actor
) -> dict[int, DomainError]:
    """Tell by its index which spend can't be recorded, and why; nothing is locked or stored."""
    campaigns = find_spenders({spend.campaign_id for spend in spends})
    brand_ids = {campaign.brand_id for campaign in campaigns.values()}
    brands = Brand.objects.in_bulk(filter(by.covers, brand_ids))
    return _bad_rows(spends, campaigns, brands, now=now)


def _bad_rows(
    spends: Sequence[NewSpend],
    campaigns: Mapping[UUID, Spender],
    brands: Mapping[UUID, Brand],
    *,
    now: datetime,
) -> dict[int, DomainError]:
    check = SpendCheck(campaigns, brands, now=now)
    errors: dict[int, DomainError] = {}
    for index, spend in enumerate(spends):
        try:
            check(spend)
        except DomainError as refusal:
            errors[index] = refusal
    return errors


def lock_brands_of(campaign_ids: Collection[UUID], *, by: Actor) -> dict[UUID, Brand]:
    """Lock the campaigns' brands in the order of their ids, as `lock_brands` does.

    In one statement, since a campaign's brand never changes. Those that are not `by`'s are left
    out, so that their campaigns are as unknown as any. What else is known of the campaigns is
    read after this: one may be removed while we wait.
    """
    own, arguments = "", [id_array(campaign_ids)]
    if by.brand_ids is not None:
        own = "AND b.id = ANY(%s::uuid[])"
        arguments.append(id_array(by.brand_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_BRAND_COLUMNS} FROM budgets_brand b WHERE b.id IN"  # noqa: S608
            " (SELECT c.brand_id FROM campaigns_campaign c WHERE c.id = ANY(%s::uuid[]))"
            f" {own} ORDER BY b.id FOR NO KEY UPDATE OF b",
            arguments,
        )
        rows = cursor.fetchall()
    brands = [Brand.from_db(connection.alias, _BRAND_FIELDS, row) for row in rows]
    found = {brand.id: brand for brand in brands}
    note_locked(found)
    return found


class SpendCheck:
    """Checks spends against their campaigns and brands; a brand's today is worked out once."""

    def __init__(
        self, campaigns: Mapping[UUID, Spender], brands: Mapping[UUID, Brand], *, now: datetime
    ) -> None:
        self.campaigns = campaigns
        self.brands = {key: _Today.of(brand, now=now) for key, brand in brands.items()}

    def __call__(self, spend: NewSpend) -> None:
        """Raise NotFound or InvalidValue for a spend that can't be recorded."""
        campaign = self.campaigns.get(spend.campaign_id)
        known = self.brands.get(campaign.brand_id) if campaign else None
        if known is None:
            raise NotFound("There is no such campaign.", field="campaign")
        brand, today, zone = known
        check_amount(spend.amount)
        check_key(spend.external_id)
        _check_correction(spend)
        if spend.currency and spend.currency != brand.currency:
            raise InvalidValue(
                f"{brand.name} spends {brand.currency}, not {spend.currency[:3]}.",
                field="currency",
            )
        if spend.spend_date > today:
            raise InvalidValue(
                f"{spend.spend_date} is after {brand.name}'s today, {today} ({zone}).",
                field="spend_date",
            )
        if spend.spend_date.year < 1970:
            raise InvalidValue("A spend is of 1970 or later.", field="spend_date")


class _Today(NamedTuple):
    brand: Brand
    day: date
    zone: str

    @classmethod
    def of(cls, brand: Brand, *, now: datetime) -> "_Today":
        at, calendar = decision_instant(brand, now=now), brand.calendar
        return cls(brand, calendar.today(at), calendar.zone_at(at))


def _check_correction(spend: NewSpend) -> None:
    if spend.is_correction:
        if not spend.description.strip():
            raise InvalidValue("A correction needs a description of why.", field="description")
        return
    if spend.amount < 0:
        raise InvalidValue(
            "A spend can't be negative. A correction can, and says why.",
            field="amount",
        )
    if spend.corrects_source:
        raise InvalidValue("Only a correction names a source to correct.", field="corrects_source")


def _entry(spend: NewSpend, campaign: Spender) -> NewEntry:
    return NewEntry(
        campaign.budget_id,
        campaign.brand_id,
        spend.spend_date,
        canonical(spend.amount),
        spend.spend_type,
        spend.source,
        spend.external_id or own_key("entry", uuid7()),
        EntryKind.CORRECTION if spend.is_correction else EntryKind.SPEND,
        spend.description,
        None,
        spend.corrects_source,
    )
