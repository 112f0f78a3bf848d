"""One kept connection to the API of one agency, with a limit to its patience."""

from __future__ import annotations

import http.client
import json
from typing import Any

from embedded.ports import LOOPBACK


class UnansweredError(Exception):
    """No answer came: whether the call was done is not known."""


class Connection:
    """Calls the API of the agency at `slug` with its key. For one thread."""

    def __init__(self, port: int, slug: str, key: str, *, patience_seconds: float) -> None:
        """Describe the connection; it is made with the first call."""
        self._http = http.client.HTTPConnection(LOOPBACK, port, timeout=patience_seconds)
        self._headers = {
            # Not every machine resolves acme.localhost.
            "Host": f"{slug}.localhost:{port}",
            "Authorization": f"Api-Key {key}",
            "Content-Type": "application/json",
        }

    def call(
        self, method: str, path: str, body: object = None, *, idempotency_key: str = ""
    ) -> tuple[int, Any]:
        """Return the status and the body of the answer, `{}` if it is no JSON.

        Raises UnansweredError; after it the next call takes a new connection.
        """
        headers = dict(self._headers)
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        sent = None if body is None else json.dumps(body)
        try:
            self._http.request(method, path, sent, headers)
            answer = self._http.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise UnansweredError(str(error) or type(error).__name__) from error
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, {}

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()
