"""Change brands, and decide again in the same transaction."""

from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict
from uuid import UUID

from budgets import services as budgets
from budgets import totals
from budgets.models import Brand, Budget, BudgetKind
from budgets.terms import Limits
from dayparting.models import Schedule
from kernel.actor import Actor
from kernel.errors import NotAllowed
from kernel.transactions import atomic

from ..enforcement import enforce_delivery
from ..judgement import decision_instant
from ..models import Campaign
from .budgets import change_limits, check_not_archived


class BrandChanges(TypedDict, total=False):
    """What may change of a brand and its own budget (see LimitChanges).

    An absent key keeps what is.
    """

    name: str
    currency: str
    time_zone: str
    daily_budget: Decimal | None
    monthly_budget: Decimal | None
    from_day: date
    mode: str
    stop_at: int


def create_brand(
    *,
    name: str,
    currency: str = "USD",
    time_zone: str = "UTC",
    daily_budget: Decimal | None = None,
    monthly_budget: Decimal | None = None,
    now: datetime,
    by: Actor,
) -> Brand:
    """Make a brand with the root of its budgets.

    Raises InvalidValue, NameTaken, and NotAllowed for who is limited to other brands.
    """
    if by.is_limited:
        raise NotAllowed("Who is limited to some brands makes no new ones.")
    return budgets.create_brand(
        name=name,
        currency=currency,
        time_zone=time_zone,
        limits=Limits(daily_budget, monthly_budget),
        now=now,
        by=by,
    )


@atomic
def update_brand(*, brand_id: UUID, changes: BrandChanges, now: datetime, by: Actor) -> Brand:
    """Change a brand. Raises NotFound, InvalidValue, NameTaken, Conflict (archived, currency)."""
    brand = budgets.lock_brand(brand_id, by=by)
    check_not_archived(brand)
    now = decision_instant(brand, now=now)
    if "currency" in changes:
        budgets.change_currency(brand, changes["currency"])
    if "time_zone" in changes:
        budgets.change_zone(brand, changes["time_zone"], now=now)
    brand.name = changes.get("name", brand.name)
    budgets.save_named(brand, what="brand")
    change_limits(budgets.root_of(brand), changes, brand=brand, now=now, by=by)
    enforce_delivery({brand.id: brand}, now=now, by=by)
    return brand


@atomic
def remove_brand(*, brand_id: UUID, now: datetime, by: Actor) -> Brand | None:
    """Delete a brand without spend, or archive it: return the archived brand, None if it is gone.

    An archived brand keeps its history; its campaigns are archived too, and its name is free again.
    """
    brand = budgets.lock_brand(brand_id, by=by)
    now = decision_instant(brand, now=now)
    if not totals.has_spend(budgets.root_of(brand).id):
        campaigns = Campaign.objects.filter(brand=brand)
        # Told to whoever reads the feed, which outlives them.
        campaigns.update(is_live=False)
        enforce_delivery({brand.id: brand}, now=now, by=by)
        schedules = list(campaigns.values_list("schedule_id", flat=True))
        campaigns.delete()
        _delete_schedules(schedules)
        Budget.objects.filter(brand=brand, kind=BudgetKind.LEAF).delete()
        Budget.objects.filter(brand=brand, kind=BudgetKind.GROUP).delete()
        brand.delete()
        return None
    if brand.archived_at is None:
        brand.archived_at = now
        brand.save(update_fields=["archived_at", "updated_at"])
        Campaign.objects.filter(brand=brand, archived_at=None).update(
            archived_at=now, is_live=False, updated_at=now
        )
        enforce_delivery({brand.id: brand}, now=now, by=by)
    return brand


def _delete_schedules(schedule_ids: list[UUID]) -> None:
    Schedule.objects.filter(id__in=schedule_ids).delete()
