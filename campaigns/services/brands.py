"""Change brands and budgets, and decide again in the same transaction."""

from datetime import datetime
from decimal import Decimal
from typing import TypedDict
from uuid import UUID

from budgets import ledger
from budgets import services as budgets
from budgets.models import Brand, Budget, BudgetKind
from budgets.queries import Limits
from dayparting.models import Schedule
from kernel.actor import Actor
from kernel.errors import Conflict, NotFound
from kernel.transactions import atomic

from ..enforcement import enforce_delivery
from ..judgement import decision_instant
from ..models import Campaign


class BrandChanges(TypedDict, total=False):
    """What may change of a brand; a limit of None is no limit, an absent key keeps what is."""

    name: str
    currency: str
    time_zone: str
    daily_budget: Decimal | None
    monthly_budget: Decimal | None


class LimitChanges(TypedDict, total=False):
    """What may change of a budget; a limit of None is no limit, an absent key keeps what is."""

    name: str
    daily_budget: Decimal | None
    monthly_budget: Decimal | None


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
    """Make a brand with the root of its budgets. Raises InvalidValue and NameTaken."""
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
    brand = budgets.lock_brand(brand_id)
    _check_not_archived(brand)
    now = decision_instant(brand, now=now)
    if "currency" in changes:
        budgets.change_currency(brand, changes["currency"])
    if "time_zone" in changes:
        budgets.change_zone(brand, changes["time_zone"], now=now)
    brand.name = changes.get("name", brand.name)
    budgets.save_named(brand, what="brand")
    _change_limits(budgets.root_of(brand), changes, brand=brand, now=now, by=by)
    enforce_delivery({brand.id: brand}, now=now, by=by)
    return brand


def _change_limits(
    budget: Budget,
    changes: BrandChanges | LimitChanges,
    *,
    brand: Brand,
    now: datetime,
    by: Actor,
) -> bool:
    """Set the limits that `changes` names, from the brand's today on."""
    if "daily_budget" not in changes and "monthly_budget" not in changes:
        return False
    today = brand.calendar.today(now)
    current = budgets.current_limits(budget, on=today)
    limits = Limits(
        changes.get("daily_budget", current.daily),
        changes.get("monthly_budget", current.monthly),
    )
    return budgets.set_limits(budget, limits, brand=brand, from_day=today, now=now, by=by)


def _check_not_archived(brand: Brand) -> None:
    if brand.archived_at is not None:
        raise Conflict(f"{brand.name} is archived.", field="brand")


@atomic
def remove_brand(*, brand_id: UUID, now: datetime, by: Actor) -> Brand | None:
    """Delete a brand without spend, or archive it: return the archived brand, None if it is gone.

    An archived brand keeps its history; its campaigns are archived too, and its name is free again.
    """
    brand = budgets.lock_brand(brand_id)
    now = decision_instant(brand, now=now)
    if not ledger.has_spend(budgets.root_of(brand).id):
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


@atomic
def create_group(
    *,
    brand_id: UUID,
    name: str,
    daily_budget: Decimal | None = None,
    monthly_budget: Decimal | None = None,
    now: datetime,
    by: Actor,
) -> Budget:
    """Make a budget group. Raises NotFound, InvalidValue, NameTaken, Conflict."""
    brand = budgets.lock_brand(brand_id)
    _check_not_archived(brand)
    group = budgets.create_group(brand=brand, name=name)
    changes: LimitChanges = {
        "daily_budget": daily_budget,
        "monthly_budget": monthly_budget,
    }
    _change_limits(group, changes, brand=brand, now=decision_instant(brand, now=now), by=by)
    return group


@atomic
def update_budget(*, budget_id: UUID, changes: LimitChanges, now: datetime, by: Actor) -> Budget:
    """Change the limits of any budget, or a group's name. Raises as `create_group` does."""
    brand, budget = _lock_budget(budget_id)
    now = decision_instant(brand, now=now)
    if Campaign.objects.filter(budget=budget).exclude(archived_at=None).exists():
        raise Conflict("The campaign of this budget is archived.")
    if "name" in changes and changes["name"] != budget.name:
        if budget.kind != BudgetKind.GROUP:
            raise Conflict(
                "Only a group has a name of its own: rename the brand or the campaign.",
                field="name",
            )
        budget.name = changes["name"]
        budgets.save_named(budget, what="budget group")
    if _change_limits(budget, changes, brand=brand, now=now, by=by):
        enforce_delivery({brand.id: brand}, now=now, by=by)
    return budget


@atomic
def remove_group(*, budget_id: UUID, now: datetime, by: Actor) -> None:
    """Delete a budget group; its campaigns are then directly below their brand's root."""
    brand, group = _lock_budget(budget_id)
    now = decision_instant(brand, now=now)
    if group.kind != BudgetKind.GROUP:
        raise Conflict("Only a group can be deleted: this budget belongs to its brand or campaign.")
    if _has_history(group):
        raise Conflict(
            f"{group.name} has held campaigns, and their history names it: it can't be deleted."
            " Take its limits away instead."
        )
    # The root's totals have what the leaves spent; the group's own go with it.
    root = budgets.root_of(brand)
    Budget.objects.filter(parent=group).update(parent=root, updated_at=now)
    group.delete()
    enforce_delivery({brand.id: brand}, now=now, by=by)


def _has_history(group: Budget) -> bool:
    return group.hold_set.exists()


def _lock_budget(budget_id: UUID) -> tuple[Brand, Budget]:
    """Lock a budget's brand and read the budget after that. Raises NotFound and Conflict."""
    brand_id = Budget.objects.filter(id=budget_id).values_list("brand_id", flat=True).first()
    if brand_id is None:
        raise NotFound("There is no such budget.", field="budget")
    brand = budgets.lock_brand(brand_id)
    _check_not_archived(brand)
    budget = Budget.objects.filter(id=budget_id).first()
    if budget is None:
        raise NotFound("There is no such budget.", field="budget")
    return brand, budget
