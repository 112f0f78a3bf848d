"""At most so many in any sixty seconds, for all processes alike; without Valkey, for each."""

import os
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import redis

from kernel import rates, valkey
from kernel.rates import Allowance, Excess, take


@pytest.fixture
def of(counted):
    """Return a function that makes an allowance of the test's own."""
    test = uuid4()
    return lambda most, name="a": Allowance(f"test:{{{test}}}:{name}", most)


@pytest.fixture
def server(settings, counted):
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client


def shift(server, allowance, seconds):
    """Let so many seconds pass for what was counted."""
    kept = server.hgetall(allowance.key)
    server.delete(allowance.key)
    server.hset(allowance.key, mapping={int(at) - seconds: n for at, n in kept.items()})


def test_as_many_as_are_allowed_and_not_one_more(of):
    assert [take([of(3)]) for _ in range(3)] == [None, None, None]
    excess = take([of(3)])
    assert excess is not None
    assert excess.allowance == of(3)
    assert 1 <= excess.wait_seconds <= 60


def test_many_at_once_take_the_last_place_once(of):
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: take([of(50)]), range(120)))
    assert taken.count(None) == 50


def in_one_second(server, allowance, act):
    """Return what `act` returns, from nothing counted on and before the server's second ends."""
    while True:
        server.delete(allowance.key)
        [began, _] = server.time()
        found = act()
        if server.time()[0] == began:
            return found


@pytest.mark.parametrize(("passed", "is_free"), [(59, False), (60, True), (3600, True)])
def test_a_place_is_free_again_after_a_minute(of, server, passed, is_free):
    def take_again():
        take([of(1)])
        shift(server, of(1), passed)
        return take([of(1)])

    assert (in_one_second(server, of(1), take_again) is None) is is_free


def test_the_window_slides_and_does_not_start_anew(of, server):
    """Half of them a while ago, half now: the first half comes back, not all at once."""

    def slide():
        for _ in range(2):
            take([of(4)])
        shift(server, of(4), 40)
        for _ in range(2):
            take([of(4)])
        excess = take([of(4)])
        shift(server, of(4), 20)
        return excess, [take([of(4)]) is None for _ in range(3)]

    excess, taken = in_one_second(server, of(4), slide)
    assert excess is not None
    assert excess.wait_seconds == 20
    assert taken == [True, True, False]


def test_what_is_refused_is_not_counted(of):
    take([of(1)])
    for _ in range(5):
        assert take([of(1)]) is not None
    assert take([of(2)]) is None


def test_one_that_refuses_costs_the_others_nothing(of):
    narrow, wide = of(1, "narrow"), of(5, "wide")
    assert take([narrow, wide]) is None
    assert [excess.allowance for _ in range(9) if (excess := take([narrow, wide]))] == [narrow] * 9
    assert [take([wide]) is None for _ in range(5)] == [True] * 4 + [False]


def test_it_names_the_first_that_is_used_up(of):
    take([of(1, "b")])
    excess = take([of(5, "a"), of(1, "b")])
    assert excess == Excess(of(1, "b"), excess.wait_seconds if excess else 0)


def test_nothing_is_kept_for_longer_than_a_minute(of, server):
    take([of(1)])
    assert 0 < server.ttl(of(1).key) <= rates.WINDOW_SECONDS


def own(most):
    """An allowance that no other test and no earlier run of this one has used."""
    return Allowance(f"test:{{{uuid4()}}}", most)


def test_without_valkey_a_process_counts_for_itself_and_nobody_waits_twice(mute_redis):
    mute_redis.close()
    allowance = own(3)
    assert [take([allowance]) is None for _ in range(50)] == [True] * 3 + [False] * 47


def test_a_server_that_hangs_is_waited_for_once(mute_redis):
    allowance = own(20)
    assert [take([allowance]) is None for _ in range(21)] == [True] * 20 + [False]
    mute_redis.accept()[0].close()
    with pytest.raises(BlockingIOError):
        mute_redis.accept()


def test_one_late_answer_opens_nothing_and_is_soon_forgotten(of, settings, mute_redis, counted):
    """What was let through before counts on while the server is late, and it is asked again."""
    late, allowance = settings.REDIS_URL, of(3)
    settings.REDIS_URL = os.environ["REDIS_URL"]
    assert [take([allowance]) for _ in range(2)] == [None, None]
    settings.REDIS_URL = late
    assert [take([allowance]) is None for _ in range(3)] == [True, False, False]
    settings.REDIS_URL, valkey.Silence.until = os.environ["REDIS_URL"], 0.0
    # The server has counted two.
    assert [take([allowance]) is None for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [(redis.TimeoutError("x"), "SLOW_SILENCE_SECONDS"), (OSError("x"), "SILENCE_SECONDS")],
)
def test_a_late_server_is_left_alone_for_a_moment_and_an_absent_one_for_longer(
    monkeypatch, failure, seconds
):
    monkeypatch.setattr(valkey.Silence, "until", 0.0)
    monkeypatch.setattr("kernel.valkey.time.monotonic", lambda: 100.0)

    def fail(_):
        raise failure

    assert valkey.ask(fail, else_what="x") is None
    assert valkey.Silence.until == 100.0 + getattr(valkey, seconds)


def test_the_own_count_slides_as_the_servers_does():
    count, allowance = rates.OwnCount(), Allowance("a", 2)
    assert count.take([allowance], now=100.0) is None
    assert count.take([allowance], now=130.0) is None
    excess = count.take([allowance], now=159.0)
    assert excess == Excess(allowance, 1)
    assert count.take([allowance], now=160.0) is None
    assert count.take([allowance], now=161.0) == Excess(allowance, 29)
    assert count.take([Allowance("b", 1), allowance], now=162.0) == Excess(allowance, 28)
    assert count.take([Allowance("b", 1)], now=162.0) is None


def test_the_own_count_keeps_nothing_beyond_a_minute():
    count = rates.OwnCount()
    for number in range(100):
        count.add([Allowance(str(number), 1)], now=100.0)
    count.add([Allowance("new", 1)], now=300.0)
    assert set(count._seconds) == {"new"}
