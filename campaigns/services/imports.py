"""Import a file of spend into one brand: the brand and the campaigns that are missing are made."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NoReturn
from uuid import UUID

from budgets import services as budgets
from budgets import sources
from budgets.models import Brand, SpendType
from kernel.actor import Actor
from kernel.errors import Conflict, DomainError
from kernel.transactions import atomic

from ..enforcement import enforce_delivery
from ..judgement import Outcome
from ..models import Campaign
from ..spend_file import BadValue, SpendLine, UnreadableFile
from .brands import create_brand
from .campaigns import make_campaigns
from .restatements import ReportedSpend, restate_spends
from .spend import BadRows, NewSpend, find_bad_spends, record_spends

IMPORT_SOURCE = "import"
# Where in the file the cause is of a refusal of a spend, and of a campaign, by the refused field.
_SPEND_FIELDS = {
    "spend_date": "date",
    "amount": "amount",
    # The key is the campaign, the day and the type: only the amount can differ.
    "external_id": "amount",
}
_CAMPAIGN_FIELDS = {"name": "campaign", "external_id": "campaign_external_id"}


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: rows recorded and rows known before, campaigns made, what was decided.

    Where the source restates: figures changed, and rows older than what it has said since.
    """

    recorded: int
    known: int
    new_campaigns: int
    outcome: Outcome
    restated: int = 0
    stale: int = 0


@atomic
def import_spend(
    *,
    lines: Sequence[SpendLine],
    brand_name: str,
    columns: Mapping[str, str] | None = None,
    currency: str | None = None,
    time_zone: str | None = None,
    source: str = IMPORT_SOURCE,
    as_of: datetime | None = None,
    is_additional: bool = False,
    now: datetime,
    by: Actor,
) -> Imported:
    """Record the lines, all or nothing; a line's key is its campaign, date and type.

    With `as_of` the source restates: the lines are what it reports as of that instant, beside other
    restating sources if `is_additional`. `currency` (None: USD) and `time_zone` (None: UTC) are for
    a brand that is made; one that is there must have what is given. `columns` is what the file was
    read with, to name a bad line's column. Raises UnreadableFile, which names the bad lines,
    Conflict, and as `create_brand` does.
    """
    if as_of is not None:
        # Before any brand is locked.
        sources.lock(source, now=now)
    brand = _locked_brand(brand_name, currency, time_zone, now=now, by=by)
    found = _resolve(brand, lines)
    refused = make_campaigns(list(found.missing.values()), brand=brand)
    places = columns or {}
    bad = {
        index: _bad(lines[index], refused[place], _CAMPAIGN_FIELDS, places)
        for place, index in enumerate(found.missing)
        if place in refused
    }
    bad |= _repeated(lines, found.campaigns, but=bad)
    if as_of is not None:
        bad |= _described(lines, places, but=bad)
    spends = {
        index: _spend(line, campaign, source)
        for index, (line, campaign) in enumerate(zip(lines, found.campaigns, strict=True))
        if index not in bad
    }
    if bad:
        # Whoever mends the file wants all that is wrong with it at once.
        _refuse(
            bad,
            lines,
            spends,
            find_bad_spends(spends=list(spends.values()), now=now, by=by),
            places,
        )
    made = list(found.missing.values())
    try:
        if as_of is None:
            return _append(list(spends.values()), made, now=now, by=by)
        rows = [_reported(spend, as_of, is_additional) for spend in spends.values()]
        return _restate(source, rows, made, brand, now=now, by=by)
    except BadRows as rejected:
        _refuse(bad, lines, spends, rejected.errors, places)


def _append(
    spends: Sequence[NewSpend], made: Sequence[Campaign], *, now: datetime, by: Actor
) -> Imported:
    # It decides on every campaign with a new spend: a campaign is made for a line, so on all that
    # were made. The outbox, which the whole agency shares, is locked there, last.
    recorded = record_spends(spends=spends, now=now, by=by)
    new = sum(recorded.is_new)
    return Imported(new, len(spends) - new, len(made), recorded.outcome)


def _reported(spend: NewSpend, as_of: datetime, is_additional: bool) -> ReportedSpend:
    return ReportedSpend(
        campaign_id=spend.campaign_id,
        amount=spend.amount,
        spend_date=spend.spend_date,
        as_of=as_of,
        spend_type=spend.spend_type,
        is_additional=is_additional,
    )


def _restate(
    source: str,
    rows: Sequence[ReportedSpend],
    made: Sequence[Campaign],
    brand: Brand,
    *,
    now: datetime,
    by: Actor,
) -> Imported:
    result = restate_spends(source=source, rows=rows, now=now, by=by)
    outcome = result.outcome
    # A campaign that is made for a line of nothing, or for a stale one, has no entry to decide on.
    ids = [campaign.id for campaign in made]
    idle = list(Campaign.objects.filter(id__in=ids, status_version=0).values_list("id", flat=True))
    if idle:
        locked = {brand.id: budgets.lock_brand(brand.id, by=by)}
        outcome.add(enforce_delivery(locked, now=now, by=by, campaign_ids=idle))
    return Imported(
        result.recorded,
        result.duplicates,
        len(made),
        outcome,
        restated=len(result.restated),
        stale=result.stale,
    )


def _locked_brand(
    name: str, currency: str | None, time_zone: str | None, *, now: datetime, by: Actor
) -> Brand:
    """Lock the brand, made if it is missing. Raises Conflict where it is not what was said."""
    known = Brand.objects.filter(name__iexact=name, archived_at=None).first()
    if known is None:
        known = create_brand(
            name=name, currency=currency or "USD", time_zone=time_zone or "UTC", now=now, by=by
        )
    brand = budgets.lock_brand(known.id, by=by)
    if brand.archived_at is not None:
        raise Conflict(f"{brand.name} is archived.", field="brand")
    if currency is not None and currency != brand.currency:
        raise Conflict(
            f"{brand.name} spends {brand.currency}, not {currency}; nothing was stored.",
            field="currency",
        )
    if time_zone is not None and time_zone != brand.time_zone:
        raise Conflict(
            f"{brand.name}'s days are those of {brand.time_zone}, not {time_zone};"
            " nothing was stored.",
            field="time_zone",
        )
    return brand


@dataclass(slots=True)
class _Resolution:
    """The campaign of each line, and those to be made, by the index of the line that needs it."""

    campaigns: list[Campaign]
    missing: dict[int, Campaign] = field(default_factory=dict)


def _resolve(brand: Brand, lines: Sequence[SpendLine]) -> _Resolution:
    """Find each line's campaign: by its external id on its platform, else by its name.

    A name does not find a campaign of another external id or platform. That line gets a campaign
    of its own, which is then refused, for the name is taken.
    """
    by_id: dict[tuple[str, str], Campaign] = {}
    by_name: dict[str, Campaign] = {}
    # Platform and external id: as stored, or as the lines tell them where nothing is stored.
    told: dict[UUID, tuple[str, str]] = {}

    def enter(campaign: Campaign, platform: str, external_id: str) -> None:
        if external_id:
            by_id.setdefault((platform, external_id), campaign)
        was_platform, was_id = told.get(campaign.id, ("", ""))
        told[campaign.id] = (was_platform or platform, was_id or external_id)
        by_name.setdefault(campaign.name.lower(), campaign)

    def find(line: SpendLine) -> Campaign | None:
        if line.campaign_external_id:
            known = by_id.get((line.platform, line.campaign_external_id))
            if known is not None:
                return known
        named = by_name.get(line.campaign.lower())
        if named is None:
            return None
        platform, external_id = told[named.id]
        is_other = _differ(platform.lower(), line.platform.lower()) or _differ(
            external_id, line.campaign_external_id
        )
        return None if is_other else named

    for campaign in Campaign.objects.filter(brand=brand, archived_at=None):
        enter(campaign, campaign.platform, campaign.external_id)
    found: dict[int, Campaign] = {}
    missing: dict[int, Campaign] = {}
    # Those with an external id first: what a line without one means hangs on no order of lines.
    for index in sorted(range(len(lines)), key=lambda index: not lines[index].campaign_external_id):
        line = lines[index]
        known = find(line)
        if known is None:
            known = missing[index] = Campaign(
                brand=brand,
                name=line.campaign,
                platform=line.platform,
                external_id=line.campaign_external_id,
            )
        enter(known, line.platform, line.campaign_external_id)
        found[index] = known
    return _Resolution([found[index] for index in range(len(lines))], missing)


def _differ(told: str, said: str) -> bool:
    return bool(told and said) and told != said


def _repeated(
    lines: Sequence[SpendLine], campaigns: Sequence[Campaign], *, but: Collection[int]
) -> dict[int, BadValue]:
    """Two lines of one campaign, date and type are one key: which amount is meant?"""
    first: dict[tuple[UUID, date, SpendType], int] = {}
    repeated = {}
    for index, (line, campaign) in enumerate(zip(lines, campaigns, strict=True)):
        earlier = first.setdefault((campaign.id, line.day, line.spend_type), line.line)
        if earlier != line.line and index not in but:
            repeated[index] = BadValue(
                line.line, "-", f"it repeats the campaign, date and type of line {earlier}."
            )
    return repeated


def _described(
    lines: Sequence[SpendLine], columns: Mapping[str, str], *, but: Collection[int]
) -> dict[int, BadValue]:
    """What a source restates is a figure, which has nowhere to keep a description."""
    column = columns.get("description", "description")
    return {
        index: BadValue(line.line, column, "it can't be kept where a source restates.")
        for index, line in enumerate(lines)
        if line.description and index not in but
    }


def _spend(line: SpendLine, campaign: Campaign, source: str) -> NewSpend:
    return NewSpend(
        campaign_id=campaign.id,
        amount=line.amount,
        spend_date=line.day,
        spend_type=line.spend_type,
        description=line.description,
        external_id=f"{campaign.id}:{line.day}:{line.spend_type}",
        source=source,
    )


def _bad(
    line: SpendLine, refusal: DomainError, fields: Mapping[str, str], columns: Mapping[str, str]
) -> BadValue:
    place = fields.get(refusal.field or "")
    return BadValue(line.line, columns.get(place, place) if place else "-", refusal.message)


def _refuse(
    bad: Mapping[int, BadValue],
    lines: Sequence[SpendLine],
    spends: Collection[int],
    refused: Mapping[int, DomainError],
    columns: Mapping[str, str],
) -> NoReturn:
    """Raise UnreadableFile of the lines that are bad and the `spends` (line indices) refused."""
    indices = list(spends)
    more = [
        _bad(lines[indices[place]], refusal, _SPEND_FIELDS, columns)
        for place, refusal in refused.items()
    ]
    every = sorted([*bad.values(), *more])
    raise UnreadableFile(f"{len(every)} bad values; nothing was stored.", every) from None
