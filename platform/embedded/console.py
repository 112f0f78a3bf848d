"""What the person in front of the terminal reads."""

from __future__ import annotations

import contextlib
import sys


def say(line: str) -> None:
    """Print one line at once; a terminal that has gone is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)


def complain(line: str) -> None:
    """Print one line about a failure to the error output, at once."""
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)
