"""The id of what is served at this moment: a request's, or a task's.

It goes into every line of the log, into the answer (`X-Request-ID`) and into the trail, so that one
word finds all three.
"""

from contextvars import ContextVar
from uuid import uuid4

ID_LENGTH_MAX = 64
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Return the id of the request or the task that runs here; "" outside of any."""
    return _request_id.get()


def bind_request_id(request_id: str) -> None:
    """Say which request or task runs here from now on; "" for none."""
    _request_id.set(request_id)


def new_request_id() -> str:
    """Return an id that nothing else carries."""
    return uuid4().hex


def is_request_id(text: str) -> bool:
    """Return whether a word from outside can be taken over: 1 to 64 of a-z, 0-9, - _ and dots."""
    plain = text.replace("-", "").replace("_", "").replace(".", "")
    return len(text) <= ID_LENGTH_MAX and plain.isascii() and plain.isalnum()
