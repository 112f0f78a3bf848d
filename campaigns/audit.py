"""The invariants of design and ledger, checked against what is stored (`manage.py audit_ledger`).

I1 every node's total equals the sum of the entries of the leaves below it, and each entry has the
   brand of its leaf
I2 each live campaign's open rule holds equal the decision at its brand's `decided_at`
I3 the status agrees with the holds
I4 the versions of a campaign's status changes have no gap
I5 open holds are unique by campaign, reason, budget and origin

Call it in an agency's context. It takes no lock: outside a transaction of the caller's the reads
share one snapshot.
"""

from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from budgets.models import Brand

from .delivery import BrandMoment
from .judgement import Difference, judge

_SUMS = """
    SELECT brand.currency, count(*), sum(e.amount)
    FROM budgets_spendentry e
    JOIN budgets_budget leaf ON leaf.id = e.budget_id
    JOIN budgets_brand brand ON brand.id = leaf.brand_id
    GROUP BY brand.currency ORDER BY brand.currency
"""
_I1 = """
    WITH entries AS (
        SELECT node AS budget_id, e.day,
               sum(e.amount) FILTER (WHERE e.spend_type = 'DAILY') AS daily,
               sum(e.amount) FILTER (WHERE e.spend_type = 'MONTHLY') AS monthly_only
        FROM budgets_spendentry e
        JOIN budgets_budget leaf ON leaf.id = e.budget_id
        JOIN budgets_budget up ON up.id = leaf.parent_id
        CROSS JOIN LATERAL unnest(ARRAY[leaf.id, up.id, up.parent_id]) AS node
        WHERE node IS NOT NULL
        GROUP BY node, e.day
    )
    SELECT coalesce(e.budget_id, t.budget_id), coalesce(e.day, t.day),
           coalesce(e.daily, 0), coalesce(e.monthly_only, 0),
           coalesce(t.daily_amount, 0), coalesce(t.monthly_only_amount, 0)
    FROM entries e
    FULL JOIN budgets_spendtotal t ON t.budget_id = e.budget_id AND t.day = e.day
    WHERE coalesce(e.daily, 0) <> coalesce(t.daily_amount, 0)
       OR coalesce(e.monthly_only, 0) <> coalesce(t.monthly_only_amount, 0)
"""
_BRANDS = """
    SELECT e.id, e.brand_id, leaf.brand_id
    FROM budgets_spendentry e
    JOIN budgets_budget leaf ON leaf.id = e.budget_id
    WHERE e.brand_id <> leaf.brand_id
"""
_I3 = """
    SELECT c.id, c.status, count(h.id)
    FROM campaigns_campaign c
    LEFT JOIN campaigns_hold h ON h.campaign_id = c.id AND h.released_at IS NULL
                              AND h.mode <> 'alert_only'
    GROUP BY c.id
    HAVING c.status <> CASE WHEN NOT c.is_live THEN 'INACTIVE'
                            WHEN count(h.id) > 0 THEN 'PAUSED' ELSE 'ACTIVE' END
        OR (NOT c.is_live AND count(h.id) FILTER (WHERE h.origin = '') > 0)
"""
_I4 = """
    SELECT c.id, c.status_version, count(s.id), coalesce(max(s.version), 0)
    FROM campaigns_campaign c
    LEFT JOIN campaigns_statuschange s ON s.campaign_id = c.id
    GROUP BY c.id
    HAVING count(s.id) <> c.status_version OR coalesce(max(s.version), 0) <> c.status_version
"""
_I5 = """
    SELECT campaign_id, reason, budget_id, origin, count(*)
    FROM campaigns_hold WHERE released_at IS NULL
    GROUP BY campaign_id, reason, budget_id, origin HAVING count(*) > 1
"""


class Violation(NamedTuple):
    """An invariant that does not hold, and where."""

    invariant: str
    message: str


class Audit(NamedTuple):
    """What was looked at, and what is wrong with it."""

    entries: int
    # By currency: amounts of different currencies are never added.
    totals: dict[str, Decimal]
    violations: list[Violation]


def audit() -> Audit:
    """Check every invariant in the current agency."""
    if connection.in_atomic_block:
        return _audit()
    # Opening a cursor enters the agency's schema, which must not be the transaction's first query.
    with connection.cursor() as cursor, transaction.atomic():
        # One snapshot for all reads: a concurrent spend is in all of them or in none.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return _audit()


def _audit() -> Audit:
    with connection.cursor() as cursor:
        sums = _rows(cursor, _SUMS)
        violations = [
            Violation(
                "I1",
                f"budget {budget} on {day}: the entries sum to {daily:f} + {monthly:f} monthly,"
                f" the total says {stored:f} + {stored_monthly:f}",
            )
            for budget, day, daily, monthly, stored, stored_monthly in _rows(cursor, _I1)
        ]
        violations += [
            Violation("I1", f"entry {entry} has brand {said}, and its budget has {brand}")
            for entry, said, brand in _rows(cursor, _BRANDS)
        ]
        violations += _decisions()
        violations += [
            Violation("I3", f"campaign {campaign} is {status} with {count} open holds")
            for campaign, status, count in _rows(cursor, _I3)
        ]
        violations += [
            Violation("I4", f"campaign {campaign}: version {version}, {count} changes up to {top}")
            for campaign, version, count, top in _rows(cursor, _I4)
        ]
        violations += [
            Violation(
                "I5", f"campaign {campaign} has {count} open holds {reason} ({origin or '-'})"
            )
            for campaign, reason, _, origin, count in _rows(cursor, _I5)
        ]
    totals = {currency: total for currency, _, total in sums}
    return Audit(sum(count for _, count, _ in sums), totals, violations)


def _rows(cursor: CursorWrapper, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql)
    return cursor.fetchall()


def _decisions() -> list[Violation]:
    brands = [brand for brand in Brand.objects.order_by("id") if brand.decided_at is not None]
    moments = {
        brand.id: BrandMoment.at(brand.decided_at, brand.calendar)
        for brand in brands
        if brand.decided_at is not None
    }
    judged = judge(brands, moments).differences
    return [Violation("I2", _told(d)) for d in judged if not d.is_empty]


def _told(difference: Difference) -> str:
    missing = [wanted.reason.value for wanted in difference.place]
    wrong = [hold.reason for hold in difference.release]
    stale = [hold.reason for hold, _ in difference.refresh]
    return (
        f"campaign {difference.campaign.campaign_id}: holds missing {missing}, wrong {wrong},"
        f" with old numbers {stale}, status {difference.campaign.status}"
        f" for {difference.status}"
    )
