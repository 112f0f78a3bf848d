"""Which request this is, for whoever writes down what happens in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Return the id of the request that is being answered; "" outside of one."""
    return _request_id.get()


@contextmanager
def bound_request_id(request_id: str) -> Iterator[None]:
    """Name the request for what runs inside."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)
