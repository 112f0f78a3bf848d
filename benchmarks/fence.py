"""What the fence costs a request, beside django-tenants' own backend as it comes.

Aim: a request with the fence takes at most as long as one with the stock backend, which sends the
search path before every cursor, and no role.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.bench import ready_platform

ROUNDS = 400
WARM = 50


def main() -> None:
    with ready_platform():
        from django.test import Client

        from benchmarks.single_post import prepared

        key, bodies = prepared()
        client = Client(HTTP_HOST="bench.localhost:8000", HTTP_AUTHORIZATION=f"Api-Key {key}")
        spend = bodies["/api/spends/"]
        requests: dict[str, Callable[[], Any]] = {
            "GET /api/brands/": lambda: client.get("/api/brands/"),
            "GET /api/campaigns/": lambda: client.get("/api/campaigns/"),
            "POST /api/spends/": lambda: client.post(
                "/api/spends/", spend, content_type="application/json"
            ),
        }
        with prepared_ways() as ways:
            for name, request in requests.items():
                measure(name, request, ways)


Way = Callable[[], Any]


@contextmanager
def prepared_ways() -> Iterator[dict[str, Way]]:
    """Yield what puts each backend in the place of `default`, each with a connection of its own."""
    from django.conf import settings
    from django.db import connections
    from django_tenants.postgresql_backend.base import DatabaseWrapper as Stock

    ours = connections["default"]
    stock = Stock(dict(ours.settings_dict), "default")
    plain = type(ours)(dict(ours.settings_dict), "default")

    def put(wrapper: Any, *, is_limited: bool = True, has_roles: bool = False) -> Way:
        def switch() -> None:
            connections["default"] = wrapper
            settings.TENANT_LIMIT_SET_CALLS = is_limited
            settings.DATABASE_ROLES = has_roles

        return switch

    try:
        yield {
            "stock": put(stock, is_limited=False),
            "fence without roles": put(plain),
            "fence": put(ours, has_roles=True),
        }
    finally:
        put(ours, has_roles=True)()
        stock.close()
        plain.close()


def measure(name: str, request: Callable[[], Any], ways: dict[str, Way]) -> None:
    """Print the statements and the time of a request on each backend, turn by turn."""
    times: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(WARM + ROUNDS):
        for way, put in ways.items():
            put()
            start = time.perf_counter()
            response = request()
            took = time.perf_counter() - start
            assert response.status_code < 300, response.content
            if number >= WARM:
                times[way].append(took)
    medians = {way: statistics.median(took) for way, took in times.items()}
    for way, put in ways.items():
        put()
        print(
            f"{name}, {way}: {statements(request)} statements, {medians[way] * 1000:.2f} ms,"
            f" ratio to stock {medians[way] / medians['stock']:.2f} (aim 1.0)"
        )


def statements(request: Callable[[], Any]) -> int:
    """Count all that a request sends, switches of context included."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        request()
    return len(seen)


if __name__ == "__main__":
    main()
