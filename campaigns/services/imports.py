"""Import a file of spend into one brand: the brand and the campaigns that are missing are made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from budgets.models import Brand
from kernel.actor import Actor

from ..enforcement import Outcome
from ..models import Campaign
from ..spend_file import BadValue, SpendLine, UnreadableFile
from .brands import create_brand
from .campaigns import create_campaign
from .spend import BadRows, NewSpend, record_spends

IMPORT_SOURCE = "import"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: rows recorded and rows known before, campaigns made, what was decided."""

    recorded: int
    known: int
    new_campaigns: int
    outcome: Outcome


@transaction.atomic
def import_spend(
    *,
    lines: Sequence[SpendLine],
    brand_name: str,
    currency: str = "USD",
    time_zone: str = "UTC",
    source: str = IMPORT_SOURCE,
    now: datetime,
    by: Actor,
) -> Imported:
    """Record the lines, all or nothing; a line's key is its campaign, date and type.

    `currency` and `time_zone` are for a brand that is made. Raises UnreadableFile, which names the
    bad lines, and what `create_brand` and `create_campaign` raise.
    """
    brand = Brand.objects.filter(name__iexact=brand_name, archived_at=None).first()
    if brand is None:
        brand = create_brand(
            name=brand_name, currency=currency, time_zone=time_zone, now=now, by=by
        )
    before = Campaign.objects.filter(brand=brand).count()
    campaign_ids = _campaigns(brand, lines, now=now, by=by)
    spends = [
        NewSpend(
            campaign_id=campaign_ids[_identity(line)],
            amount=line.amount,
            spend_date=line.day,
            spend_type=line.spend_type,
            description=line.description,
            external_id=f"{campaign_ids[_identity(line)]}:{line.day}:{line.spend_type}",
            source=source,
        )
        for line in lines
    ]
    try:
        recorded = record_spends(spends=spends, now=now, by=by)
    except BadRows as rows:
        bad = [
            BadValue(lines[index].line, refusal.field or "-", refusal.message)
            for index, refusal in sorted(rows.errors.items())
        ]
        raise UnreadableFile(f"{len(bad)} bad values; nothing was stored.", bad) from None
    new = sum(recorded.is_new)
    made = Campaign.objects.filter(brand=brand).count() - before
    return Imported(new, len(lines) - new, made, recorded.outcome)


def _identity(line: SpendLine) -> tuple[str, str]:
    """A line's campaign: its external id on its platform, or its name where it has none."""
    return (line.platform, line.campaign_external_id or line.campaign.lower())


def _campaigns(
    brand: Brand, lines: Sequence[SpendLine], *, now: datetime, by: Actor
) -> dict[tuple[str, str], UUID]:
    """Return the campaign of each line; those that the brand does not have yet are made."""
    known = Campaign.objects.filter(brand=brand, archived_at=None)
    found: dict[tuple[str, str], UUID] = {}
    for campaign in known:
        if campaign.external_id:
            found[campaign.platform, campaign.external_id] = campaign.id
        found.setdefault(("", campaign.name.lower()), campaign.id)
    for line in lines:
        if _identity(line) not in found:
            by_name = found.get(("", line.campaign.lower()))
            is_same = by_name is not None and not line.campaign_external_id
            found[_identity(line)] = (
                by_name
                if is_same and by_name is not None
                else create_campaign(
                    brand_id=brand.id,
                    name=line.campaign,
                    platform=line.platform,
                    external_id=line.campaign_external_id,
                    now=now,
                    by=by,
                ).id
            )
    return found
