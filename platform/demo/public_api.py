"""A client of an agency's REST API, as somebody's own integration would be one."""

import os
from dataclasses import dataclass
from typing import Any

import httpx
from django.conf import settings

Row = dict[str, Any]

LOOPBACK = "127.0.0.1"
TIMEOUT_SECONDS = 10.0
PAGE_SIZE = 1000
# A refusal of the caller, not of what was asked.
NOT_FOR_US = (401, 403, 429)


class AwayError(Exception):
    """The API does not answer now, or not us: what was asked may work later."""


class RefusedError(Exception):
    """The API answered that this one request can't be."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an agency is reached: what to connect to, and the host to ask for (empty: the same)."""

    origin: str
    host: str = ""
    tls_name: str = ""


def address_of(slug: str) -> Address:
    """Return how this machine reaches the agency's site.

    `acme.localhost` resolves on few machines, so below localhost we connect to loopback and name
    the host. Over https it is the proxy that ends TLS which is asked, as by anybody.
    """
    name = f"{slug}.{settings.PACELINE_BASE_DOMAIN}"
    host = name + settings.PACELINE_PORT_SUFFIX
    if settings.PACELINE_SCHEME == "http":
        return Address(f"http://{_web_server()}:{settings.PACELINE_PORT}", host)
    if name.endswith(".localhost"):
        return Address(f"https://{LOOPBACK}{settings.PACELINE_PORT_SUFFIX}", host, name)
    return Address(f"https://{host}")


def _web_server() -> str:
    # ./run passes it on; plain http listens on loopback only, though not always on 127.0.0.1.
    bind = os.environ.get("PACELINE_BIND", "").strip() or LOOPBACK
    bind = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(bind, bind)  # noqa: S104
    return f"[{bind}]" if ":" in bind else bind


class PublicApi:
    """One agency's API, called with one key; by `transport` instead of the network, where given."""

    def __init__(
        self, address: Address, key: str, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {"Authorization": f"Api-Key {key}"}
        if address.host:
            headers["Host"] = address.host
        self.origin = address.origin
        self._extensions = {"sni_hostname": address.tls_name} if address.tls_name else {}
        self._client = httpx.Client(
            base_url=f"{address.origin}/api/",
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            # A proxy of the environment is not for loopback.
            trust_env=not address.origin.startswith("http://"),
            # Between two moments a kept connection would occupy a thread of the web server.
            limits=httpx.Limits(max_keepalive_connections=0),
            transport=transport,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def rows(self, path: str) -> list[Row]:
        """Return all rows of a list. Raises AwayError."""
        rows: list[Row] = []
        page = 1
        while True:
            found = self._ask("GET", path, params={"page": page, "page_size": PAGE_SIZE})
            rows += found["results"]
            if found["next"] is None:
                return rows
            page += 1

    def post(self, path: str, body: Row) -> Row:
        """Post a body and return the answer. Raises AwayError and RefusedError."""
        return self._ask("POST", path, json=body)

    def _ask(self, method: str, path: str, **options: Any) -> Row:
        try:
            answer = self._client.request(method, path, extensions=self._extensions, **options)
        except httpx.TransportError as error:
            raise AwayError(f"{self.origin} does not answer ({type(error).__name__})") from None
        status = answer.status_code
        if answer.is_success:
            try:
                body: Row = answer.json()
            except ValueError:
                raise AwayError(f"{self.origin} answers something else than JSON") from None
            return body
        if method == "POST" and answer.is_client_error and status not in NOT_FOR_US:
            raise RefusedError(f"{method} {path} answered {status}: {answer.text[:300]}")
        raise AwayError(f"{self.origin} answers {status} to {method} {path}")
