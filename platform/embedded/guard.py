"""The process that people see and kill, around the supervisor that does the work.

Two processes, since one that is killed with SIGKILL can't tidy up after itself: a supervisor
without its guard stops everything in order, and a guard without its supervisor ends the rest.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from embedded.bell import STOP_SIGNALS
from embedded.console import complain
from embedded.processes import ending


def run_guarded(supervise: Callable[[int], int], *, end_others: Callable[[], None]) -> int:
    """Run `supervise(lifeline)` in a process of its own, and return its exit code.

    The lifeline is a pipe that ends with this process. `end_others` is called when a signal has
    ended the supervisor.
    """
    # Blocked until somebody waits for them, so that none is lost or handled by the wrong process.
    signal.pthread_sigmask(signal.SIG_BLOCK, {*STOP_SIGNALS, signal.SIGCHLD})
    signal.signal(signal.SIGCHLD, lambda *_: None)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        _become_supervisor(supervise, lifeline=reading)
    os.close(reading)
    exit_code = _wait_for(pid)
    if exit_code < 0:
        end_others()
        complain(f"The supervisor ended with {ending(exit_code)}: everything is stopped.")
        return 1
    return exit_code


def _become_supervisor(supervise: Callable[[int], int], *, lifeline: int) -> NoReturn:
    # Ctrl-C and a kill of the terminal's process group are for the guard alone to pass on.
    os.setsid()
    exit_code = 1
    try:
        exit_code = supervise(lifeline)
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


def _wait_for(supervisor_pid: int) -> int:
    while True:
        received = signal.sigwait({*STOP_SIGNALS, signal.SIGCHLD})
        if received in STOP_SIGNALS:
            os.kill(supervisor_pid, signal.SIGTERM)
            continue
        pid, status = os.waitpid(supervisor_pid, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
