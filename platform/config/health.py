"""Is it alive, and does it work? Asked by load balancers, operators and engineers on call."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from kombu.exceptions import KombuError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from api.resources.health import HealthBody
from api.resources.resource import ApiView
from campaigns.models import Campaign, Status
from config.broker import PATIENCE_SECONDS, ask_server
from config.celery import app
from config.database import findings
from kernel import clock
from tenants import claims
from tenants.contexts import current_agency, platform_context
from tenants.models import Agency
from tenants.queries import troubled_agencies


@dataclass(frozen=True, slots=True)
class Check:
    """One part's state: "ok" or "error", with what there is to say about it."""

    status: str
    detail: str = ""
    last_tick: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The state of all parts at an instant: "ok" only if every part is, else "degraded"."""

    timestamp: datetime
    status: str
    checks: dict[str, Check]

    @property
    def is_ok(self) -> bool:
        return self.status == "ok"


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that this process serves requests; it asks nothing else, and needs no credentials."""
    return HttpResponse("ok\n", content_type="text/plain")


def check_health(*, now: datetime, agency: Agency | None = None) -> Health:
    """Ask every part, in the context of an agency or the platform; none is waited for long.

    Of the sweep an agency is told its own; the platform, all that are in trouble.
    """
    checks = {"database": _try(_database), "redis": _try(_redis)}
    # Without the broker nobody can be asked, and asking would wait long for it.
    unreachable = Check("error", "no broker")
    checks["celery"] = _try(_celery) if checks["redis"].status == "ok" else unreachable
    checks["beat"] = _try(lambda: _beat(now))
    checks["sweep"] = _try(lambda: _sweep(agency))
    is_ok = all(check.status == "ok" for check in checks.values())
    return Health(now, "ok" if is_ok else "degraded", checks)


def campaign_counts(access: Access) -> dict[str, int]:
    """Return how many of the current agency's campaigns that are seen are active and paused."""
    campaigns = access.narrow(Campaign.objects.all(), "brand")
    return {
        "active": campaigns.filter(status=Status.ACTIVE).count(),
        "paused": campaigns.filter(status=Status.PAUSED).count(),
    }


class HealthView(ApiView):
    """`/api/health/`: 200 while the database answers; what else is amiss stands in the body."""

    summary = "Show whether everything works"
    answers = {"list": {200: HealthBody, 503: HealthBody}}

    def get(self, request: Request) -> Response:
        health = check_health(now=clock.read(), agency=current_agency())
        database = health.checks["database"]
        told: dict[str, object] = {"database": _told(database)}
        if database.status == "ok":
            told["campaigns"] = campaign_counts(self.access)
        told |= {name: _told(health.checks[name]) for name in ("celery", "redis", "beat", "sweep")}
        body = {"timestamp": health.timestamp, "status": health.status, "checks": told}
        return Response(body, status=200 if database.status == "ok" else 503)


def _told(check: Check) -> dict[str, object]:
    told: dict[str, object] = {"status": check.status, "detail": check.detail}
    if check.last_tick is not None:
        told["last_tick"] = check.last_tick
    return told


def _try(check: Callable[[], Check]) -> Check:
    """A part that fails to answer is what this page is for: say so instead of failing with it."""
    try:
        return check()
    except (DatabaseError, redis.RedisError, KombuError, OSError) as failure:
        return Check("error", type(failure).__name__)


def _database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (version,) = cursor.fetchone()
    # It works; these are for whoever runs it.
    warnings = "".join(f"; WARNING: {finding.words}" for finding in findings())
    return Check("ok", f"PostgreSQL {version}{warnings}")


def _redis() -> Check:
    server = ask_server()
    warning = f"; WARNING: {server.warning}" if server.warning else ""
    return Check("ok", f"{server.name} {server.version}".strip() + warning)


def _celery() -> Check:
    answers = app.control.broadcast("ping", reply=True, timeout=PATIENCE_SECONDS, limit=1)
    return Check("ok") if answers else Check("error", "no worker answers")


def _sweep(agency: Agency | None) -> Check:
    with platform_context():
        runs = [run for run in troubled_agencies() if agency in (None, run.agency)]
    told = [
        f"{'quarantined' if run.quarantined_at else 'in trouble'}: {run.agency.slug}"
        if agency is None
        else "Time's decisions are late; the operator is told why."
        for run in runs
    ]
    return Check("error" if runs else "ok", "; ".join(told))


def _beat(now: datetime) -> Check:
    with platform_context():
        beat = claims.last_beat()
    if beat is None:
        return Check("error", "no tick yet")
    status = "ok" if beat.is_fresh(now=now) else "error"
    return Check(status, f"last tick {beat.beat_at:%Y-%m-%dT%H:%M:%SZ}", beat.beat_at)
