"""Questions about limits and totals, one statement each for any number of budgets.

The brands' local days are passed as values. (Computed in SQL, by `AT TIME ZONE` of a joined column,
they mislead the planner into reading every day's totals.)
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from kernel.local_time import first_of_month

ZERO = Decimal(0)


class Limits(NamedTuple):
    """What a budget may spend in a day and in a month; None is no limit."""

    daily: Decimal | None = None
    monthly: Decimal | None = None


class Spent(NamedTuple):
    """What a budget has spent in a local day and in that day's month, until the end of the day."""

    today: Decimal = ZERO
    month: Decimal = ZERO


NO_LIMITS = Limits()
NOTHING_SPENT = Spent()


def limits_on(
    days: Mapping[UUID, date], *, budget_ids: Sequence[UUID] | None = None
) -> dict[UUID, Limits]:
    """Return the limits that apply on each brand's day (`days`: brand id → local day).

    Covers the budgets of these brands, or only `budget_ids`; a budget that never had a limit is
    absent. For days before its first version, a budget's first version is taken.
    """
    sql = """
        SELECT DISTINCT ON (v.budget_id) v.budget_id, v.daily_limit, v.monthly_limit
        FROM unnest(%(brands)s::uuid[], %(days)s::date[]) AS d (brand_id, day)
        JOIN budgets_budget b ON b.brand_id = d.brand_id
        JOIN budgets_limitversion v ON v.budget_id = b.id
        WHERE %(all)s OR b.id = ANY(%(budgets)s::uuid[])
        ORDER BY v.budget_id, (v.from_day <= d.day) DESC, abs(v.from_day - d.day)
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, _arguments(days, budget_ids))
        return {row[0]: Limits(row[1], row[2]) for row in cursor.fetchall()}


def spent_on(
    days: Mapping[UUID, date], *, budget_ids: Sequence[UUID] | None = None
) -> dict[UUID, Spent]:
    """Return what each budget has spent on its brand's day and in the month up to that day.

    Covers the budgets of these brands, or only `budget_ids`; a budget without spend is absent.
    """
    sql = """
        SELECT t.budget_id,
               coalesce(sum(t.daily_amount) FILTER (WHERE t.day = d.day), 0),
               sum(t.daily_amount + t.monthly_only_amount)
        FROM unnest(%(brands)s::uuid[], %(days)s::date[], %(months)s::date[])
             AS d (brand_id, day, month_start)
        JOIN budgets_budget b ON b.brand_id = d.brand_id
        JOIN budgets_spendtotal t ON t.budget_id = b.id AND t.day BETWEEN d.month_start AND d.day
        WHERE t.day BETWEEN %(first)s AND %(last)s
          AND (%(all)s OR b.id = ANY(%(budgets)s::uuid[]))
        GROUP BY t.budget_id
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, _arguments(days, budget_ids))
        return {row[0]: Spent(row[1], row[2]) for row in cursor.fetchall()}


def _arguments(days: Mapping[UUID, date], budget_ids: Iterable[UUID] | None) -> dict[str, Any]:
    months = [first_of_month(day) for day in days.values()]
    return {
        "brands": list(days),
        "days": list(days.values()),
        "months": months,
        "first": min(months, default=date.min),
        "last": max(days.values(), default=date.min),
        "all": budget_ids is None,
        "budgets": list(budget_ids or ()),
    }


class Figures(NamedTuple):
    """A budget's limits on a day beside what was spent: one line of every overview."""

    limits: Limits
    spent: Spent


NO_FIGURES = Figures(NO_LIMITS, NOTHING_SPENT)


def figures_on(
    days: Mapping[UUID, date], *, budget_ids: Sequence[UUID] | None = None
) -> dict[UUID, Figures]:
    """Return limits and spend of the brands' budgets (or only `budget_ids`) on each brand's day.

    Two statements for any number; a budget with neither is absent.
    """
    limits = limits_on(days, budget_ids=budget_ids)
    spent = spent_on(days, budget_ids=budget_ids)
    return {
        budget_id: Figures(limits.get(budget_id, NO_LIMITS), spent.get(budget_id, NOTHING_SPENT))
        for budget_id in limits.keys() | spent.keys()
    }


def figures_by_day(
    pairs: Collection[tuple[UUID, date]],
) -> dict[tuple[UUID, date], Figures]:
    """Return limits and spend of budgets, each on a local day of its own (budget id, day).

    As `figures_on`, for lists whose rows are of many days. Two statements for any number; a pair
    with neither is absent.
    """
    budget_ids, days = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    limits = """
        SELECT DISTINCT ON (d.budget_id, d.day)
               d.budget_id, d.day, v.daily_limit, v.monthly_limit
        FROM unnest(%s::uuid[], %s::date[]) AS d (budget_id, day)
        JOIN budgets_limitversion v ON v.budget_id = d.budget_id
        ORDER BY d.budget_id, d.day, (v.from_day <= d.day) DESC, abs(v.from_day - d.day)
    """
    spent = """
        SELECT d.budget_id, d.day,
               coalesce(sum(t.daily_amount) FILTER (WHERE t.day = d.day), 0),
               sum(t.daily_amount + t.monthly_only_amount)
        FROM unnest(%s::uuid[], %s::date[], %s::date[]) AS d (budget_id, day, month_start)
        JOIN budgets_spendtotal t
          ON t.budget_id = d.budget_id AND t.day BETWEEN d.month_start AND d.day
        GROUP BY d.budget_id, d.day
    """
    with connection.cursor() as cursor:
        cursor.execute(limits, [budget_ids, days])
        limited = {(row[0], row[1]): Limits(row[2], row[3]) for row in cursor.fetchall()}
        cursor.execute(spent, [budget_ids, days, [first_of_month(day) for day in days]])
        used = {(row[0], row[1]): Spent(row[2], row[3]) for row in cursor.fetchall()}
    return {
        pair: Figures(limited.get(pair, NO_LIMITS), used.get(pair, NOTHING_SPENT))
        for pair in limited.keys() | used.keys()
    }
