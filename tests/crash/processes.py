"""The processes of our own run, found from the one that we started downwards, never by a name."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import NamedTuple

SUPERVISOR = r"-m embedded$"
WEB = r"gunicorn"
WORKER = r"celery.* worker"
POSTMASTER = r"/postgres -D "
# What each process is called here: how its parent's command line and its own look.
ROLES = {
    "gunicorn worker": (WEB, WEB),
    "gunicorn arbiter": (SUPERVISOR, WEB),
    "celery child": (WORKER, WORKER),
    "celery parent": (SUPERVISOR, WORKER),
    "beat": (SUPERVISOR, r"celery.* beat"),
    "postgres backend": (POSTMASTER, r"^postgres: paceline paceline "),
    "postmaster": (SUPERVISOR, POSTMASTER),
    "valkey": (SUPERVISOR, r"valkey-server"),
}


class Found(NamedTuple):
    """A process that runs."""

    pid: int
    parent: int
    command: str


def descendants(root: int) -> dict[int, Found]:
    """Return all processes below `root` by their ids, and `root` itself."""
    running = {found.pid: found for found in map(_look, _every_pid()) if found is not None}
    family: dict[int, Found] = {}
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid in running:
            family[pid] = running[pid]
        waiting += [found.pid for found in running.values() if found.parent == pid]
    return family


def with_role(role: str, *, root: int) -> list[Found]:
    """Return the processes below `root` that have a role of `ROLES`."""
    of_parent, own = ROLES[role]
    family = descendants(root)
    return [
        found
        for found in family.values()
        if re.search(own, found.command)
        and found.parent in family
        and re.search(of_parent, family[found.parent].command)
    ]


class Handle:
    """A hold on one process, which no later process of the same number can be taken for."""

    def __init__(self, found: Found) -> None:
        """Take hold of a process. Raises ProcessLookupError when it has ended."""
        self._descriptor = os.pidfd_open(found.pid)
        looked = _look(found.pid)
        # Between the look and the hold its number may have become another's.
        if looked is None or looked.parent != found.parent:
            os.close(self._descriptor)
            raise ProcessLookupError(found.pid)

    def send(self, number: signal.Signals) -> None:
        """Send a signal. Raises ProcessLookupError when the process has ended."""
        signal.pidfd_send_signal(self._descriptor, number)

    def close(self) -> None:
        """Let go of the process."""
        os.close(self._descriptor)


def _every_pid() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _look(pid: int) -> Found | None:
    folder = Path("/proc", str(pid))
    try:
        state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
    return None if state == "Z" else Found(pid, int(parent), command.strip())
