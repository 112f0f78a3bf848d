"""`GET /metrics` on the platform's own host: what Prometheus asks for, behind a token.

Counters are those of all processes (`kernel.counters`), gauges are read as they are asked for. A
part that does not answer leaves its metrics out, and `paceline_up` tells which one it is: a zero
would look like a restart.
"""

from collections.abc import Iterator
from datetime import datetime

import redis
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from kernel import clock, counters
from kernel.counters import Count
from tenants.queries import service_state

# Of each counter what it says, and the name of its label, if it has one.
COUNTERS = {
    "transaction_retries": ("Transactions run again, by what ended them.", "cause"),
    "lock_timeouts": ("Requests and decisions given up for a lock that was not had in time.", None),
    "statement_timeouts": ("Statements cancelled because they took too long.", None),
    "ticks": ("Ticks of the scheduler that arrived.", None),
    "agencies_swept": ("Sweeps of one agency, the failed ones included.", None),
    "sweep_failures": ("Sweeps in which something could not be decided or stored.", None),
    "sweep_seconds": ("Time spent on sweeps, summed over all workers.", None),
    "campaigns_changed": ("Campaigns whose holds or status a sweep changed.", None),
    "spend_rows": (
        "Rows of spend by what became of them; refused ones were not stored, nor was their batch.",
        "outcome",
    ),
    "requests_limited": ("Requests answered 429, by whose minute was used up.", "whose"),
}


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with every metric; 404 where METRICS_TOKEN is not set, 401 without it."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        refusal = HttpResponse("The token is missing or wrong.\n", "text/plain", status=401)
        refusal["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refusal
    # A registry of our own: the library's tells of this one process, of which there are several.
    registry = CollectorRegistry()
    registry.register(_Platform(now=clock.read()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Platform(Collector):
    """Everything that is told, as of an instant. It is asked on the platform's schema."""

    def __init__(self, *, now: datetime) -> None:
        self._now = now

    def describe(self) -> list[Metric]:
        # Else a registry asks for everything once more, to learn the names.
        return []

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("paceline_up", "Whether a part answered.", labels=["part"])
        for part, ask in (("redis", _counters), ("database", self._gauges)):
            try:
                families = list(ask())
            except (redis.RedisError, DatabaseProblem, OSError):
                up.add_metric([part], 0)
            else:
                up.add_metric([part], 1)
                yield from families
        yield up

    def _gauges(self) -> Iterator[Metric]:
        state = service_state(now=self._now)
        agencies = GaugeMetricFamily(
            "paceline_agencies",
            "Active agencies: all, those due, those that a worker has taken, those left alone.",
            labels=["state"],
        )
        agencies.add_metric(["active"], state.agencies)
        agencies.add_metric(["due"], state.due)
        agencies.add_metric(["claimed"], state.claimed)
        agencies.add_metric(["quarantined"], state.quarantined)
        yield agencies
        if state.unswept_seconds is not None:
            yield GaugeMetricFamily(
                "paceline_oldest_sweep_age_seconds",
                "Since the active agency that waits longest was swept.",
                value=state.unswept_seconds,
            )
        if state.tick_seconds is not None:
            yield GaugeMetricFamily(
                "paceline_last_tick_age_seconds",
                "Since the scheduler's last tick arrived.",
                value=state.tick_seconds,
            )


def _counters() -> Iterator[Metric]:
    """The counters of all processes; one that was never raised is told as 0."""
    counts = counters.read()
    for name, (told, label) in COUNTERS.items():
        family = CounterMetricFamily(f"paceline_{name}", told, labels=[label] if label else [])
        for count in Count:
            field, _, value = count.partition(":")
            if field == name:
                family.add_metric([value] if label else [], counts[count])
        yield family
