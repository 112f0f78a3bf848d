"""The daily turn of 1,000 brands at one midnight, against a sweep that changes as many holds.

Two agencies with the same brands, budgets, hours and spend. In one, every campaign is held by its
brand's daily limit, and midnight frees it; in the other every campaign is held by its hours, and
eight o'clock does. Aim: at most 1.5 times as long.
"""

import statistics
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.bench import ready_platform
from benchmarks.creation import took

BRANDS = 1000
CAMPAIGNS_PER_BRAND = 5
ROUNDS = 5


def main() -> None:
    with ready_platform():
        midnight = (datetime.now(UTC) + timedelta(days=1)).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        eight = midnight + timedelta(hours=8)
        turn = agency_held("turn", daily_limit=1, hours=("04:00", "03:00"), until=midnight)
        opening = agency_held("hours", daily_limit=10**9, hours=("08:00", "00:00"), until=eight)
        times: dict[str, list[float]] = {"turn": [], "hours": []}
        # Turn by turn, so that both meet the same noise.
        for _ in range(ROUNDS):
            times["turn"].append(freed_in(turn, midnight))
            times["hours"].append(freed_in(opening, eight))
    medians = {name: statistics.median(took) for name, took in times.items()}
    holds = BRANDS * CAMPAIGNS_PER_BRAND
    print(f"the turn of {BRANDS} brands frees {holds} campaigns in {medians['turn']:.2f} s")
    print(f"the hour at which {BRANDS} brands open frees as many in {medians['hours']:.2f} s")
    print(f"ratio {medians['turn'] / medians['hours']:.2f} (aim 1.5)")


def agency_held(slug: str, *, daily_limit: int, hours: tuple[str, str], until: datetime) -> Any:
    """Make an agency in which every campaign is held until `until`, and return it.

    `hours`: when each day's window begins and ends.
    """
    from django.db import connection

    from budgets.models import BudgetKind
    from campaigns import sweep
    from campaigns.models import Campaign
    from demo.seeding import SeedPlan, refresh_statistics, seed_agency
    from kernel.actor import SYSTEM
    from tenants.contexts import tenant_context
    from tenants.services import create_agency

    agency = create_agency(name=slug, slug=slug)
    with tenant_context(agency):
        plan = SeedPlan(brands=BRANDS, campaigns_per_brand=CAMPAIGNS_PER_BRAND, days=2)
        # At noon in UTC it is the same day in every zone of the seed.
        seed_agency(plan=plan, now=until.replace(hour=0) - timedelta(hours=12), by=SYSTEM)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE budgets_brand SET time_zone = 'UTC', decided_at = NULL")
            cursor.execute("DELETE FROM campaigns_hold")
            cursor.execute(
                "UPDATE budgets_limitversion SET monthly_limit = NULL, daily_limit ="
                " CASE WHEN budget_id IN (SELECT id FROM budgets_budget WHERE kind = %s)"
                " THEN %s::numeric END",
                [BudgetKind.ROOT, daily_limit],
            )
            cursor.execute("UPDATE dayparting_window SET start_time = %s, end_time = %s", hours)
        refresh_statistics()
        sweep.enforce(sweep.all_brands(), now=until - timedelta(seconds=1))
        assert not Campaign.objects.exclude(status="PAUSED").exists(), "all were meant to be held"
    return agency


def freed_in(agency: Any, now: datetime) -> float:
    """Return the seconds of the sweep at `now` that frees every campaign, and take it back."""
    from django.db import transaction

    from campaigns import sweep
    from tenants.contexts import tenant_context

    with tenant_context(agency), transaction.atomic():
        due = sweep.due_brands(now=now)
        assert len(due) == BRANDS
        found: list[Any] = []
        seconds = took(lambda: found.append(sweep.enforce(due, now=now)))
        freed = [difference for difference in found[0].differences if difference.release]
        assert len(freed) == BRANDS * CAMPAIGNS_PER_BRAND, len(freed)
        transaction.set_rollback(True)
    return seconds


if __name__ == "__main__":
    main()
