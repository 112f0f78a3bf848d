"""Take what a source says was spent, as of an instant, and decide again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from budgets import restating, sources
from budgets import services as budgets
from budgets.models import Brand, SourceMode, SpendType
from budgets.restating import Restatement, StatementConflicts
from budgets.statements import Complete, Place, Statement, places_said
from kernel.actor import Actor
from kernel.counters import Count
from kernel.errors import DomainError, InvalidValue, NotFound
from kernel.money import canonical
from kernel.transactions import atomic

from ..crossings import Spender, enforce_after_spend, find_spenders, find_spenders_of
from ..judgement import Outcome
from ..models import Campaign
from .counting import counted
from .spend import BadRows, NewSpend, SpendCheck


@dataclass(frozen=True, slots=True)
class ReportedSpend:
    """What the source says a campaign spent on a local day, as of an instant."""

    campaign_id: UUID
    amount: Decimal
    spend_date: date
    as_of: datetime
    spend_type: SpendType = SpendType.DAILY
    currency: str = ""
    # Spent beside what another restating source says of the same day.
    is_additional: bool = False


@dataclass(frozen=True, slots=True)
class CompleteRange:
    """The report lists all spend of some days: what it does not list is nothing.

    `campaign_ids` None: of all campaigns that the source has reported.
    """

    from_day: date
    to_day: date
    as_of: datetime
    campaign_ids: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True)
class RestatedSpend:
    """A figure that changed, in the campaign's currency."""

    campaign_id: UUID
    spend_date: date
    spend_type: SpendType
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class RestateResult:
    """What a report did: places heard of first, known ones, stale ones, changed ones."""

    recorded: int
    duplicates: int
    stale: int
    restated: list[RestatedSpend]
    outcome: Outcome

    @property
    def row_counts(self) -> Mapping[Count, int]:
        return {
            Count.SPEND_RECORDED: self.recorded,
            Count.SPEND_RESTATED: len(self.restated),
            Count.SPEND_DUPLICATE: self.duplicates,
            Count.SPEND_STALE: self.stale,
        }


@counted
@atomic
def restate_spends(
    *,
    source: str,
    rows: Sequence[ReportedSpend],
    complete: CompleteRange | None = None,
    confirm_decrease: bool = False,
    now: datetime,
    by: Actor,
) -> RestateResult:
    """Append what a report changes, all or nothing, and decide again.

    Locks the source, then the brands. Raises Conflict (the source appends; an unconfirmed
    decrease), InvalidValue, NotFound, and BadRows, which names each bad row.
    """
    _check_range(complete)
    sources.lock(source, now=now)
    named = {row.campaign_id for row in rows}
    if complete is not None and complete.campaign_ids is not None:
        named |= complete.campaign_ids
    campaigns = _spenders(named, by=by)
    _check_named(complete, campaigns)
    whole = _complete(complete, campaigns, by=by)
    said = places_said(source, whole) if whole else set()
    by_budget = {campaign.budget_id: campaign for campaign in campaigns.values()}
    by_budget |= find_spenders_of(said)
    brand_ids = {campaign.brand_id for campaign in by_budget.values()}
    brands = budgets.lock_brands(brand_ids, by=by)
    # Read again: one may have been removed while we waited for the lock.
    campaigns = _spenders(named, by=by)
    _check_rows(rows, campaigns, brands, now=now)
    named_brands = {campaign.brand_id for campaign in campaigns.values()}
    restated = _claim(source, brand_ids, named_brands, now=now)
    brand_of = {key: one.brand_id for key, one in by_budget.items() if one.brand_id in restated}
    statements = [
        Statement(
            Place(campaigns[row.campaign_id].budget_id, row.spend_date, row.spend_type),
            canonical(row.amount),
            row.as_of,
            row.is_additional,
        )
        for row in rows
    ]
    try:
        result = restating.restate(
            source,
            statements,
            complete=whole,
            confirm_decrease=confirm_decrease,
            said=said & brand_of.keys(),
            brand_of=brand_of,
            now=now,
            by=by,
        )
    except StatementConflicts as conflicts:
        raise BadRows(conflicts.by_index) from None
    return _decide(result, by_budget, brands, now=now, by=by)


def _claim(
    source: str, brand_ids: Collection[UUID], named: Collection[UUID], *, now: datetime
) -> set[UUID]:
    """Let the source restate in the brands, and return them. Raises Conflict where it appends in a
    brand that is named; a brand that is not, and where it appends, is left out.
    """
    known = sources.modes([(brand_id, source) for brand_id in brand_ids])
    restated = {
        brand_id
        for brand_id in brand_ids
        if brand_id in named or known.get((brand_id, source)) != SourceMode.APPEND
    }
    sources.claim({(brand_id, source) for brand_id in restated}, SourceMode.RESTATE, now=now)
    return restated


def _decide(
    result: Restatement,
    by_budget: Mapping[UUID, Spender],
    brands: Mapping[UUID, Brand],
    *,
    now: datetime,
    by: Actor,
) -> RestateResult:
    outcome = Outcome()
    if result.appended is not None and result.appended.new_lines:
        # Read again: a campaign may have changed its group while we waited for the lock.
        spenders = find_spenders_of({line.budget_id for line in result.appended.new_lines})
        outcome = enforce_after_spend(result.appended, spenders.values(), brands, now=now, by=by)
    restated = [
        RestatedSpend(by_budget[place.budget_id].id, place.day, place.spend_type, before, after)
        for place, before, after in result.restated
    ]
    return RestateResult(result.recorded, result.duplicates, result.stale, restated, outcome)


def _check_range(complete: CompleteRange | None) -> None:
    if complete is not None and complete.to_day < complete.from_day:
        raise InvalidValue("A range can't end before it begins.", field="complete")


def _check_named(complete: CompleteRange | None, campaigns: Collection[UUID]) -> None:
    if complete is None or complete.campaign_ids is None:
        return
    unknown = sorted(complete.campaign_ids - set(campaigns), key=str)
    if unknown:
        raise NotFound(f"There is no campaign {unknown[0]}.", field="complete")


def _spenders(campaign_ids: Collection[UUID], *, by: Actor) -> dict[UUID, Spender]:
    """Return those of the campaigns that there are for `by`."""
    found = find_spenders(campaign_ids)
    return {key: spender for key, spender in found.items() if by.covers(spender.brand_id)}


def _complete(
    complete: CompleteRange | None, campaigns: Mapping[UUID, Spender], *, by: Actor
) -> Complete | None:
    if complete is None:
        return None
    ids = complete.campaign_ids
    budget_ids = None if ids is None else frozenset(campaigns[key].budget_id for key in ids)
    if ids is None and by.brand_ids is not None:
        # All, of the brands that the source's reporter is limited to.
        own = Campaign.objects.filter(brand__in=by.brand_ids)
        budget_ids = frozenset(own.values_list("budget_id", flat=True))
    return Complete(complete.from_day, complete.to_day, complete.as_of, budget_ids)


def _check_rows(
    rows: Sequence[ReportedSpend],
    campaigns: Mapping[UUID, Spender],
    brands: Mapping[UUID, Brand],
    *,
    now: datetime,
) -> None:
    check = SpendCheck(campaigns, brands, now=now)
    errors: dict[int, DomainError] = {}
    first: dict[tuple[UUID, date, str], int] = {}
    for index, row in enumerate(rows):
        spend = NewSpend(
            row.campaign_id,
            row.amount,
            row.spend_date,
            row.spend_type,
            currency=row.currency,
        )
        place = (row.campaign_id, row.spend_date, row.spend_type)
        try:
            check(spend)
            if first.setdefault(place, index) != index:
                raise InvalidValue(
                    f"Row {first[place]} is about the same campaign, day and type.",
                    field="spend_date",
                )
        except DomainError as refusal:
            errors[index] = refusal
    if errors:
        raise BadRows(errors)
