"""One `POST /api/spends/` through gunicorn, against a bare view that does one INSERT.

Aim: at most 4 times the bare view, which has the same middleware and authentication.
"""

import statistics
from decimal import Decimal

from benchmarks.bench import ready_platform
from benchmarks.serving import PORT, Poster, encoded, gunicorn, own_address

ROUNDS = 600


def main() -> None:
    own_address()
    with ready_platform("benchmarks.settings"):
        key, bodies = prepared()
        print(f"statements of one post: {statements(bodies)}")
        with gunicorn():
            times: dict[str, list[float]] = {path: [] for path in bodies}
            poster = Poster(key)
            # Turn by turn, so that both meet the same noise.
            for number in range(ROUNDS):
                for path, body in bodies.items():
                    took = poster.post(path, encoded(body))
                    if number >= ROUNDS // 6:
                        times[path].append(took)
    medians = {path: statistics.median(took) for path, took in times.items()}
    for path, median in medians.items():
        print(f"{path}: {median * 1000:.2f} ms")
    ratio = medians["/api/spends/"] / medians["/api/bare/"]
    print(f"ratio {ratio:.2f} (aim 4)")


def prepared() -> tuple[str, dict[str, dict[str, str]]]:
    """Make an agency with a campaign under limits, and return a key and the two bodies."""
    from accounts.models import create_api_key
    from accounts.roles import Role
    from campaigns.services.brands import create_brand
    from campaigns.services.campaigns import create_campaign
    from kernel import clock
    from kernel.actor import SYSTEM
    from tenants.contexts import tenant_context
    from tenants.services import create_agency

    now = clock.read()
    agency = create_agency(name="Bench", slug="bench")
    with tenant_context(agency):
        brand = create_brand(name="Northwind", daily_budget=Decimal(10**9), now=now, by=SYSTEM)
        campaigns = [
            create_campaign(brand_id=brand.id, name=f"C{n}", now=now, by=SYSTEM) for n in range(10)
        ]
        _, key = create_api_key(name="bench", role=Role.MANAGER)
    day = now.date().isoformat()
    return key, {
        "/api/bare/": {
            "budget": str(campaigns[1].budget_id),
            "brand": str(brand.id),
            "amount": "1.00",
            "spend_date": day,
        },
        "/api/spends/": {
            "campaign": str(campaigns[0].id),
            "amount": "1.00",
            "spend_date": day,
            "spend_type": "DAILY",
            "description": "bench",
        },
    }


def statements(bodies: dict[str, dict[str, str]]) -> str:
    """Count the statements of each view, in this process."""
    from django.test import Client

    from accounts.models import create_api_key
    from accounts.roles import Role
    from benchmarks.full_pass import recorded
    from tenants.contexts import tenant_context
    from tenants.queries import agency_by_slug

    agency = agency_by_slug("bench")
    assert agency is not None
    with tenant_context(agency):
        _, key = create_api_key(name="count", role=Role.MANAGER)
    client = Client(HTTP_HOST=f"bench.localhost:{PORT}", HTTP_AUTHORIZATION=f"Api-Key {key}")
    told = []
    for path, body in bodies.items():
        sent = recorded(
            lambda path=path, body=body: client.post(path, body, content_type="application/json")  # type: ignore[misc]
        )
        told.append(f"{len(sent)} on {path}")
    return ", ".join(told)


if __name__ == "__main__":
    main()
