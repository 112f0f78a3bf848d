"""Two agencies on the product's own servers, and a client that asks as one of their keys."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.crash.system import System

# An export is larger than what the sockets of a system keep for a reader that never reads.
ROWS = 15_000
LONG_TEXT = "A description as long as it may be. " * 13


class Caller(NamedTuple):
    """An agency's key, and where it is served."""

    port: int
    host: str
    key: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request on a connection of its own and return the whole answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        said = body if isinstance(body, str | bytes) else json.dumps(body)
        try:
            connection.request(
                method,
                path,
                None if body is None else said,
                {
                    "Host": self.host,
                    "Authorization": f"Api-Key {self.key}",
                    "Content-Type": "application/json",
                    **headers,
                },
            )
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    def post(self, path: str, body: Any) -> Any:
        """Post what has to be accepted, and return the answer's JSON."""
        answer = self.ask("POST", path, body)
        assert answer.status in (200, 201), answer
        return json.loads(answer.body)

    def head(self, path: str, *lines: str) -> bytes:
        """Return the head of a request for a raw socket."""
        given = [f"GET {path} HTTP/1.1", f"Host: {self.host}"]
        given += [f"Authorization: Api-Key {self.key}", *lines, "", ""]
        return "\r\n".join(given).encode()

    def median_seconds(self, times: int = 30) -> float:
        """Return how long a list of campaigns takes, and have each answered 200."""
        took = []
        for _ in range(times):
            began = time.perf_counter()
            answer = self.ask("GET", "/api/campaigns/")
            took.append(time.perf_counter() - began)
            assert answer.status == 200, answer
        return statistics.median(took)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class World(NamedTuple):
    """Acme attacks, Zeta is to notice nothing."""

    system: System
    acme: Caller
    zeta: Caller
    brand: str
    campaign: str


@contextmanager
def world(home: Path) -> Iterator[World]:
    """Run the product with two agencies; Acme's export is larger than a socket's buffers."""
    system = System(home)
    system.start()
    try:
        acme, zeta = (_agency(system, slug) for slug in ("acme", "zeta"))
        zeta.post("/api/campaigns/", _campaign(zeta))
        brand = acme.post("/api/brands/", {"name": "Northwind"})["id"]
        campaign = acme.post("/api/campaigns/", {"name": "Search", "brand": brand})["id"]
        row = {"campaign": campaign, "amount": "0.01", "spend_date": "2024-06-01"}
        row["description"] = LONG_TEXT
        for _ in range(ROWS // 1000):
            acme.post("/api/spends/batch/", {"rows": [row] * 1000})
        yield World(system, acme, zeta, brand, campaign)
    finally:
        system.stop()


def _campaign(caller: Caller) -> dict[str, str]:
    return {"name": "Search", "brand": caller.post("/api/brands/", {"name": "Contoso"})["id"]}


def _agency(system: System, slug: str) -> Caller:
    owner = f"ann@{slug}.example"
    system.manage("create_agency", slug.title(), "--slug", slug, "--owner", owner)
    printed = system.manage("create_api_key", "--agency", slug, "--role", "owner", "--name", "k")
    return Caller(system.port, f"{slug}.localhost:{system.port}", printed.split()[-1])
