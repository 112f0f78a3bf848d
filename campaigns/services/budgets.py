"""Change what budgets may spend, and decide again in the same transaction.

Every face's change of a limit comes through `change_limits`: it knows from which day, and the
budget's history tells who changed what.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict
from uuid import UUID

from budgets import adjusting
from budgets import services as budgets
from budgets.models import Brand, Budget, BudgetAdjustment, BudgetKind, Period
from budgets.terms import Limits
from kernel.actor import Actor
from kernel.errors import Conflict, InvalidValue, NotFound
from kernel.transactions import atomic

from ..enforcement import enforce_delivery
from ..judgement import decision_instant
from ..models import Campaign, Hold

_YEAR_MAX = 2199


class LimitChanges(TypedDict, total=False):
    """What may change of a budget; an absent key keeps what is.

    A limit of None is no limit; `from_day` (today, if absent) is the local day from which the
    limits apply. An empty mode is that of the budget above.
    """

    name: str
    daily_budget: Decimal | None
    monthly_budget: Decimal | None
    from_day: date
    mode: str
    stop_at: int


@atomic
def create_group(
    *,
    brand_id: UUID,
    name: str,
    daily_budget: Decimal | None = None,
    monthly_budget: Decimal | None = None,
    mode: str = "",
    stop_at: int | None = None,
    now: datetime,
    by: Actor,
) -> Budget:
    """Make a budget group. Raises NotFound, InvalidValue, NameTaken, Conflict."""
    brand = budgets.lock_brand(brand_id, by=by)
    check_not_archived(brand)
    now = decision_instant(brand, now=now)
    group = budgets.create_group(brand=brand, name=name)
    changes: LimitChanges = {
        "daily_budget": daily_budget,
        "monthly_budget": monthly_budget,
        "mode": mode,
    }
    if stop_at is not None:
        changes["stop_at"] = stop_at
    change_limits(group, changes, brand=brand, now=now, by=by)
    return group


@atomic
def update_budget(*, budget_id: UUID, changes: LimitChanges, now: datetime, by: Actor) -> Budget:
    """Change the limits or the mode of any budget, or a group's name.

    Raises as `create_group` does.
    """
    brand, budget, now = _lock_budget(budget_id, now=now, by=by)
    if "name" in changes and changes["name"] != budget.name:
        if budget.kind != BudgetKind.GROUP:
            raise Conflict(
                "Only a group has a name of its own: rename the brand or the campaign.",
                field="name",
            )
        budget.name = changes["name"]
        budgets.save_named(budget, what="budget group")
    if change_limits(budget, changes, brand=brand, now=now, by=by):
        enforce_delivery({brand.id: brand}, now=now, by=by)
    return budget


def change_limits(
    budget: Budget, changes: Mapping[str, Any], *, brand: Brand, now: datetime, by: Actor
) -> bool:
    """Store what `changes` (see LimitChanges) names; return whether anything is different now.

    The caller holds the brand's lock and decides again. Raises InvalidValue.
    """
    today = brand.calendar.today(now)
    from_day: date = changes.get("from_day", today)
    fields = {Period.DAY: "daily_budget", Period.MONTH: "monthly_budget"}
    named = [period for period, field in fields.items() if field in changes]
    if from_day < today:
        raise InvalidValue(f"The past is not rewritten: today is {today}.", field="from")
    if from_day.year > _YEAR_MAX:
        raise InvalidValue("A limit begins before 2200.", field="from")
    if from_day != today and not named:
        raise InvalidValue("Which limit begins then?", field="from")
    is_changed = budgets.set_mode(
        budget,
        mode=changes.get("mode", budget.mode),
        stop_at=changes.get("stop_at", budget.stop_at),
        today=today,
        now=now,
        by=by,
    )
    if named:
        current = budgets.current_limits(budget, on=from_day)
        limits = Limits(
            changes.get("daily_budget", current.daily),
            changes.get("monthly_budget", current.monthly),
        )
        is_changed |= budgets.set_limits(
            budget,
            limits,
            brand=brand,
            from_day=from_day,
            today=today,
            named=named,
            now=now,
            by=by,
        )
    return is_changed


@atomic
def withdraw_limits(*, budget_id: UUID, from_day: date, now: datetime, by: Actor) -> None:
    """Take back limits that have not begun yet. Raises NotFound and Conflict (they have)."""
    brand, budget, now = _lock_budget(budget_id, now=now, by=by)
    today = brand.calendar.today(now)
    if from_day <= today:
        raise Conflict(f"The past is not rewritten: today is {today}.", field="from")
    if not budgets.withdraw_limits(budget, brand=brand, from_day=from_day, now=now, by=by):
        raise NotFound(f"No limit begins on {from_day}.", field="from")
    enforce_delivery({brand.id: brand}, now=now, by=by)


@atomic
def adjust_budget(
    *,
    budget_id: UUID,
    amount: Decimal,
    period: Period,
    note: str,
    expires_at: datetime | None = None,
    now: datetime,
    by: Actor,
) -> BudgetAdjustment:
    """Give a budget an amount more (or less) for its brand's running day or month.

    Raises NotFound, InvalidValue, and Conflict where it has no limit to adjust.
    """
    brand, budget, now = _lock_budget(budget_id, now=now, by=by)
    adjustment = adjusting.give(
        budget,
        brand=brand,
        amount=amount,
        period=period,
        note=note,
        expires_at=expires_at,
        now=now,
        by=by,
    )
    enforce_delivery({brand.id: brand}, now=now, by=by)
    return adjustment


@atomic
def withdraw_adjustment(
    *, budget_id: UUID, adjustment_id: UUID, now: datetime, by: Actor
) -> BudgetAdjustment:
    """Take an adjustment back before its end. Raises NotFound and Conflict (it has ended)."""
    brand, budget, now = _lock_budget(budget_id, now=now, by=by)
    adjustment = adjusting.withdraw(budget, adjustment_id, brand=brand, now=now, by=by)
    enforce_delivery({brand.id: brand}, now=now, by=by)
    return adjustment


@atomic
def remove_group(*, budget_id: UUID, now: datetime, by: Actor) -> None:
    """Delete a budget group; its campaigns are then directly below their brand's root."""
    brand, group, now = _lock_budget(budget_id, now=now, by=by)
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
    return Hold.with_alerts.filter(budget=group).exists()


def check_not_archived(brand: Brand) -> None:
    """Raise Conflict for an archived brand."""
    if brand.archived_at is not None:
        raise Conflict(f"{brand.name} is archived.", field="brand")


def _lock_budget(budget_id: UUID, *, now: datetime, by: Actor) -> tuple[Brand, Budget, datetime]:
    """Lock a budget's brand, read the budget after that, and tell the instant to decide at.

    Raises NotFound, and Conflict for what is archived.
    """
    brand_id = Budget.objects.filter(id=budget_id).values_list("brand_id", flat=True).first()
    if brand_id is None or not by.covers(brand_id):
        raise NotFound("There is no such budget.", field="budget")
    brand = budgets.lock_brand(brand_id, by=by)
    check_not_archived(brand)
    budget = Budget.objects.filter(id=budget_id).first()
    if budget is None:
        raise NotFound("There is no such budget.", field="budget")
    if Campaign.objects.filter(budget=budget).exclude(archived_at=None).exists():
        raise Conflict("The campaign of this budget is archived.")
    return brand, budget, decision_instant(brand, now=now)
