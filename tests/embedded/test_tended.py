from __future__ import annotations

import time
from pathlib import Path

import pytest

from embedded.processes import Process
from embedded.tended import FIRST_PAUSE_SECONDS, PAUSE_SECONDS_MAX, Tended


def test_the_pauses_of_a_program_that_always_dies_grow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    process = Process("web", ["sh", "-c", "exit 3"], folder=tmp_path, log=tmp_path / "web.log")
    process.start()
    tended = Tended(process)
    pauses = []
    for _ in range(9):
        eventually_ended(process)
        tended.tend()
        pauses.append(tended.seconds_until_due() or 0.0)
        clock += pauses[-1]
        tended.tend()
    assert pauses[:3] == [FIRST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2, FIRST_PAUSE_SECONDS * 4]
    assert pauses[-1] == PAUSE_SECONDS_MAX
    process.stop()
    assert "web ended with exit code 3, starts again in 0.25 s" in capsys.readouterr().out


def eventually_ended(process: Process) -> None:
    while process.exit_code() is None:
        time.sleep(0.01)
