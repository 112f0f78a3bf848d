"""The programs of Paceline that the supervisor runs, and their options."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from embedded.environment import Environment

# In PACELINE_HOME's logs, one file per program; the restarts of a program share it.
TASK_PROCESSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One command line, by the name that its log and its messages carry."""

    name: str
    argv: tuple[str, ...]
    shows_output: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What is run, and from which folder.

    `migrate` runs to its end first; `web` starts next and `then` runs to its end meanwhile;
    `background` starts last and stops first, in the opposite order.
    """

    root: Path
    migrate: Program
    web: Program
    then: tuple[Program, ...]
    background: tuple[Program, ...]


def paceline(root: Path, environment: Environment) -> Project:
    """Return the programs of the checkout in `root`."""
    manage = (sys.executable, str(root / "manage.py"))
    demo = environment.has_demo
    create_demo = Program(name="demo", argv=(*manage, "create_demo"), shows_output=True)
    simulator = Program(name="simulator", argv=(*manage, "simulate_spend"))
    return Project(
        root=root,
        migrate=Program(name="migrate", argv=(*manage, "migrate", "--noinput")),
        web=Program(name="web", argv=web_argv(environment)),
        then=(create_demo,) if demo else (),
        background=(
            Program(name="worker", argv=worker_argv(environment)),
            Program(name="beat", argv=beat_argv(environment)),
            *((simulator,) if demo else ()),
        ),
    )


def web_argv(environment: Environment) -> tuple[str, ...]:
    """Return gunicorn's command line."""
    host = f"[{environment.bind}]" if ":" in environment.bind else environment.bind
    return (
        *(sys.executable, "-m", "gunicorn", "config.wsgi"),
        # The rest is in gunicorn.conf.py, for whoever starts gunicorn by hand too.
        f"--bind={host}:{environment.port}",
        "--log-level=warning",
    )


def worker_argv(environment: Environment) -> tuple[str, ...]:
    """Return the command line of Celery's worker."""
    return (
        *(sys.executable, "-m", "celery", "--quiet", "-A", "config", "worker"),
        f"--concurrency={TASK_PROCESSES}",
        f"--loglevel={environment.log_level}",
        # They are for workers that talk to each other; here is one.
        "--without-gossip",
        "--without-mingle",
    )


def beat_argv(environment: Environment) -> tuple[str, ...]:
    """Return the command line of Celery's scheduler, of which there must be only one."""
    return (
        *(sys.executable, "-m", "celery", "--quiet", "-A", "config", "beat"),
        f"--loglevel={environment.log_level}",
    )
