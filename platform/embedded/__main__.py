"""`python -m embedded`: starts all of Paceline, keeps it running, and stops it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from embedded.bell import Bell
from embedded.console import complain
from embedded.environment import Environment, read_environment
from embedded.errors import StartError, full_disk_named
from embedded.guard import run_guarded
from embedded.home import Home
from embedded.lock import RunLock
from embedded.ports import refuse_taken_port
from embedded.project import Project, paceline
from embedded.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]


def main(
    *, root: Path = ROOT, project_of: Callable[[Path, Environment], Project] = paceline
) -> int:
    """Run the checkout in `root` until asked to stop; return the exit code."""
    # Logs, mails and secrets are nobody else's business.
    os.umask(0o077)
    return in_one_line(lambda: _run(root=root, project_of=project_of))


def in_one_line(run: Callable[[], int]) -> int:
    """Call `run` and return its exit code; say in one line why if it can't be done."""
    try:
        return run()
    except (StartError, OSError) as error:
        complain(str(error))
    return 1


def _run(*, root: Path, project_of: Callable[[Path, Environment], Project]) -> int:
    environment = read_environment(root, os.environ)
    with full_disk_named(environment.home):
        home = Home(environment.home)
        lock = RunLock(home.path)
        lock.take()
    refuse_taken_port(environment.bind, environment.port)

    def supervise(lifeline: int) -> int:
        bell = Bell(lifeline=lifeline)
        lock.leave_to_guard()
        supervisor = Supervisor(
            environment=environment,
            home=home,
            project=project_of(root, environment),
            bell=bell,
            alive=lock.alive,
        )
        with full_disk_named(home.path):
            return supervisor.run()

    return run_guarded(
        lambda lifeline: in_one_line(lambda: supervise(lifeline)), end_others=lock.end_others
    )


if __name__ == "__main__":
    sys.exit(main())
