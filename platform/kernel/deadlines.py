"""An end to work that would go on for too long: the next statement after it is refused."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from .errors import Busy

_TOO_LONG = "This took too long. Try again in a moment, or ask for less at once."


@contextmanager
def within(seconds: float) -> Iterator[Callable[[], None]]:
    """Refuse statements of this thread that begin more than so many seconds from now.

    Raises Busy in their place. What runs already ends by the database's own timeouts. Yields the
    same check, for work that goes on without new statements.
    """
    until = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > until:
            raise Busy(_TOO_LONG)

    def execute(
        run: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        check()
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield check
