"""The simulator against the real API: campaigns pause and come back; trouble passes; it stops."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from budgets.models import EntryKind, SpendEntry
from campaigns.audit import audit
from campaigns.models import Campaign, Status, StatusChange
from demo import simulator
from demo.keys import keep_key
from demo.public_api import Address, AwayError, PublicApi, address_of
from demo.simulator import Player, play_once
from demo.spending import HELD_SECONDS
from kernel import clock
from tenants.contexts import platform_context, tenant_context
from tests.demo.conftest import MINI, agency_of
from tests.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mini(create_demo):
    """Mini Ads, whose API the simulator reaches without a network."""
    create_demo()
    return agency_of(MINI)


class OwnWeb(httpx.BaseTransport):
    """Answers by the application itself, in this process and in the test's transaction."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = Client().generic(
            request.method,
            request.url.raw_path.decode(),
            request.read(),
            content_type="application/json",
            headers=dict(request.headers),
        )
        return httpx.Response(answer.status_code, content=answer.content)


@pytest.fixture
def own_web(monkeypatch):
    monkeypatch.setattr(simulator, "PublicApi", partial(PublicApi, transport=OwnWeb()))


@pytest.fixture
def answers(monkeypatch):
    """Answer the simulator with what the returned function is given: a status or an error."""
    given: list[int | Exception] = []

    def answer(request: httpx.Request) -> httpx.Response:
        what = given.pop(0) if given else 200
        if isinstance(what, Exception):
            raise what
        empty: dict[str, Any] = {"count": 0, "next": None, "previous": None, "results": []}
        return httpx.Response(what, json=empty)

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(simulator, "PublicApi", partial(PublicApi, transport=transport))
    return given.extend


def at(monkeypatch, seconds: float) -> None:
    """Let the whole platform read a clock that is `seconds` ahead."""
    now = clock.read() + timedelta(seconds=seconds)
    monkeypatch.setattr(clock, "read", lambda: now)


@pytest.mark.usefixtures("own_web")
def test_a_fast_campaign_pauses_and_comes_back(mini, monkeypatch):
    player = Player("mini", simulator._random(1, "mini"))
    for _ in range(15):
        player.play_moment()
        if fast_campaign(mini).status == Status.PAUSED:
            break
    assert fast_campaign(mini).status == Status.PAUSED
    at(monkeypatch, HELD_SECONDS + 1)
    player.play_moment()
    assert fast_campaign(mini).status == Status.ACTIVE
    with tenant_context(mini):
        last = StatusChange.objects.filter(campaign__external_id="pulse-1").latest("id")
        assert (last.from_status, last.to_status, last.by_kind) == ("PAUSED", "ACTIVE", "key")
        own = SpendEntry.objects.filter(source="simulator")
        assert own.filter(kind=EntryKind.CORRECTION, amount__lt=0).exists()
        assert not own.filter(budget__campaign__external_id="m-1").exists(), "paused by hand"
        assert audit().violations == []


def fast_campaign(agency):
    with tenant_context(agency):
        return Campaign.objects.get(external_id="pulse-1")


@pytest.mark.usefixtures("own_web")
def test_a_key_that_was_replaced_is_read_again(mini, tmp_path):
    player = Player("mini", simulator._random(1, "mini"))
    player.play_moment()
    (tmp_path / "demo" / "mini.key").unlink()
    with tenant_context(mini):
        keep_key(mini, now=clock.read())
    with pytest.raises(AwayError, match="answers 401"):
        player.play_moment()
    player.play()
    player.play()
    player.play_moment()


@pytest.mark.usefixtures("own_web")
def test_an_agency_that_was_switched_off_is_away(mini):
    with platform_context():
        type(mini).objects.filter(pk=mini.pk).update(is_active=False)
    with pytest.raises(AwayError, match="answers 404"):
        play_once(seed=1)


@pytest.fixture
def player(settings, tmp_path):
    settings.PACELINE_HOME = tmp_path
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "mini.key").write_text("prefix.secret\n")
    return Player("mini", simulator._random(1, "mini"))


@pytest.mark.parametrize(
    "trouble", [503, 429, 301, 401, httpx.ConnectError("no"), httpx.ReadTimeout("slow")]
)
def test_trouble_is_said_once_and_its_end_too(player, answers, caplog, trouble):
    caplog.set_level(logging.INFO, "demo.simulator")
    answers([trouble, trouble, trouble])
    for _ in range(5):
        player.play()
    lines = [record.getMessage() for record in caplog.records if record.name == "demo.simulator"]
    assert len(lines) == 2
    assert lines[0].startswith("mini: http://127.0.0.1:8000 ")
    assert lines[1] == "mini: answers again"


class Sleeper:
    """A clock that stands still but while somebody sleeps, in seconds."""

    slept = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


@pytest.fixture
def sleeper(monkeypatch) -> Sleeper:
    """The simulator's clock."""
    clock = Sleeper()
    monkeypatch.setattr(simulator, "time", clock)
    return clock


def test_it_waits_longer_and_longer_but_not_for_ever(player, answers, sleeper):
    answers([503] * 10)
    pauses = []
    for _ in range(8):
        player.play()
        pauses.append(player.due_at - sleeper.monotonic())
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_spend_that_is_refused_does_not_stop_the_others(player, monkeypatch, caplog):
    brand = {
        "id": "b1",
        "name": "Tiny Shop",
        "currency": "EUR",
        "time_zone_now": "UTC",
        "daily_budget": "100.00",
        "monthly_budget": None,
        "daily_spend": "0.00",
    }
    fast: dict[str, Any] = {
        "id": "c1",
        "brand": "b1",
        "name": "Fast",
        "external_id": "pulse-1",
        "status": "ACTIVE",
        "holds": [],
        "daily_budget": None,
        "daily_spend": "0.00",
    }

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(400, json={"amount": ["No."]})
        rows = [brand] if "brands" in request.url.path else [fast]
        return httpx.Response(200, json={"next": None, "results": rows})

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(simulator, "PublicApi", partial(PublicApi, transport=transport))
    for _ in range(3):
        player.play()
    lines = [record.getMessage() for record in caplog.records if record.name == "demo.simulator"]
    assert lines == ['mini: POST spends/ answered 400: {"amount":["No."]}']


@pytest.mark.parametrize(
    ("url", "bind", "address"),
    [
        ("http://localhost:8000", "", Address("http://127.0.0.1:9000", "mini.localhost:8000")),
        ("http://localhost:8000", "::1", Address("http://[::1]:9000", "mini.localhost:8000")),
        ("http://localhost", "0.0.0.0", Address("http://127.0.0.1:9000", "mini.localhost")),
        ("https://ads.example.com", "", Address("https://mini.ads.example.com")),
        (
            "https://localhost:8443",
            "",
            Address("https://127.0.0.1:8443", "mini.localhost:8443", "mini.localhost"),
        ),
    ],
)
def test_it_asks_where_the_agency_is_served(settings, monkeypatch, url, bind, address):
    parts = httpx.URL(url)
    settings.PACELINE_SCHEME = parts.scheme
    settings.PACELINE_BASE_DOMAIN = parts.host
    settings.PACELINE_PORT_SUFFIX = f":{parts.port}" if parts.port else ""
    settings.PACELINE_PORT = 9000
    monkeypatch.setenv("PACELINE_BIND", bind)
    assert address_of("mini") == address


def test_without_an_agency_it_says_how_to_make_one(settings, tmp_path):
    settings.PACELINE_HOME = tmp_path
    with pytest.raises(CommandError, match=r"manage\.py create_demo makes them"):
        call_command("simulate_spend", "--once")


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_a_length_is_a_number_above_0(seconds):
    with pytest.raises(CommandError, match="--seconds"):
        call_command("simulate_spend", f"--seconds={seconds}")


@pytest.mark.parametrize("seconds", [0.5, 10])
def test_it_stops_after_the_seconds_it_was_given(player, answers, sleeper, seconds):
    answers([])
    handler = signal.getsignal(signal.SIGTERM)
    call_command("simulate_spend", f"--seconds={seconds}", stdout=StringIO())
    assert sleeper.slept == seconds
    assert signal.getsignal(signal.SIGTERM) == handler


# Who stops within the patience of the test did not wait for the end of the pause.
PAUSES_FOR_A_DAY = """
import sys, time
from unittest import mock
import manage
sys.argv = ["manage.py", "simulate_spend"]
with mock.patch("time.sleep", lambda seconds, sleep=time.sleep: sleep(86_400)):
    manage.main()
"""


@contextmanager
def simulate_spend(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the command as ./run does, where no web server answers; it then pauses for a day."""
    (home / "demo").mkdir()
    (home / "demo" / "mini.key").write_text("prefix.secret\n")
    environment = os.environ | {
        "PACELINE_HOME": str(home),
        "PACELINE_URL": "http://localhost:1",
        "PACELINE_PORT": "1",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", PAUSES_FOR_A_DAY],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_sigterm_stops_it_at_once_while_the_web_is_away(tmp_path):
    with simulate_spend(tmp_path) as process:
        assert process.stdout is not None
        assert "Spending" in process.stdout.readline()
        assert "does not answer (ConnectError)" in process.stdout.readline()
        process.terminate()
        rest, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0
        assert rest == "Stopped.\n"
