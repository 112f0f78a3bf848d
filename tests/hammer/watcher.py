"""Whether what is committed is right, asked in SQL of its own: nothing here is the product's.

What was spent is summed from the ledger's lines, not read from the totals; what binds and who is
held by it is worked out from the rows alone. A brand is judged at the instant of its last decision.
"""

import threading
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from tenants.contexts import tenant_context
from tenants.models import Agency

WRONG_KEPT = 10
PAUSE_SECONDS = 0.01  # Between two looks, so that the writers have the machine.
_WRONG = """
    WITH judged AS (
        SELECT id AS brand_id, (decided_at AT TIME ZONE time_zone)::date AS today
        FROM budgets_brand WHERE decided_at IS NOT NULL
    ), above AS (
        SELECT c.id AS campaign_id, c.budget_id AS leaf_id, j.today, node.budget_id
        FROM campaigns_campaign c
        JOIN judged j USING (brand_id)
        JOIN budgets_budget leaf ON leaf.id = c.budget_id
        JOIN budgets_budget up ON up.id = leaf.parent_id
        CROSS JOIN LATERAL (VALUES (leaf.id), (up.id), (up.parent_id)) AS node (budget_id)
        WHERE node.budget_id IS NOT NULL
    ), spent AS (
        SELECT a.budget_id, a.today,
               coalesce(sum(e.amount) FILTER (
                   WHERE e.day = a.today AND e.spend_type = 'DAILY'), 0) AS in_day,
               coalesce(sum(e.amount) FILTER (
                   WHERE date_trunc('month', e.day) = date_trunc('month', a.today)), 0) AS in_month
        FROM above a
        LEFT JOIN budgets_spendentry e ON e.budget_id = a.leaf_id
        GROUP BY a.budget_id, a.today
    ), binding AS (
        SELECT s.budget_id, reason
        FROM spent s
        CROSS JOIN LATERAL (
            SELECT v.daily_limit, v.monthly_limit FROM budgets_limitversion v
            WHERE v.budget_id = s.budget_id
            ORDER BY v.from_day > s.today,
                     CASE WHEN v.from_day <= s.today THEN s.today - v.from_day
                          ELSE v.from_day - s.today END
            LIMIT 1
        ) AS v
        CROSS JOIN LATERAL (VALUES
            ('daily_budget', v.daily_limit, s.in_day),
            ('monthly_budget', v.monthly_limit, s.in_month)
        ) AS told (reason, bound, amount)
        WHERE bound = 0 OR amount >= bound
    ), wanted AS (
        SELECT a.campaign_id, b.budget_id, b.reason, true AS is_wanted
        FROM above a JOIN binding b USING (budget_id)
        JOIN campaigns_campaign c ON c.id = a.campaign_id AND c.is_live
    ), held AS (
        SELECT campaign_id, budget_id, reason, true AS is_held FROM campaigns_hold
        WHERE released_at IS NULL AND reason IN ('daily_budget', 'monthly_budget')
    )
    SELECT c.id, c.status, side.budget_id, side.reason, coalesce(side.is_wanted, false)
    FROM (SELECT * FROM wanted FULL JOIN held USING (campaign_id, budget_id, reason)) AS side
    JOIN campaigns_campaign c ON c.id = side.campaign_id
    WHERE side.is_wanted IS NULL OR side.is_held IS NULL OR c.status = 'ACTIVE'
    UNION ALL
    SELECT c.id, c.status, NULL, 'nothing', false FROM campaigns_campaign c
    WHERE c.status = 'PAUSED' AND NOT EXISTS (
        SELECT 1 FROM campaigns_hold h WHERE h.campaign_id = c.id AND h.released_at IS NULL)
"""
_CROSSED = """
    SELECT count(DISTINCT (budget_id, reason, placed_at)),
           count(DISTINCT (budget_id, reason, released_at)) FILTER (WHERE released_at IS NOT NULL)
    FROM campaigns_hold WHERE budget_id IS NOT NULL
"""


class Wrong(NamedTuple):
    """A campaign that runs over a limit (`is_spent`), or that a limit holds which is not spent."""

    campaign_id: UUID
    status: str
    budget_id: UUID | None
    reason: str
    is_spent: bool


def find_wrong() -> list[Wrong]:
    """Look at one consistent snapshot of the current agency (or at the caller's transaction)."""
    if connection.in_atomic_block:
        return _find_wrong()
    # Opening a cursor enters the agency's schema, which must not be the transaction's first query.
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _find_wrong()


def _find_wrong() -> list[Wrong]:
    with connection.cursor() as cursor:
        cursor.execute(_WRONG)
        return [Wrong(*row) for row in cursor.fetchall()]


@dataclass
class Watcher:
    """Looks again and again until it is told to stop, and keeps the first wrongs that it saw."""

    agency: Agency
    snapshots: int = 0
    running: int = 0
    held: int = 0
    first: list[Wrong] = field(default_factory=list)
    is_done: threading.Event = field(default_factory=threading.Event)
    has_seen_both: bool = False  # A limit that was reached, and one that was free again.

    def watch(self) -> None:
        """Run in a thread of its own."""
        try:
            with tenant_context(self.agency):
                while not self.is_done.wait(PAUSE_SECONDS):
                    self.look()
        finally:
            connection.close()

    def look(self) -> None:
        wrong = find_wrong()
        self.snapshots += 1
        self.running += sum(w.is_spent for w in wrong)
        self.held += sum(not w.is_spent for w in wrong)
        self.first = (self.first + wrong)[:WRONG_KEPT]
        self.has_seen_both = self.has_seen_both or all(crossings())


def crossings() -> tuple[int, int]:
    """Return how many times a limit was reached, and how many times it was free again."""
    with connection.cursor() as cursor:
        cursor.execute(_CROSSED)
        up, down = cursor.fetchone()
        return up, down


def deadlocks() -> int:
    """Return how many deadlocks PostgreSQL has broken in this database, retried or not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]
