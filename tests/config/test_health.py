"""An agency in trouble: the operator is told which, an agency only of itself."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from config.health import check_health
from tenants import claims
from tenants.claims import Report
from tenants.contexts import platform_context, tenant_context
from tests.conftest import NOON


@pytest.fixture
def broken(world):
    """Acme, left alone after its fifth failure."""
    with platform_context():
        for _ in range(claims.FAILURES_MAX):
            claims.settle(world.acme, Report(0.1, error="KeyError", has_failed=True), now=NOON)
    return world


def test_the_operator_is_told_which_agency_is_left_alone(broken, clean_cache):
    out = StringIO()
    with platform_context(), pytest.raises(CommandError):
        call_command("health", stdout=out)
    assert "sweep: error quarantined: acme" in out.getvalue()


def test_an_agency_is_told_of_itself_and_of_nobody_else(broken):
    with tenant_context(broken.acme):
        own = check_health(now=NOON, agency=broken.acme).checks["sweep"]
    with tenant_context(broken.zeta):
        other = check_health(now=NOON, agency=broken.zeta).checks["sweep"]
    assert (own.status, other.status) == ("error", "ok")
    assert "acme" not in own.detail + other.detail
    assert "KeyError" not in own.detail
