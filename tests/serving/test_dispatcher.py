"""No host has more than its share of the threads, and who waits in vain is refused."""

import threading
from collections.abc import Iterator

import pytest

from serving import dispatcher
from serving.dispatcher import FairDispatcher

WAIT_SECONDS_MAX = 60


class Clock:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Request:
    """A request that runs until it is released."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.fate = ""
        self._begins, self._may_end, self._ends = (threading.Event() for _ in range(3))

    def service(self) -> None:
        self.fate = "served"
        self._begins.set()
        self._may_end.wait(WAIT_SECONDS_MAX)
        self._ends.set()

    def refuse(self) -> None:
        self.fate = "refused"
        self._ends.set()

    def cancel(self) -> None:
        self.fate = "cancelled"

    def is_running(self) -> bool:
        return self._begins.wait(WAIT_SECONDS_MAX)

    def finish(self) -> None:
        self._may_end.set()
        assert self._ends.wait(WAIT_SECONDS_MAX)

    def has_ended(self) -> bool:
        return self._ends.wait(WAIT_SECONDS_MAX)


class Pool(FairDispatcher):
    """Four threads, two for a host, and all requests that were made for it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.made: list[Request] = []
        super().__init__(threads=4, share=2, clock=self.clock)

    def ask(self, host: str) -> Request:
        request = Request(host)
        self.made.append(request)
        self.add_task(request)
        return request


@pytest.fixture
def pool() -> Iterator[Pool]:
    found = Pool()
    yield found
    for request in found.made:
        request._may_end.set()
    found.shutdown(seconds=WAIT_SECONDS_MAX)


def test_a_host_gets_its_share_and_another_finds_room(pool):
    acme = [pool.ask("acme") for _ in range(5)]
    assert all(request.is_running() for request in acme[:2])
    zeta = [pool.ask("zeta") for _ in range(2)]
    assert all(request.is_running() for request in zeta)
    assert [request.fate for request in acme[2:]] == ["", "", ""]


def test_who_waits_comes_next_in_order(pool):
    first, second, third, fourth = [pool.ask("acme") for _ in range(4)]
    assert first.is_running()
    assert second.is_running()
    first.finish()
    assert third.is_running()
    assert fourth.fate == ""
    second.finish()
    assert fourth.is_running()
    third.finish()
    fourth.finish()


def test_lines_take_turns(pool):
    """Four threads are busy; each that comes free goes to another line than the last one."""
    busy = [pool.ask(host) for host in ("a", "a", "b", "b")]
    assert all(request.is_running() for request in busy)
    waiting = [pool.ask(host) for host in ("c", "c", "d")]
    busy[0].finish()
    assert waiting[0].is_running()
    busy[1].finish()
    assert waiting[2].is_running()
    assert waiting[1].fate == ""


def test_a_line_that_stands_still_is_refused_and_takes_nobody_more(pool):
    running = [pool.ask("acme") for _ in range(2)]
    assert all(request.is_running() for request in running)
    waiting = pool.ask("acme")
    pool.clock.now = dispatcher.STALL_SECONDS
    pool.tend()
    assert waiting.fate == ""
    pool.clock.now += 0.1
    pool.tend()
    assert waiting.has_ended()
    assert waiting.fate == "refused"
    at_once = pool.ask("acme")
    assert at_once.has_ended()
    assert at_once.fate == "refused"
    assert pool.ask("zeta").is_running()
    running[0].finish()
    assert pool.ask("acme").is_running()


def test_a_line_that_moves_is_waited_for(pool):
    first, second, third = [pool.ask("acme") for _ in range(3)]
    assert second.is_running()
    pool.clock.now = 0.9 * dispatcher.STALL_SECONDS
    first.finish()
    assert third.is_running()
    fourth = pool.ask("acme")
    pool.clock.now = 1.8 * dispatcher.STALL_SECONDS
    pool.tend()
    assert fourth.fate == ""


def test_nobody_waits_for_ever(pool):
    """Two hosts hold all threads; a third has its whole share, and no thread."""
    for host in ("a", "a", "b", "b"):
        assert pool.ask(host).is_running()
    waiting = pool.ask("c")
    pool.clock.now = dispatcher.WAIT_SECONDS_MAX
    pool.tend()
    assert waiting.fate == ""
    pool.clock.now += 0.1
    pool.tend()
    assert waiting.has_ended()
    assert waiting.fate == "refused"


def test_a_line_has_an_end(pool):
    running = [pool.ask("acme") for _ in range(2)]
    assert all(request.is_running() for request in running)
    waiting = [pool.ask("acme") for _ in range(dispatcher.LINE_LENGTH_MAX)]
    assert {request.fate for request in waiting} == {""}
    one_more = pool.ask("acme")
    assert one_more.has_ended()
    assert one_more.fate == "refused"
    assert pool.ask("zeta").is_running()


def test_a_host_whose_answers_pile_up_is_refused_until_they_are_read(pool):
    pool.tend(crowded=["acme"])
    refused = pool.ask("acme")
    assert refused.has_ended()
    assert refused.fate == "refused"
    assert pool.ask("zeta").is_running()
    pool.tend()
    assert pool.ask("acme").is_running()


def test_a_request_that_fails_gives_its_thread_back(pool, caplog):
    class Broken(Request):
        def service(self) -> None:
            raise ZeroDivisionError

    for _ in range(4):
        pool.add_task(Broken("acme"))
    assert pool.ask("acme").is_running()
    assert "a request's thread failed" in caplog.text


def test_at_the_end_who_waits_is_dropped_and_who_runs_is_waited_for():
    pool = Pool()
    running = [pool.ask("acme") for _ in range(2)]
    assert all(request.is_running() for request in running)
    waiting = pool.ask("acme")
    for request in running:
        request._may_end.set()
    # A thread may take it before the end comes: it would have been served then.
    pool.shutdown(seconds=WAIT_SECONDS_MAX)
    assert [request.fate for request in running] == ["served", "served"]
    assert waiting.fate in ("cancelled", "served")
