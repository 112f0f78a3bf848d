"""What can end a start."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What the C library calls it in English, which is what every program of ours speaks.
NO_SPACE = "No space left on device"
FREE_BYTES_MIN = 1_000_000
# What a line that names a cause has in it, where a detail, a hint or a caret may follow it.
CAUSE = re.compile(r"FATAL|PANIC|error", re.IGNORECASE)


class StartError(Exception):
    """Paceline can't start; the message is the one line that says why and what to do."""


class StopRequestedError(Exception):
    """Somebody asked us to stop; not a failure."""


def disk_is_full(folder: Path) -> bool:
    """Return whether the disk of `folder` has no room worth mentioning."""
    try:
        return shutil.disk_usage(folder).free < FREE_BYTES_MIN
    except OSError:
        return False


def disk_full_error(folder: Path) -> StartError:
    """Return the error that names the full disk by a folder on it."""
    return StartError(
        f"No space is left on the disk of {folder}: make room there,"
        " or choose another place with PACELINE_HOME."
    )


def start_error(what: str, *, output: str, folder: Path) -> StartError:
    """Return the error for a program that failed, from what it wrote and where it writes.

    A full disk often swallows the very message that would have said so, so the disk is asked too.
    """
    if NO_SPACE in output or disk_is_full(folder):
        return disk_full_error(folder)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    causes = [line for line in lines if CAUSE.search(line)] or lines
    return StartError(f"{what}: {causes[-1]}" if causes else f"{what}.")


@contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """Raise StartError for an OSError that says that the disk of `folder` is full."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full_error(folder) from error
        raise
