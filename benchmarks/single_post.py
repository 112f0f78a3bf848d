"""One `POST /api/spends/` through gunicorn, against a bare view that does one INSERT.

Aim: at most 4 times the bare view, which has the same middleware and authentication.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from benchmarks.bench import ready_platform
from embedded.ports import free_port

PORT = free_port()

ROUNDS = 600


def main() -> None:
    os.environ["PACELINE_URL"] = f"http://localhost:{PORT}"
    with ready_platform("benchmarks.settings"):
        key, bodies = prepared()
        print(f"statements of one post: {statements(bodies)}")
        with gunicorn():
            times: dict[str, list[float]] = {path: [] for path in bodies}
            client = http.client.HTTPConnection("127.0.0.1", PORT)
            # Turn by turn, so that both meet the same noise.
            for number in range(ROUNDS):
                for path, body in bodies.items():
                    took = post(client, path, body, key)
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


@contextmanager
def gunicorn() -> Iterator[None]:
    """Serve the platform as `./run` does, with the baseline's view."""
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", f"--bind=127.0.0.1:{PORT}"]
    options = ["--workers=1", "--worker-class=gthread", "--threads=4", "--log-level=warning"]
    process = subprocess.Popen([*command, *options, "--no-control-socket"])
    try:
        time.sleep(3)
        yield
    finally:
        process.terminate()
        process.wait(20)


def post(client: http.client.HTTPConnection, path: str, body: dict[str, str], key: str) -> float:
    """Post once on a kept connection and return the seconds it took."""
    headers = {
        "Host": f"bench.localhost:{PORT}",
        "Authorization": f"Api-Key {key}",
        "Content-Type": "application/json",
    }
    start = time.perf_counter()
    client.request("POST", path, json.dumps(body), headers)
    answer = client.getresponse()
    text = answer.read()
    took = time.perf_counter() - start
    assert answer.status == 201, (answer.status, text)
    return took


if __name__ == "__main__":
    main()
