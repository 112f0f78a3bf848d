"""The worker of `gunicorn config.wsgi`: gunicorn looks after the processes, this serves in each."""

import os
import resource
import socket
import time
from collections import Counter
from typing import Any

from gunicorn.workers.base import Worker as GunicornWorker
from waitress import wasyncore

from . import limits, server
from .dispatcher import FairDispatcher

_TENDED_SECONDS = 1.0


def _allow_files() -> None:
    """Raise this process's own limit of open files: each connection may need three."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.CONNECTIONS_MAX * 3 + 500
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Wakeup(wasyncore.file_dispatcher):  # type: ignore[misc]
    """Ends the wait for sockets when a signal comes."""

    def writable(self) -> bool:
        return False

    def handle_read(self) -> None:
        self.recv(4096)


class Worker(GunicornWorker):  # type: ignore[misc]
    """A process with threads that run requests, of which an agency gets at most half."""

    alive: bool

    def run(self) -> None:
        """Serve until gunicorn says to stop; then answer what is under way, for a while."""
        _allow_files()
        sockets: dict[int, Any] = {}
        dispatcher = FairDispatcher(threads=self.cfg.threads, share=max(1, self.cfg.threads // 2))
        servers = [self._serve(one.sock, sockets, dispatcher) for one in self.sockets]
        _Wakeup(self.PIPE[0], sockets)
        self._loop(sockets, servers, dispatcher)
        for one in servers:
            one.accepting = False
        until = time.monotonic() + self.cfg.graceful_timeout
        while any(one.is_busy for one in servers) and time.monotonic() < until:
            self.notify()
            wasyncore.loop(timeout=0.1, map=sockets, use_poll=True, count=1)
        dispatcher.shutdown(seconds=max(0.0, until - time.monotonic()))

    def _loop(
        self, sockets: dict[int, Any], servers: list[Any], dispatcher: FairDispatcher
    ) -> None:
        tended_at = time.monotonic()
        while self.alive and self.ppid == os.getppid():
            self.notify()
            wasyncore.loop(timeout=_TENDED_SECONDS, map=sockets, use_poll=True, count=1)
            if (now := time.monotonic()) - tended_at >= _TENDED_SECONDS:
                tended_at = now
                unread = sum((one.tend() for one in servers), Counter[str]())
                dispatcher.tend(
                    crowded=[host for host, many in unread.items() if many >= limits.UNREAD_MAX]
                )
            if dispatcher.served >= self.max_requests:
                self.log.info("Autorestarting worker after %d requests.", dispatcher.served)
                self.alive = False

    def _serve(
        self, listener: socket.socket, sockets: dict[int, Any], dispatcher: FairDispatcher
    ) -> Any:
        is_unix = listener.family == socket.AF_UNIX
        kind = server.UnixServer if is_unix else server.TcpServer
        return kind(
            self.wsgi,
            sockets,
            True,
            listener,
            dispatcher=dispatcher,
            adj=server.adjustments(),
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        )
