"""waitress' server with deadlines: who sends or reads too slowly holds no thread, and not for long.

waitress reads a request whole before a thread sees it, and keeps an answer until its client has
read it; large ones are kept in temporary files. What is added here is an end to each wait, a room
for new connections when there are many, and the refusal of requests that the dispatcher turns away.
"""

import io
import time
from collections import Counter
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver, FixedStreamReceiver
from waitress.server import TcpWSGIServer, UnixWSGIServer
from waitress.task import WSGITask

from . import limits

# In the environ of a request that is to be answered 503.
IS_REFUSED = "serving.is_refused"


def adjustments() -> Adjustments:
    """Return waitress' settings."""
    return Adjustments(
        ident=None,
        # Which proxies to believe is for the application alone.
        clear_untrusted_proxy_headers=False,
        asyncore_use_poll=True,
        # Ours makes room itself.
        connection_limit=limits.CONNECTIONS_MAX * 10,
        log_socket_errors=False,
        # A large body in a few pieces.
        recv_bytes=64 * 1024,
        max_request_header_size=limits.HEAD_BYTES_MAX,
        max_request_body_size=limits.READ_BYTES_MAX,
        inbuf_overflow=256 * 1024,
        outbuf_overflow=256 * 1024,
        outbuf_high_watermark=limits.ANSWER_BYTES_MAX,
        # For requests without a Host header, which no agency serves.
        server_name="localhost",
    )


class _Nowhere:
    """A buffer that keeps nothing and counts."""

    def __init__(self) -> None:
        self.length = 0

    def __len__(self) -> int:
        return self.length

    def append(self, data: bytes) -> None:
        self.length += len(data)

    def getfile(self) -> io.BytesIO:
        return io.BytesIO()

    def close(self) -> None:
        """Nothing is kept."""


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Reads a request; keeps no body that the application refuses by its head alone."""

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.chunked:
            # The application is to know: it wants the length of a body before the body.
            self.headers["TRANSFER_ENCODING"] = "chunked"
            self.body_rcv = ChunkedReceiver(_Nowhere())
        elif self.content_length > limits.BODY_BYTES_MAX:
            self.body_rcv = FixedStreamReceiver(self.content_length, _Nowhere())


class RequestTask(WSGITask):  # type: ignore[misc]
    """One request, run by the application; a refused one carries the word for it."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        if getattr(self.request, "is_refused", False):
            environ[IS_REFUSED] = True
        return environ


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection, and since when something is waited for on it.

    Times are of the monotonic clock. The main thread alone reads and tends; a request's thread
    writes and sends.
    """

    task_class = RequestTask
    parser_class = Parser

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.is_first = True
        self.last_host = ""
        # Since when a request is awaited; since when its body is; since when an answer is unread,
        # how much of it went out, and when the last of that did.
        self.awaited_since = time.monotonic()
        self.body_since: float | None = None
        self.unread_since: float | None = None
        self.sent_bytes, self.sent_at = 0, 0.0
        super().__init__(*args, **kwargs)

    @property
    def host(self) -> str:
        """The host that the request at hand asks, as tenants are found by it."""
        asked: str = self.requests[0].headers.get("HOST", "") if self.requests else ""
        return asked.rsplit(":", 1)[0].removesuffix(".").lower()

    @property
    def is_idle(self) -> bool:
        """Whether no request runs and no answer is unread."""
        return not self.requests and not self.total_outbufs_len

    def refuse(self) -> None:
        """Have the application answer that there is no room just now."""
        self.requests[0].is_refused = True
        self.service()

    def service(self) -> None:
        self.is_first, self.body_since, self.last_host = False, None, self.host
        super().service()
        self.awaited_since = time.monotonic()

    def received(self, data: bytes) -> bool:
        is_taken: bool = super().received(data)
        if self.request is not None and self.request.headers_finished and self.body_since is None:
            self.body_since = time.monotonic()
        return is_taken

    def _flush_some(self, do_close: bool = True) -> bool:
        before = self.total_outbufs_len
        has_sent: bool = super()._flush_some(do_close=do_close)
        # Whoever flushes has the lock, or is the main thread with no request running.
        self.sent_bytes += before - self.total_outbufs_len
        now = time.monotonic()
        if has_sent:
            self.sent_at = now
        if not self.total_outbufs_len:
            self.unread_since, self.sent_bytes, self.awaited_since = None, 0, now
        elif self.unread_since is None:
            self.unread_since = self.sent_at = now
        return has_sent

    def is_overdue(self, now: float) -> bool:
        """Return whether the client has had its time for what is waited for."""
        if (unread_since := self.unread_since) is not None:
            # The system's own buffers take the first megabytes at once: they say nothing of a
            # reader, who has to go on reading.
            allowed = limits.ANSWER_SECONDS + self.sent_bytes / limits.BYTES_A_SECOND_MIN
            return now - self.sent_at > limits.ANSWER_SECONDS or now - unread_since > allowed
        if self.requests:
            return False
        if (body_since := self.body_since) is not None and self.request is not None:
            allowed = (
                limits.BODY_SECONDS + self.request.body_bytes_received / limits.BYTES_A_SECOND_MIN
            )
            return now - body_since > allowed
        allowed = (
            limits.HEAD_SECONDS if self.is_first else limits.KEPT_SECONDS + limits.HEAD_SECONDS
        )
        return now - self.awaited_since > allowed

    def drop(self) -> None:
        """Close the connection, whatever is under way on it. Call it in the main thread."""
        self.will_close = True
        self.handle_close()


class _Tended:
    """What is added to either of waitress' servers."""

    channel_class = Channel
    active_channels: dict[int, Channel]

    @property
    def is_busy(self) -> bool:
        """Whether a request runs or an answer is unread."""
        return not all(channel.is_idle for channel in list(self.active_channels.values()))

    def maintenance(self, now: float) -> None:
        """Leave waitress' own undone: `tend` does more."""

    def tend(self) -> Counter[str]:
        """Drop who is overdue; return how many large answers of each host are unread."""
        now = time.monotonic()
        unread: Counter[str] = Counter()
        for channel in list(self.active_channels.values()):
            if channel.is_overdue(now):
                channel.drop()
            elif channel.total_outbufs_len > limits.UNREAD_BYTES:
                unread[channel.last_host] += 1
        return unread

    def handle_accept(self) -> None:
        """Take a connection; where there are many, drop the one that has idled longest."""
        if len(self.active_channels) >= limits.CONNECTIONS_MAX:
            idle = [channel for channel in self.active_channels.values() if channel.is_idle]
            if idle:
                min(idle, key=lambda channel: channel.awaited_since).drop()
        super().handle_accept()  # type: ignore[misc]


class TcpServer(_Tended, TcpWSGIServer):  # type: ignore[misc]
    """Serves a TCP socket."""


class UnixServer(_Tended, UnixWSGIServer):  # type: ignore[misc]
    """Serves a Unix socket."""
