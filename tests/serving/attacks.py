"""What a hostile client does to the server, each for as long as its context lasts."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg

from .world import Answer, Caller, World

# As many as stopped a server of 16 threads before.
CONNECTIONS = 20
WAITERS = 24


@contextmanager
def _connections(world: World, count: int, begin: bytes) -> Iterator[list[socket.socket]]:
    with ExitStack() as opened:
        sockets = []
        for _ in range(count):
            one = opened.enter_context(socket.create_connection(("127.0.0.1", world.acme.port)))
            one.sendall(begin)
            sockets.append(one)
        yield sockets


@contextmanager
def _repeated(work: Callable[[], object], *, every_seconds: float = 0.5) -> Iterator[None]:
    """Do the work again and again in a thread."""
    is_over = threading.Event()

    def run() -> None:
        while not is_over.wait(every_seconds):
            work()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@contextmanager
def silence(world: World) -> Iterator[None]:
    """Connections on which nothing is ever sent, and ever more of them."""
    with ExitStack() as opened:

        def open_more() -> None:
            opened.enter_context(_connections(world, CONNECTIONS, b""))

        open_more()
        with _repeated(open_more):
            yield


@contextmanager
def slow_heads(world: World) -> Iterator[None]:
    """Half a head, and then a letter at a time."""
    begin = world.acme.head("/api/campaigns/")[:-4] + b"\r\nX-Slow: "
    with _connections(world, CONNECTIONS, begin) as sockets, _dripping(sockets):
        yield


@contextmanager
def slow_bodies(world: World) -> Iterator[None]:
    """A whole head that announces a body, and then a letter at a time."""
    begin = world.acme.head("/api/spends/", "Content-Length: 100000").replace(b"GET", b"POST", 1)
    with _connections(world, CONNECTIONS, begin) as sockets, _dripping(sockets):
        yield


@contextmanager
def _dripping(sockets: list[socket.socket]) -> Iterator[None]:
    def drip() -> None:
        for one in sockets:
            try:
                one.sendall(b"x")
            except OSError:
                # The server has closed it, as it should.
                continue

    with _repeated(drip):
        yield


@contextmanager
def deaf_readers(world: World) -> Iterator[None]:
    """Exports that are asked for and never read."""
    with _connections(world, CONNECTIONS, world.acme.head("/api/spends/?format=csv")):
        yield


@contextmanager
def deaf_trail_readers(world: World) -> Iterator[None]:
    """The trail, asked for as a file and never read."""
    with _connections(world, CONNECTIONS, world.acme.head("/api/trail/?format=csv")):
        yield


@contextmanager
def lock_waiters(world: World) -> Iterator[list[Answer]]:
    """Clients that all wait for the lock of one brand; yields their answers as they come."""
    answers: list[Answer] = []
    is_over = threading.Event()
    row = {"campaign": world.campaign, "amount": "1.00", "spend_date": "2024-06-01"}

    def ask_again_and_again() -> None:
        while not is_over.is_set():
            answers.append(world.acme.ask("POST", "/api/spends/", row))
            is_over.wait(0.2)

    threads = [threading.Thread(target=ask_again_and_again) for _ in range(WAITERS)]
    with world.system.database() as database:
        try:
            with database.transaction():
                _lock_brand(database, world.brand)
                for thread in threads:
                    thread.start()
                yield answers
        finally:
            is_over.set()
            for thread in threads:
                thread.join()


def _lock_brand(database: psycopg.Connection, brand: str) -> None:
    query = "SELECT schemaname FROM pg_tables WHERE tablename = 'budgets_brand'"
    for (schema,) in database.execute(query).fetchall():
        database.execute(
            f'SELECT 1 FROM "{schema}".budgets_brand WHERE id = %s FOR UPDATE', [brand]
        )


@contextmanager
def odd_objects(world: World) -> Iterator[None]:
    """Bodies of very many fields that nobody knows."""
    body = json.dumps({f"field{number}": 1 for number in range(200_000)})
    with ExitStack() as running:
        for _ in range(4):
            ask = _asks(world.acme, "/api/spends/", body)
            running.enter_context(_repeated(ask, every_seconds=0.05))
        yield


def _asks(caller: Caller, path: str, body: str) -> Callable[[], object]:
    return lambda: caller.ask("POST", path, body)
