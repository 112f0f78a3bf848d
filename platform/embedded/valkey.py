"""Valkey from its wheel: on loopback, with a password, keeping what it was told."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from embedded.errors import start_error
from embedded.home import kept_secret, write_private
from embedded.ports import LOOPBACK, free_port
from embedded.processes import Process
from embedded.wheels import valkey_program

READY_SECONDS_MAX = 60.0
PAUSE_SECONDS = 0.02
CONFIGURATION = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir .
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
"""


class Valkey:
    """One Valkey server in a folder, on the same port as long as this object lives."""

    def __init__(self, *, folder: Path, log: Path, inherits: Sequence[int] = ()) -> None:
        """Describe the server whose data is in `folder`; nobody else may run it."""
        self._folder = folder
        self.port = free_port()
        self._password = kept_secret(folder / "password")
        self._configuration = folder / "valkey.conf"
        self.process = Process(
            "valkey",
            [valkey_program(), self._configuration],
            folder=folder,
            log=log,
            inherits=inherits,
        )

    @property
    def url(self) -> str:
        """The URL of the server, password included."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def start(self) -> None:
        """Run the server. Raises OSError when it can't be run."""
        # In a file, since anybody on the machine can read the arguments of a program.
        text = CONFIGURATION.format(host=LOOPBACK, port=self.port, password=self._password)
        write_private(self._configuration, text)
        self.process.start()

    def wait_until_ready(self, pause: Callable[[float], None] = time.sleep) -> None:
        """Return when the server answers. Raises StartError when it won't."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self._answers():
            if self.process.exit_code() is not None or time.monotonic() > deadline:
                raise start_error(
                    f"Valkey did not start (see {self.process.log})",
                    output=self.process.output(),
                    folder=self._folder,
                )
            pause(PAUSE_SECONDS)

    def _answers(self) -> bool:
        # While it reads its file back in, it answers with LOADING instead of PONG.
        with (
            contextlib.suppress(OSError),
            socket.create_connection((LOOPBACK, self.port), timeout=5) as connection,
        ):
            connection.sendall(f"AUTH {self._password}\r\nPING\r\nQUIT\r\n".encode())
            with connection.makefile("rb") as answer:
                return b"+PONG" in answer.read()
        return False
