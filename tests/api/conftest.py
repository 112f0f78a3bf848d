"""The API at noon of Monday, 2 March 2026, with a client for each role, and a stranger."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from kernel import clock
from tests.conftest import NOON


@dataclass(frozen=True)
class Api:
    """A client of the API: `post("brands/", name="N")`; each answer's JSON is `answer.json()`."""

    client: Client

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/{path}", query)

    def post(self, path: str, **body: Any) -> Any:
        return self.client.post(f"/api/{path}", body, "application/json")

    def put(self, path: str, **body: Any) -> Any:
        return self.client.put(f"/api/{path}", body, "application/json")

    def patch(self, path: str, **body: Any) -> Any:
        return self.client.patch(f"/api/{path}", body, "application/json")

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/api/{path}")

    def send(self, method: str, path: str, body: bytes, kind: str = "application/json") -> Any:
        return self.client.generic(method, f"/api/{path}", body, kind)


@pytest.fixture(autouse=True)
def noon(monkeypatch) -> None:
    """Every request is of noon; `clock.read` is the one place that looks."""
    monkeypatch.setattr(clock, "read", lambda: NOON)


@pytest.fixture
def manager(acme, api: Callable[..., Client]) -> Api:
    return Api(api("manager"))


@pytest.fixture
def viewer(acme, api: Callable[..., Client]) -> Api:
    return Api(api("viewer"))


@pytest.fixture
def stranger(acme, api: Callable[..., Client]) -> Api:
    """A manager of the other agency, on that agency's own host."""
    return Api(api("manager", "zeta"))
