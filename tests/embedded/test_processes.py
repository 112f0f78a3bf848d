from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from embedded.processes import Process, ending
from tests.embedded.conftest import SECONDS_MAX, eventually, is_alive

Shell = Callable[..., Process]
DEAF = "trap '' TERM; echo deaf; while :; do sleep 1; done"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Return a function that runs a shell script and waits for its first line."""

    def run(script: str, *, patience_seconds: float = SECONDS_MAX) -> Process:
        process = Process(
            "shell",
            ["sh", "-c", script],
            folder=tmp_path,
            log=tmp_path / "shell.log",
            patience_seconds=patience_seconds,
        )
        process.start()
        eventually(process.output)
        return process

    return run


def test_who_does_not_listen_is_killed_when_patience_ends(shell: Shell) -> None:
    process = shell(DEAF, patience_seconds=0.5)
    process.stop()
    assert process.exit_code() == -9


def test_hurried_it_has_no_patience(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    process = shell(DEAF)

    def wait(seconds: float) -> None:
        raise AssertionError("It waited.")

    monkeypatch.setattr("embedded.processes.time.sleep", wait)
    process.stop(is_hurried=lambda: True)
    assert process.exit_code() == -9


def test_its_children_end_with_it(shell: Shell) -> None:
    process = shell("sleep 600 & echo $!; trap 'exit 7' TERM; wait")
    child = int(process.output())
    process.stop()
    assert process.exit_code() == 7
    eventually(lambda: not is_alive(child))


def test_what_an_earlier_run_wrote_is_not_taken_for_this_one(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "shell.log").write_text("No space left on device\n")
    process = shell("echo now")
    process.stop()
    assert process.output() == "now\n"


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [(0, "exit code 0"), (3, "exit code 3"), (-9, "signal 9 (SIGKILL)"), (-64, "signal 64")],
)
def test_an_ending_is_said_in_words(exit_code: int, words: str) -> None:
    assert ending(exit_code).startswith(words)
