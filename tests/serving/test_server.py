"""Every wait for a client has an end, whatever the client does; real sockets, shortened waits."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from waitress import wasyncore

from serving import limits
from serving.dispatcher import FairDispatcher
from serving.server import IS_REFUSED, TcpServer, adjustments

HEAD = b"GET / HTTP/1.1\r\nHost: Acme.localhost.:8000\r\n"
Start = Callable[[str, list[tuple[str, str]]], Any]


def application(environ: dict[str, Any], start: Start) -> list[bytes]:
    """Answer how much of a body came, or with so many bytes as the path says."""
    if IS_REFUSED in environ:
        start("503 Service Unavailable", [])
        return [b"refused"]
    if environ["PATH_INFO"] == "/":
        told = len(environ["wsgi.input"].read()), environ.get("CONTENT_LENGTH", "-")
        chunked = environ.get("HTTP_TRANSFER_ENCODING", "-")
        body = " ".join(map(str, [*told, chunked])).encode()
    else:
        body = b"x" * int(environ["PATH_INFO"][1:])
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


class Served:
    """A server in a thread of its own."""

    def __init__(self) -> None:
        self.sockets: dict[int, Any] = {}
        self.dispatcher = FairDispatcher(threads=2, share=1)
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.server = TcpServer(
            application,
            self.sockets,
            True,
            listener,
            dispatcher=self.dispatcher,
            adj=adjustments(),
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        )
        self.unread: dict[str, int] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._is_over.is_set():
            wasyncore.loop(timeout=0.05, map=self.sockets, use_poll=True, count=1)
            self.unread = self.server.tend()

    def connect(self, data: bytes = b"") -> socket.socket:
        """Return a connection on which something was sent."""
        one = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        one.sendall(data)
        return one

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()
        self.dispatcher.shutdown(seconds=60)
        wasyncore.close_all(self.sockets)


@pytest.fixture
def served() -> Iterator[Served]:
    found = Served()
    yield found
    found.stop()


def ends_with(connection: socket.socket, ending: bytes) -> bool:
    """Read until the answer ends so; or until nothing more comes."""
    told = b""
    while not told.endswith(ending):
        if not (piece := connection.recv(1 << 16)):
            return False
        told += piece
    return True


def read_to_end(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    told = bytearray()
    try:
        while piece := connection.recv(1 << 16):
            told += piece
    except ConnectionResetError:
        pass
    return bytes(told)


@pytest.mark.parametrize(
    ("sent", "limit"),
    [
        (b"", "HEAD_SECONDS"),
        (HEAD, "HEAD_SECONDS"),
        (b"\r\n" * 3, "HEAD_SECONDS"),
        (HEAD + b"Content-Length: 10\r\n\r\nhalf", "BODY_SECONDS"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf", "BODY_SECONDS"),
    ],
)
def test_a_request_that_does_not_come_ends(served, monkeypatch, sent, limit):
    with served.connect(sent) as connection:
        monkeypatch.setattr(limits, limit, 0.2)
        assert read_to_end(connection) == b""


def test_a_kept_connection_ends(served, monkeypatch):
    with served.connect(HEAD + b"\r\n") as connection:
        assert ends_with(connection, b"0 - -")
        monkeypatch.setattr(limits, "KEPT_SECONDS", 0.1)
        monkeypatch.setattr(limits, "HEAD_SECONDS", 0.1)
        assert read_to_end(connection) == b""


def test_an_answer_that_is_not_read_ends(served, monkeypatch):
    length = 50_000_000
    with served.connect(f"GET /{length} HTTP/1.1\r\nHost: acme\r\n\r\n".encode()) as connection:
        assert connection.recv(10)
        monkeypatch.setattr(limits, "ANSWER_SECONDS", 0.2)
        wait_for(lambda: not served.server.active_channels)
        assert len(read_to_end(connection)) < length


def test_an_answer_that_is_read_comes_whole(served):
    length = 50_000_000
    request = f"GET /{length} HTTP/1.1\r\nHost: acme\r\nConnection: close\r\n\r\n"
    with served.connect(request.encode()) as connection:
        wait_for(lambda: served.unread == {"acme": 1})
        assert read_to_end(connection).count(b"x") == length


def test_a_slow_body_has_the_time_that_its_length_takes(served, monkeypatch):
    """At the slowest rate that is allowed, what has come adds to the time."""
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(limits, "BYTES_A_SECOND_MIN", 10)
    with served.connect(HEAD + b"Content-Length: 2000\r\n\r\n" + b"x" * 1000) as connection:
        wait_for(lambda: any(c.body_since for c in served.server.active_channels.values()))
        [channel] = served.server.active_channels.values()
        assert channel.is_overdue(channel.body_since + 0.2 + 99) is False
        assert channel.is_overdue(channel.body_since + 0.2 + 101) is True
        connection.sendall(b"x" * 1000)
        assert ends_with(connection, b"2000 2000 -")


@pytest.mark.parametrize(
    ("announced", "kept"),
    [(limits.BODY_BYTES_MAX, limits.BODY_BYTES_MAX), (limits.BODY_BYTES_MAX + 1, 0)],
)
def test_a_body_that_is_too_large_is_read_off_and_not_kept(served, announced, kept):
    with served.connect(HEAD + f"Content-Length: {announced}\r\n\r\n".encode()) as connection:
        connection.sendall(b"x" * announced)
        assert ends_with(connection, f"\r\n\r\n{kept} {announced} -".encode())


def test_a_chunked_body_is_not_kept_and_told_to_the_application(served):
    body = b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n"
    with served.connect(HEAD + body) as connection:
        assert ends_with(connection, b"\r\n\r\n0 4 chunked")


def test_a_body_beyond_all_measure_is_refused_unread(served):
    head = HEAD + f"Content-Length: {limits.READ_BYTES_MAX}\r\n\r\n".encode()
    with served.connect(head) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_where_there_are_many_connections_the_one_that_idled_longest_goes(served, monkeypatch):
    monkeypatch.setattr(limits, "CONNECTIONS_MAX", 3)
    first, *others = [served.connect(HEAD) for _ in range(3)]
    wait_for(lambda: len(served.server.active_channels) == 3)
    with first, served.connect(HEAD + b"\r\n") as newest:
        assert ends_with(newest, b"0 - -")
        assert read_to_end(first) == b""
        for one in others:
            one.sendall(b"\r\n")
            assert ends_with(one, b"0 - -")
            one.close()


def test_a_request_is_its_hosts_as_tenants_are_found(served):
    """In upper case, with a dot and a port, it is the same agency's."""
    hosts = []
    add = served.dispatcher.add_task

    def note(task: Any) -> None:
        hosts.append(task.host)
        add(task)

    served.dispatcher.add_task = note
    with served.connect(HEAD + b"\r\n") as connection:
        assert connection.recv(1000)
    assert hosts == ["acme.localhost"]


def test_a_refused_request_is_answered_by_the_application_and_the_next_one_runs(served):
    served.dispatcher.tend(crowded=["acme.localhost"])
    with served.connect(HEAD + b"\r\n") as connection:
        assert ends_with(connection, b"refused")
        served.dispatcher.tend()
        connection.sendall(HEAD + b"\r\n")
        assert ends_with(connection, b"0 - -")


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait for what has to come, however slow the machine is."""
    never = threading.Event()
    for _ in range(6000):
        if is_so():
            return
        never.wait(0.01)
    raise AssertionError("it never came")
