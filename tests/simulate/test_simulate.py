"""The short run of `python -m tests.simulate`: three days around the spring of Europe's clocks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tests.simulate", "--agencies", "2", "--days", "3", "--seed", "1"]


def test_three_days_over_the_real_services_agree_with_the_model_at_every_step():
    done = subprocess.run(
        [*COMMAND, "--start", "2026-03-28T18:00"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert "mismatches 0" in told.splitlines()[-1], told
