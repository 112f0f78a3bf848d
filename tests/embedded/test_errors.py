from __future__ import annotations

import errno
from pathlib import Path

import pytest

from embedded.errors import StartError, full_disk_named, start_error

TRACEBACK = """\
Traceback (most recent call last):
  File "manage.py", line 1, in <module>
django.db.utils.ProgrammingError: column "x" does not exist
LINE 1: SELECT x
               ^
"""


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("", "migrate failed."),
        ("one\n\ntwo \n", "migrate failed: two"),
        (TRACEBACK, 'migrate failed: django.db.utils.ProgrammingError: column "x" does not exist'),
        ("FATAL:  lock file is empty\nHINT:  Look\n", "migrate failed: FATAL:  lock file is empty"),
    ],
)
def test_a_failure_is_said_in_the_line_that_names_its_cause(
    tmp_path: Path, output: str, message: str
) -> None:
    assert str(start_error("migrate failed", output=output, folder=tmp_path)) == message


def test_a_full_disk_is_named_whoever_met_it(tmp_path: Path) -> None:
    output = "FATAL:  could not write: No space left on device\nHINT:  Check free disk space.\n"
    message = f"No space is left on the disk of {tmp_path}: "
    assert str(start_error("initdb failed", output=output, folder=tmp_path)).startswith(message)
    with pytest.raises(StartError, match="No space is left"), full_disk_named(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), full_disk_named(tmp_path):
        raise PermissionError
