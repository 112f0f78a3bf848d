"""Recording one spend in a brand with 5,000 campaigns, against one with 10.

Aim: at most 1.5 times the time, and the same statements.
"""

import statistics
import time
from collections.abc import Callable
from decimal import Decimal

from benchmarks.bench import ready_platform
from benchmarks.full_pass import recorded

SIZES = (10, 5000)
ROUNDS = 400


def main() -> None:
    with ready_platform():
        posts = {size: spend_in(size) for size in SIZES}
        for size, post in posts.items():
            print(f"{size} campaigns: {len(recorded(post))} statements")
        times: dict[int, list[float]] = {size: [] for size in SIZES}
        # Turn by turn, so that both meet the same noise; the first turns warm up.
        for number in range(ROUNDS + 50):
            for size, post in posts.items():
                start = time.perf_counter()
                post()
                if number >= 50:
                    times[size].append(time.perf_counter() - start)
    small, large = (statistics.median(times[size]) for size in SIZES)
    print(f"{small * 1000:.2f} ms and {large * 1000:.2f} ms, ratio {large / small:.2f} (aim 1.5)")


def spend_in(size: int) -> Callable[[], object]:
    """Seed an agency with one brand of this size; return what records a spend in it."""
    from campaigns.models import Campaign
    from campaigns.services.spend import NewSpend, record_spend
    from demo.seeding import SeedPlan, refresh_statistics, seed_agency
    from kernel import clock
    from kernel.actor import SYSTEM
    from tenants.contexts import tenant_context
    from tenants.services import create_agency

    agency = create_agency(name=f"Of {size}", slug=f"of-{size}")
    with tenant_context(agency):
        now = clock.read()
        plan = SeedPlan(brands=1, campaigns_per_brand=size, days=10)
        seed_agency(plan=plan, now=now, by=SYSTEM)
        refresh_statistics()
        campaign = Campaign.objects.select_related("brand").order_by("id")[size // 2]
    spend = NewSpend(campaign.id, Decimal("0.01"), campaign.brand.calendar.today(now))

    def post() -> object:
        with tenant_context(agency):
            return record_spend(spend=spend, now=clock.read(), by=SYSTEM)

    return post


if __name__ == "__main__":
    main()
