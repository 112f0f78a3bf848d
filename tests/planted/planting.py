"""Run a part of the suite against a copy of the tree with a bug in it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from .mutations import Mutation

ROOT = Path(__file__).resolve().parents[2]
# The chosen fast part, what is quickest first: a run ends with the first test that fails.
FAST_PART = (
    "tests/campaigns/test_delivery.py",
    "tests/dayparting",
    "tests/kernel",
    "tests/campaigns/test_recording_spend.py",
    "tests/campaigns/test_holds.py",
    "tests/budgets",
    "tests/api/test_restating.py",
    "tests/campaigns/test_concurrency.py",
    "tests/campaigns/test_any_order.py",
    "tests/campaigns/test_machine.py",
)
SECONDS_MAX = 600
_NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".paceline", "__pycache__", ".*_cache", ".hypothesis", "staticfiles"
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
# What a surrounding run of pytest says to its own processes, and the servers that it uses.
_NOT_INHERITED = ("PYTEST_", "DATABASE_URL", "REDIS_URL", "PACELINE_")


class Verdict(NamedTuple):
    """Whether the tests saw the bug: by the first that failed, or None where none did."""

    caught_by: str | None


class CanNotJudge(Exception):
    """The tests ended neither well nor with a failure, so they say nothing."""


@contextmanager
def copied(tree: Path = ROOT) -> Iterator[Path]:
    """Copy a tree to a folder of its own, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="paceline-planted-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(tree, copy, ignore=_NOT_COPIED)
        yield copy


def judge(mutation: Mutation | None, tests: Sequence[str] = FAST_PART) -> Verdict:
    """Plant a bug (None: none) in a copy and run tests there. Raises CanNotPlant, CanNotJudge."""
    with copied() as tree:
        if mutation is not None:
            (tree / mutation.path).write_text(mutation.applied_to(tree))
        return _run(tree, tests)


def _run(tree: Path, tests: Sequence[str]) -> Verdict:
    options = ["-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", "--hypothesis-seed=1"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_INHERITED)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=tree,
            # The copy comes before the checkout that the environment was installed from.
            env=kept | {"PYTHONPATH": f"{tree}{os.pathsep}{tree / 'platform'}"},
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CanNotJudge(f"no answer in {SECONDS_MAX} s") from None
    if done.returncode == 0:
        return Verdict(None)
    failed = _FAILED.search(done.stdout)
    if done.returncode != 1 or failed is None:
        raise CanNotJudge((done.stdout + done.stderr)[-2000:])
    return Verdict(failed[1])
