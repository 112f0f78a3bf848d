"""What each node of a brand's budgets spent on each day: kept with the ledger's entries, in one
commit. The brands are locked by the caller; totals are locked in the order of (budget, day).
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from kernel.arrays import array, id_array
from kernel.ids import read_id

# A leaf, the group above it if there is one, the brand's root.
Chain = tuple[UUID, ...]
# A node and its local day; and what is added there: daily spend, and the month's alone.
Place = tuple[UUID, date]
Added = tuple[Decimal, Decimal]


class Sums(NamedTuple):
    """What is to be added to totals, and how it is written for PostgreSQL (which takes a while)."""

    by_place: Mapping[Place, Added]
    written: Mapping[str, str | bool]

    @classmethod
    def of(cls, by_place: Mapping[Place, Added]) -> "Sums":
        amounts = by_place.values()
        return cls(
            by_place,
            {
                "nodes": id_array([node for node, _ in by_place]),
                "days": array([day for _, day in by_place]),
                "daily": array([daily for daily, _ in amounts]),
                "monthly_only": array([monthly_only for _, monthly_only in amounts]),
                "all": any(daily < 0 or monthly_only < 0 for daily, monthly_only in amounts),
            },
        )


class Raised(NamedTuple):
    """What was added to a node's day, as daily spend and as the month's alone; and the daily spend
    that the day has now."""

    daily: Decimal
    monthly_only: Decimal
    spent_on_day: Decimal


def chains_of(leaf_ids: Iterable[UUID]) -> dict[UUID, Chain]:
    """Return the chains of leaves, whose brands are locked by the caller."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT leaf.id, up.id, up.parent_id FROM budgets_budget leaf"
            " JOIN budgets_budget up ON up.id = leaf.parent_id WHERE leaf.id = ANY(%s::uuid[])",
            [id_array(leaf_ids)],
        )
        return {row[0]: row if row[2] else row[:2] for row in cursor.fetchall()}


# The brand's today is not known here. So each version's limits may be those in force; a month has
# spent at most the sum of its days that are not negative; and a limit that is adjusted, or will be
# another, may always have changed sides.
_RAISE = """
    WITH added AS (
        SELECT * FROM unnest(%(nodes)s::uuid[], %(days)s::date[], %(daily)s::numeric[],
                             %(monthly_only)s::numeric[]) AS a (node, day, daily, monthly_only)
    ), raised AS (
        INSERT INTO budgets_spendtotal AS t (budget_id, day, daily_amount, monthly_only_amount)
        SELECT node, day, daily, monthly_only FROM added ORDER BY node, day
        ON CONFLICT (budget_id, day) DO UPDATE SET
            daily_amount = t.daily_amount + EXCLUDED.daily_amount,
            monthly_only_amount = t.monthly_only_amount + EXCLUDED.monthly_only_amount
        RETURNING t.budget_id, t.day, t.daily_amount
    ), told AS (
        SELECT r.*, a.daily AS more, date_trunc('month', r.day::timestamp)::date AS month,
               sum(a.daily + a.monthly_only) OVER (PARTITION BY r.budget_id) AS more_in_all
        FROM raised r JOIN added a ON a.node = r.budget_id AND a.day = r.day
    )
    SELECT budget_id::text, day, daily_amount FROM told
    WHERE %(all)s OR budget_id IN (
        SELECT r.budget_id FROM told r
        JOIN budgets_budget b ON b.id = r.budget_id
        JOIN budgets_limitversion v ON v.budget_id = r.budget_id
        WHERE v.from_day > r.day
           OR v.daily_limit * b.stop_at <= greatest(r.daily_amount, 0) * 100
              AND v.daily_limit * b.stop_at > greatest(r.daily_amount - r.more, 0) * 100
           OR CASE WHEN v.monthly_limit IS NOT NULL THEN
              v.monthly_limit * b.stop_at <= 100 * (r.more_in_all + (
                  -- As it was before this statement.
                  SELECT coalesce(sum(greatest(t.daily_amount + t.monthly_only_amount, 0)), 0)
                  FROM budgets_spendtotal t
                  WHERE t.budget_id = r.budget_id
                    AND t.day >= r.month AND t.day < (r.month + interval '1 month')::date
              )) END
        UNION ALL
        SELECT r.budget_id FROM told r
        JOIN budgets_budgetadjustment given
          ON given.budget_id = r.budget_id AND given.period_start >= r.month
    )
"""


def raise_totals(added: Sums) -> dict[Place, Raised]:
    """Raise the totals; return what that did to the days of the nodes of which a limit may have
    changed sides: few have one near. Where something was taken away, to those of all nodes.
    """
    if not added.by_place:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_RAISE, added.written)
        found = [((read_id(node), day), spent) for node, day, spent in cursor.fetchall()]
    return {place: Raised(*added.by_place[place], spent) for place, spent in found}


def move_totals(leaf_id: UUID, *, sign: int) -> None:
    """Add (sign 1) or take away (-1) a leaf's totals to or from the group that it is below now.

    A group's total is the sum of the leaves below it, so a leaf takes its days along. Without a
    group above it there is nothing to move: the root's total stays.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO budgets_spendtotal AS t (budget_id, day, daily_amount, monthly_only_amount)
            SELECT up.id, own.day, %(sign)s * own.daily_amount, %(sign)s * own.monthly_only_amount
            FROM budgets_spendtotal own
            JOIN budgets_budget leaf ON leaf.id = own.budget_id
            JOIN budgets_budget up ON up.id = leaf.parent_id AND up.kind = 'group'
            WHERE own.budget_id = %(leaf)s
            ORDER BY own.day
            ON CONFLICT (budget_id, day) DO UPDATE SET
                daily_amount = t.daily_amount + EXCLUDED.daily_amount,
                monthly_only_amount = t.monthly_only_amount + EXCLUDED.monthly_only_amount
            """,
            {"sign": sign, "leaf": leaf_id},
        )


def has_spend(budget_id: UUID) -> bool:
    """Return whether anything was ever recorded on this budget or below it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM budgets_spendtotal WHERE budget_id = %s)",
            [budget_id],
        )
        return bool(cursor.fetchone()[0])
