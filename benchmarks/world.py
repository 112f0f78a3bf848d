"""An agency to measure in: 20 brands with 50 campaigns each, limits at all levels, a month old."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

BRANDS = 20
CAMPAIGNS = 50
# So many campaigns of a batch spend their daily limit, and a brand in one batch of so many: as in
# the hours of a day.
CROSSED = 4
BRAND_CROSSED_EVERY = 4


class Spender(NamedTuple):
    """A campaign, its leaf budget, its brand's local day, and the daily limits above it."""

    campaign_id: UUID
    budget_id: UUID
    brand_id: UUID
    day: date
    limit: Decimal
    brand_limit: Decimal


def make_world() -> tuple[str, list[Spender]]:
    """Seed the agency `bench`; return an API key of it and its campaigns."""
    from accounts.models import create_api_key
    from accounts.roles import Role
    from demo.seeding import SeedPlan, refresh_statistics, seed_agency
    from kernel import clock
    from kernel.actor import SYSTEM
    from tenants.contexts import tenant_context
    from tenants.services import create_agency

    agency = create_agency(name="Bench", slug="bench")
    with tenant_context(agency):
        plan = SeedPlan(brands=BRANDS, campaigns_per_brand=CAMPAIGNS)
        seed_agency(plan=plan, now=clock.read(), by=SYSTEM)
        refresh_statistics()
        _, key = create_api_key(name="bench", role=Role.MANAGER)
        return key, spenders()


def execute_as_owner(statements: str) -> None:
    """Change the tables of the current agency, and give its role what it needs on new ones."""
    from django.db import connection

    from tenants.contexts import current_agency, owner_context, tenant_context
    from tenants.rights import grant_rights

    agency = current_agency()
    with owner_context(), tenant_context(agency):
        with connection.cursor() as cursor:
            cursor.execute(statements)
        grant_rights(agency.schema_name)


def spenders() -> list[Spender]:
    """Return the current agency's campaigns."""
    from budgets.models import Budget, BudgetKind
    from budgets.queries import terms_on
    from campaigns.models import Campaign
    from kernel import clock

    now = clock.read()
    rows = list(Campaign.objects.select_related("brand").order_by("id"))
    days = {row.brand_id: row.brand.calendar.today(now) for row in rows}
    terms = terms_on(days, at=now)
    roots = dict(Budget.objects.filter(kind=BudgetKind.ROOT).values_list("brand_id", "id"))
    return [
        Spender(
            row.id,
            row.budget_id,
            row.brand_id,
            days[row.brand_id],
            terms[row.budget_id].limits.daily or Decimal(0),
            terms[roots[row.brand_id]].limits.daily or Decimal(0),
        )
        for row in rows
    ]


def batches(some: list[Spender]) -> Iterator[list[dict[str, Any]]]:
    """Yield batches of a row for each campaign, in no order, for ever.

    Most rows are small beside the limits; a few spend a campaign's daily limit, and one in some
    batches its brand's.
    """
    random = Random(1)
    for number in count():
        rows = []
        for place, spender in enumerate(some):
            amount = (spender.limit * random.randint(1, 20) / 10_000).quantize(Decimal("0.01"))
            if place % (len(some) // CROSSED) == number % (len(some) // CROSSED):
                amount = spender.limit
            if number % BRAND_CROSSED_EVERY == 0 and place == number * CAMPAIGNS % len(some):
                amount = spender.brand_limit
            rows.append(
                {
                    "campaign": str(spender.campaign_id),
                    "amount": str(amount),
                    "spend_date": spender.day.isoformat(),
                    "external_id": f"{number}:{place}",
                    "description": "an hour of a day",
                }
            )
        random.shuffle(rows)
        yield rows
