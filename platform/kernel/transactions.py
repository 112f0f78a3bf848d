"""Transactions that are run again when PostgreSQL asks for it.

A deadlock or a serialization failure is nobody's mistake: PostgreSQL ended one of two transactions
that could not both go on, and the same work succeeds a moment later. A lock or a result that did
not come in time is no reason to wait once more: whoever asked is told that it is busy.
"""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, transaction

from . import counters
from .counters import Count
from .errors import Busy

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS_MAX = 5
_FIRST_WAIT_SECONDS = 0.02
# By SQLSTATE (PostgreSQL's appendix "Error Codes").
_RETRIED = {"40001": Count.RETRIED_SERIALIZATION, "40P01": Count.RETRIED_DEADLOCK}
_TIMED_OUT = {"55P03": Count.LOCK_TIMEOUT, "57014": Count.STATEMENT_TIMEOUT}
# A lost connection, a server that has no room or is on its way down or up; or no server at all.
_AWAY = ("08", "53", "57P")
_LOCKED = "Somebody else is changing the same things. Try again in a moment."
_TOO_SLOW = "This took the database too long. Try again in a moment."
# A commit whose answer was lost may have happened.
_UNREACHABLE = "The database can't be reached. Try again in a moment, with the same keys."


def atomic(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function as one transaction, as Django's `atomic` does.

    Where it is the outermost transaction, a deadlock or a serialization failure rolls it back and
    runs the function again, with the same arguments and up to `ATTEMPTS_MAX` times in all: it must
    read what it decides on itself, after its locks. Raises Busy (`refusal_of`) where that does not
    help, and for what did not come in time. Inside another transaction it is Django's savepoint and
    nothing more: only the whole can be run again.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if _is_inside_another():
            with transaction.atomic():
                return function(*args, **kwargs)
        attempt = 1
        while True:
            try:
                return _run_once(function, *args, **kwargs)
            except _Again as again:
                if attempt == ATTEMPTS_MAX:
                    raise Busy(_LOCKED) from again.__cause__
                counters.add({again.cause: 1})
            time.sleep(_wait_seconds(attempt))
            attempt += 1

    return run


class _Again(Exception):
    """The transaction was rolled back, and may succeed if it is run again."""

    def __init__(self, cause: Count) -> None:
        super().__init__(cause)
        self.cause = cause


def _run_once(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run the outermost transaction. Raises _Again, and Busy for what did not come in time."""
    is_committed = False

    def note() -> None:
        nonlocal is_committed
        is_committed = True

    try:
        with transaction.atomic():
            # The first of the hooks: another's failure comes after the commit, and what is
            # committed must not be run again.
            transaction.on_commit(note)
            return function(*args, **kwargs)
    except OperationalError as error:
        if is_committed:
            raise
        if (cause := _RETRIED.get(_sqlstate(error))) is not None:
            raise _Again(cause) from error
        if (refusal := refusal_of(error)) is not None:
            raise refusal from error
        raise


def refusal_of(error: BaseException) -> Busy | None:
    """Return how to refuse what ran into others, out of time, or found no database; None for any
    other error.

    Call it once for an error, when its transaction is over: what timed out is counted.
    """
    if isinstance(error, InterfaceError):
        return Busy(_UNREACHABLE)
    if not isinstance(error, OperationalError):
        return None
    state = _sqlstate(error)
    if not state or state.startswith(_AWAY):
        return Busy(_UNREACHABLE)
    if (count := _TIMED_OUT.get(state)) is not None:
        counters.add({count: 1})
    elif state not in _RETRIED:
        return None
    return Busy(_TOO_SLOW if count == Count.STATEMENT_TIMEOUT else _LOCKED)


def _sqlstate(error: OperationalError) -> str:
    # Django's error is raised from psycopg's, which has PostgreSQL's code.
    return getattr(error.__cause__, "sqlstate", None) or ""


def _is_inside_another() -> bool:
    connection = transaction.get_connection()
    return connection.in_atomic_block or not connection.get_autocommit()


def _wait_seconds(attempt: int) -> float:
    """Growing, and never the same for two that met: they would only meet again."""
    longest = _FIRST_WAIT_SECONDS * 2**attempt
    return random.uniform(longest / 2, longest)  # noqa: S311
