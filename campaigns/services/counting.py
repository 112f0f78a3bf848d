"""Count what becomes of the spend that is reported: for operators, never for the books."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, Protocol, TypeVar

from kernel import counters
from kernel.counters import Count
from kernel.errors import Busy, DomainError


class HasRowCounts(Protocol):
    """What a service answers that took rows of spend."""

    @property
    def row_counts(self) -> Mapping[Count, int]: ...


P = ParamSpec("P")
R = TypeVar("R", bound=HasRowCounts)


def counted(service: Callable[P, R]) -> Callable[P, R]:
    """Count the rows that a service took, once they are committed, and those that it refused.

    It goes above `atomic`: a refusal is counted when its transaction is over. One that names no
    rows counts as one.
    """

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            taken = service(*args, **kwargs)
        except Busy:
            # Nothing is wrong with the rows, and they will come again.
            raise
        except DomainError as refusal:
            counters.add({Count.SPEND_REFUSED: len(getattr(refusal, "errors", [refusal]))})
            raise
        counters.add(taken.row_counts)
        return taken

    return run
