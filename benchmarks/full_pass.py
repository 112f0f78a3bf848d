"""A full pass with nothing to change, against its own fact-gathering SQL.

200 brands with 50 live campaigns each, own and brand limits, 7 windows each, a month of totals.
Aim: at most 2.5 times the SQL, the decisions (pure Python) a third of the pass; the same
statements for 10 campaigns and for 10,000.
"""

import gc
from collections.abc import Callable
from typing import Any

from benchmarks.bench import ready_platform, seconds


def main() -> None:
    with ready_platform():
        # As a worker does, see config/celery.py.
        gc.freeze()
        small = measure("small", brands=2, campaigns=5)
        large = measure("large", brands=200, campaigns=50)
        print(f"statements: {small} for 10 campaigns, {large} for 10,000")


def measure(slug: str, *, brands: int, campaigns: int) -> int:
    """Seed an agency, print the ratio of a pass to its SQL, and return the pass's statements."""
    from campaigns import sweep
    from campaigns.delivery import decide
    from campaigns.facts import campaign_facts
    from campaigns.judgement import moments_of
    from demo.seeding import SeedPlan, refresh_statistics, seed_agency
    from kernel import clock
    from kernel.actor import SYSTEM
    from tenants.contexts import tenant_context
    from tenants.services import create_agency

    agency = create_agency(name=slug, slug=slug)
    with tenant_context(agency):
        now = clock.read()
        plan = SeedPlan(brands=brands, campaigns_per_brand=campaigns, days=30)
        seed_agency(plan=plan, now=now, by=SYSTEM)
        refresh_statistics()
        sweep.enforce(sweep.all_brands(), now=now)
        chosen = sweep.all_brands()
        statements = recorded(lambda: sweep.enforce(chosen, now=now))
        outcome = sweep.enforce(chosen, now=now)
        assert not outcome.differences, "the pass was meant to have nothing to change"
        whole = seconds(lambda: sweep.enforce(chosen, now=now))
        sql = seconds(lambda: replay(statements))
        moments = moments_of(chosen, now=now)
        judged = [
            (campaign.facts, moments[campaign.brand_id])
            for campaign in campaign_facts(chosen, moments)
            if campaign.facts is not None
        ]
        deciding = seconds(lambda: [decide(facts, moment=moment) for facts, moment in judged])
    print(
        f"{outcome.checked} campaigns: pass {whole * 1000:.1f} ms, its SQL {sql * 1000:.1f} ms,"
        f" ratio {whole / sql:.2f} (aim 2.5); the decisions {deciding * 1000:.1f} ms,"
        f" {deciding / whole:.2f} of the pass (aim 0.33)"
    )
    return len(statements)


def recorded(call: Callable[[], object]) -> list[tuple[str, Any]]:
    """Return the statements that `call` sends, with their parameters."""
    from django.db import connection

    found: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        call()
    return found


def replay(statements: list[tuple[str, Any]]) -> None:
    """Send the statements again and fetch what they answer, as the pass does."""
    from django.db import connection

    for sql, params in statements:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            cursor.fetchall()


if __name__ == "__main__":
    main()
