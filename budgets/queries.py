"""Questions about limits and totals, one statement each for any number of budgets.

The brands' local days are passed as values. (Computed in SQL, by `AT TIME ZONE` of a joined column,
they mislead the planner into reading every day's totals.)
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from kernel.arrays import array, id_array
from kernel.ids import read_id
from kernel.local_time import first_of_month, first_of_next_month

from .models import Brand, BudgetAdjustment, Period
from .terms import NO_TERMS, ZERO, Adjustment, Limits, LimitsFrom, Terms


class Spent(NamedTuple):
    """What a budget has spent in a local day and in that day's month, until the end of the day."""

    today: Decimal = ZERO
    month: Decimal = ZERO


NOTHING_SPENT = Spent()


def terms_on(
    days: Mapping[UUID, date],
    *,
    at: Mapping[UUID, datetime] | datetime,
    budget_ids: Sequence[UUID] | None = None,
) -> dict[UUID, Terms]:
    """Return what bears on budgets on each brand's day (`days`: brand id → local day).

    Covers the budgets of these brands, or only `budget_ids`; a budget on which nothing does is
    absent. Of the adjustments those that are in force at the instant (one for all brands, or each
    its own). For days before its first version, a budget's first limits are taken.
    """
    sql = """
        WITH days AS (
            SELECT * FROM unnest(%(brands)s::uuid[], %(days)s::date[], %(months)s::date[],
                                 %(instants)s::timestamptz[]) AS d (brand_id, day, month, at)
        ), said AS (
            SELECT b.id, b.mode, b.stop_at, d.day, v.from_day, v.daily_limit, v.monthly_limit,
                   row_number() OVER (PARTITION BY b.id ORDER BY
                       (v.from_day <= d.day) DESC, abs(v.from_day - d.day)) AS place
            FROM days d
            JOIN budgets_budget b ON b.brand_id = d.brand_id
            LEFT JOIN budgets_limitversion v ON v.budget_id = b.id
            WHERE (v.id IS NOT NULL OR b.mode <> '')
              AND (%(all)s OR b.id = ANY(%(budgets)s::uuid[]))
        ), given AS (
            SELECT a.budget_id, array_agg(a.period ORDER BY a.id) AS periods,
                   array_agg(a.amount ORDER BY a.id) AS amounts,
                   array_agg(a.expires_at ORDER BY a.id) AS ends
            FROM days d
            JOIN budgets_budget b ON b.brand_id = d.brand_id
            JOIN budgets_budgetadjustment a ON a.budget_id = b.id
            WHERE ((a.period = 'DAY' AND a.period_start = d.day)
                OR (a.period = 'MONTH' AND a.period_start = d.month))
              AND a.period_start BETWEEN %(first)s AND %(last)s
              AND a.given_at <= d.at
              AND (a.expires_at IS NULL OR a.expires_at > d.at)
              AND (a.withdrawn_at IS NULL OR a.withdrawn_at > d.at)
            GROUP BY a.budget_id
        )
        SELECT said.id::text, said.mode, said.stop_at, said.from_day, said.daily_limit,
               said.monthly_limit, given.periods, given.amounts, given.ends
        FROM said LEFT JOIN given ON given.budget_id = said.id
        WHERE said.place = 1 OR said.from_day > said.day
        ORDER BY said.id, said.from_day
    """
    instants = [at if isinstance(at, datetime) else at[brand_id] for brand_id in days]
    found: dict[UUID, Terms] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, {**_arguments(days, budget_ids), "instants": array(instants)})
        for text, mode, stop_at, from_day, daily, monthly, periods, amounts, ends in cursor:
            key, limits = read_id(text), Limits(daily, monthly)
            first = found.get(key)
            if first is None:
                given = (
                    tuple(map(Adjustment, map(Period, periods), amounts, ends)) if periods else ()
                )
                found[key] = Terms(limits, (), given, mode, stop_at)
            else:
                later = (*first.later, LimitsFrom(from_day, limits))
                found[key] = first._replace(later=later)
    return found


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
        "brands": id_array(days),
        "days": array(days.values()),
        "months": array(months),
        "first": min(months, default=date.min),
        "last": max(days.values(), default=date.min),
        "all": budget_ids is None,
        "budgets": id_array(budget_ids or ()),
    }


class Figures(NamedTuple):
    """A budget's terms on a day beside what was spent: one line of every overview."""

    terms: Terms
    spent: Spent

    @property
    def limits(self) -> Limits:
        """What people set, before adjustments."""
        return self.terms.limits

    @property
    def bounds(self) -> Limits:
        """What binds: the limits with their adjustments."""
        return self.terms.bounds


NO_FIGURES = Figures(NO_TERMS, NOTHING_SPENT)


def figures_on(
    days: Mapping[UUID, date], *, now: datetime, budget_ids: Sequence[UUID] | None = None
) -> dict[UUID, Figures]:
    """Return terms (as of `now`) and spend of the brands' budgets on each brand's day.

    Of all of them, or only `budget_ids`. Two statements for any number; a budget with neither is
    absent.
    """
    terms = terms_on(days, at=now, budget_ids=budget_ids)
    spent = spent_on(days, budget_ids=budget_ids)
    return {
        budget_id: Figures(terms.get(budget_id, NO_TERMS), spent.get(budget_id, NOTHING_SPENT))
        for budget_id in terms.keys() | spent.keys()
    }


def daily_adjustments(brands: Collection[Brand], month: date) -> defaultdict[UUID, Decimal]:
    """Return what was added to the daily limits of each budget over the days of a month, net.

    What was withdrawn is left out. One statement.
    """
    rows = BudgetAdjustment.objects.filter(
        budget__brand__in=brands,
        period=Period.DAY,
        period_start__gte=first_of_month(month),
        period_start__lt=first_of_next_month(month),
        withdrawn_at=None,
    )
    sums = rows.order_by().values_list("budget_id").annotate(sum=Sum("amount"))
    return defaultdict(Decimal, sums)


def figures_by_day(
    pairs: Collection[tuple[UUID, date]], *, now: datetime
) -> dict[tuple[UUID, date], Figures]:
    """Return terms (as of `now`) and spend of budgets, each on a local day of its own.

    As `figures_on`, for lists whose rows are of many days (pairs of budget id and day). Two
    statements for any number; a pair with neither is absent.
    """
    limits = """
        SELECT DISTINCT ON (d.budget_id, d.day)
               d.budget_id, d.day, v.daily_limit, v.monthly_limit,
               adjusted.today, adjusted.month, b.stop_at
        FROM unnest(%(budgets)s::uuid[], %(days)s::date[], %(months)s::date[])
             AS d (budget_id, day, month)
        JOIN budgets_budget b ON b.id = d.budget_id
        JOIN budgets_limitversion v ON v.budget_id = d.budget_id
        CROSS JOIN LATERAL (
            SELECT sum(a.amount) FILTER (WHERE a.period = 'DAY' AND a.period_start = d.day),
                   sum(a.amount) FILTER (WHERE a.period = 'MONTH' AND a.period_start = d.month)
            FROM budgets_budgetadjustment a
            WHERE a.budget_id = d.budget_id AND a.period_start IN (d.day, d.month)
              AND a.withdrawn_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
        ) AS adjusted (today, month)
        ORDER BY d.budget_id, d.day, (v.from_day <= d.day) DESC, abs(v.from_day - d.day)
    """
    spent = """
        SELECT d.budget_id, d.day,
               coalesce(sum(t.daily_amount) FILTER (WHERE t.day = d.day), 0),
               sum(t.daily_amount + t.monthly_only_amount)
        FROM unnest(%(budgets)s::uuid[], %(days)s::date[], %(months)s::date[])
             AS d (budget_id, day, month)
        JOIN budgets_spendtotal t
          ON t.budget_id = d.budget_id AND t.day BETWEEN d.month AND d.day
        GROUP BY d.budget_id, d.day
    """
    arguments: dict[str, Any] = {
        "budgets": [budget_id for budget_id, _ in pairs],
        "days": [day for _, day in pairs],
        "months": [first_of_month(day) for _, day in pairs],
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(limits, arguments)
        terms = {
            (key, day): Terms(Limits(daily, monthly), (), _sums(today, month), "", stop_at)
            for key, day, daily, monthly, today, month, stop_at in cursor.fetchall()
        }
        cursor.execute(spent, arguments)
        used = {(row[0], row[1]): Spent(row[2], row[3]) for row in cursor.fetchall()}
    return {
        pair: Figures(terms.get(pair, NO_TERMS), used.get(pair, NOTHING_SPENT))
        for pair in terms.keys() | used.keys()
    }


def _sums(today: Decimal | None, month: Decimal | None) -> tuple[Adjustment, ...]:
    sums = ((Period.DAY, today), (Period.MONTH, month))
    return tuple(Adjustment(period, amount) for period, amount in sums if amount)
