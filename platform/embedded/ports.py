"""TCP ports: a free one for a server of ours, a taken one named, a web server asked."""

from __future__ import annotations

import errno
import http.client
import random
import socket
from urllib.parse import urlsplit

from embedded.errors import StartError

LOOPBACK = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections, so that nobody's
# connection sits on a server's port while that server restarts.
PORTS = range(20_000, 32_000)
HEALTH_PATH = "/healthz"


def free_port() -> int:
    """Return a loopback port on which nobody listens."""
    for port in random.sample(PORTS, k=200):
        if listen_error(LOOPBACK, port) is None:
            return port
    raise StartError(f"No free port between {PORTS.start} and {PORTS.stop} on {LOOPBACK}.")


def refuse_taken_port(host: str, port: int) -> None:
    """Raise StartError when the web server could not listen on `host` and `port`."""
    error = listen_error(host, port)
    if error is None:
        return
    if error.errno == errno.EADDRINUSE:
        raise StartError(
            f"Port {port} on {host} is in use: stop what listens there,"
            " or choose another port with PACELINE_PORT."
        )
    if error.errno == errno.EACCES:
        raise StartError(
            f"Port {port} needs root's rights: choose one above 1023 with PACELINE_PORT."
        )
    raise StartError(f"PACELINE_BIND: {host} is no address of this machine ({error.strerror}).")


def listen_error(host: str, port: int) -> OSError | None:
    """Return what keeps a server from listening on `host` and `port`, None if nothing does."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As every server does: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


def http_status(*, bind: str, port: int, url: str) -> int | None:
    """Return the HTTP status with which the web server answers, None while it does not.

    Connects to the address it is bound to, since not every machine can resolve *.localhost, and
    asks for the host of `url`.
    """
    host = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(bind, bind)  # noqa: S104
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", HEALTH_PATH, headers={"Host": urlsplit(url).netloc})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
