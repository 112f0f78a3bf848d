"""The same through a real broker and a real worker: a tick rings, the worker sweeps."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from budgets.models import Brand
from campaigns.models import Campaign
from campaigns.services.spend import NewSpend, record_spend
from kernel import clock
from tenants import doorbell
from tests.conftest import ANN, make_brand, make_campaign
from tests.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def worker(environment, tmp_path) -> Iterator[Path]:
    """A Celery worker of one process; gives its log."""
    log = tmp_path / "worker.log"
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency=1"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        yield log
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def lines(log, event):
    """Return the lines of the log that tell of an event."""
    found = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in found if line["event"] == event]


def ring(environment, code):
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", code],
        cwd=ROOT,
        env=environment,
        check=True,
    )


def wait_for(condition, log):
    wait_until(condition, told=log.read_text)


def test_a_tick_wakes_what_yesterdays_budget_held(own_agency, environment, worker):
    now = clock.read()
    campaign = make_campaign(make_brand(daily="50", now=now - timedelta(days=2)), now=now)
    Brand.objects.update(decided_at=None, next_check_at=None)
    yesterday = now - timedelta(days=1)
    spend = NewSpend(campaign.id, Decimal(50), yesterday.date())
    record_spend(spend=spend, now=yesterday, by=ANN)
    assert Campaign.objects.get().status == "PAUSED"
    doorbell.ring(own_agency, at=now)
    ring(environment, "from campaigns.tasks import tick; tick.delay()")
    wait_for(lambda: Campaign.objects.get().status == "ACTIVE", worker)
    wait_for(lambda: own_agency.slug in [ln["agency"] for ln in lines(worker, "sweep")], worker)
    [line] = lines(worker, "campaign activated")
    assert (line["agency"], line["campaign"]) == (own_agency.slug, str(campaign.id))
    assert (line["was"], line["actor"]) == ("PAUSED", "system")
    # The task was not asked for by a request: its own id stands for one.
    assert line["request_id"]


def test_an_agency_that_is_gone_does_not_stop_the_worker(own_agency, environment, worker):
    now = clock.read()
    make_campaign(make_brand(daily="0"), now=now)
    Campaign.objects.update(status="ACTIVE", is_live=True)
    code = f"from campaigns.tasks import sweep_agencies as s; s.delay([999999, {own_agency.pk}])"
    Brand.objects.update(decided_at=None)
    ring(environment, code)
    wait_for(lambda: Campaign.objects.get().status == "PAUSED", worker)
