"""A short run of the crash harness; `python -m tests.crash` is the long one."""

import subprocess
import sys

from tests.crash.system import ROOT

COMMAND = [sys.executable, "-m", "tests.crash", "--minutes", "0.15", "--clients", "4"]


def test_what_was_answered_survives_whatever_dies():
    done = subprocess.run(
        [*COMMAND, "--seed", "1"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert "lost 0, doubled 0, wrong 0, wrongly running 0, wrongly held 0" in told, told
    assert "faults: 0" not in told, told
