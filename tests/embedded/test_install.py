"""What `./run` says before there is a Python to run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("script", ["run", "test"])
def test_an_old_python_is_refused_in_one_line(tmp_path: Path, script: str) -> None:
    shutil.copy(ROOT / script, tmp_path)
    (tmp_path / "platform/embedded").mkdir(parents=True)
    shutil.copy(ROOT / "platform/embedded/install.sh", tmp_path / "platform/embedded")
    old = tmp_path / "bin/python3"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 3.9\n")
    old.chmod(0o755)
    done = subprocess.run(
        [tmp_path / script],
        env={"PATH": f"{old.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "Paceline needs Python 3.11 or newer; python3 is: 3.9\n"
    assert not (tmp_path / ".venv").exists()
