"""How often a caller, and all callers of an agency together, may ask the API in a minute."""

from django.conf import settings
from rest_framework.exceptions import APIException

from accounts.models import ApiKey
from kernel import counters, rates
from kernel.counters import Count
from kernel.rates import Allowance
from tenants.contexts import current_agency

from .authentication import Caller

_COUNTS = {
    "key": Count.LIMITED_KEY,
    "person": Count.LIMITED_PERSON,
    "agency": Count.LIMITED_AGENCY,
}


class TooManyRequests(APIException):
    """The minute's requests are used up; `wait` is DRF's name for Retry-After."""

    status_code = 429

    def __init__(self, *, of: str, most: int, wait_seconds: int) -> None:
        whose = {"agency": "of one agency", "key": "with one key"}.get(of, "by one person")
        super().__init__(
            f"Too many requests: at most {most:,} {whose} in a minute."
            f" Try again in {wait_seconds} {'second' if wait_seconds == 1 else 'seconds'}."
        )
        self.wait = wait_seconds


def count_request(caller: Caller) -> None:
    """Count a request of somebody who is known. Raises TooManyRequests.

    Who is not known is not counted: strangers could use an agency's minute up.
    """
    schema = current_agency().schema_name
    kind = "key" if isinstance(caller, ApiKey) else "person"
    limits = {
        kind: (f"{kind}:{caller.pk}", settings.RATE_LIMIT_PER_KEY),
        "agency": ("agency", settings.RATE_LIMIT_PER_AGENCY),
    }
    allowances = {
        of: Allowance(f"paceline:rate:{{{schema}}}:{key}", most)
        for of, (key, most) in limits.items()
        if most
    }
    excess = rates.take(list(allowances.values()))
    if excess is None:
        return
    of = next(of for of, allowance in allowances.items() if allowance == excess.allowance)
    counters.add({_COUNTS[of]: 1})
    raise TooManyRequests(of=of, most=excess.allowance.most, wait_seconds=excess.wait_seconds)
