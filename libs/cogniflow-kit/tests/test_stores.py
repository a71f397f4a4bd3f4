"""A store that is away costs little: the circuit opens, lets one try, and closes again."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from cogniflow_kit.errors import Unavailable
from cogniflow_kit.redis import Cache, RedisStore
from cogniflow_kit.stores import Breaker

NO_REDIS = "redis://127.0.0.1:9/0"


@pytest.fixture
def breaker():
    return Breaker("store", (ConnectionError,), failures=3, reset_s=1)


def fail(breaker: Breaker) -> None:
    with breaker.guard():
        raise ConnectionError


def open_circuit(breaker: Breaker) -> None:
    for _ in range(3):
        with pytest.raises(ConnectionError):
            fail(breaker)


def test_it_opens_after_three_outages(breaker):
    open_circuit(breaker)
    with pytest.raises(Unavailable, match="store is away") as refused, breaker.guard():
        pytest.fail("nobody gets in")
    assert refused.value.headers == {"Retry-After": "2"}


def test_other_errors_do_not_open_it(breaker):
    for _ in range(10):
        with pytest.raises(KeyError), breaker.guard():
            raise KeyError
    with breaker.guard():
        pass


def test_a_success_in_between_starts_the_count_again(breaker):
    for _ in range(5):
        with pytest.raises(ConnectionError):
            fail(breaker)
        with breaker.guard():
            pass


def test_half_open_it_lets_one_try_and_opens_again(breaker):
    open_circuit(breaker)
    time.sleep(1.1)
    with pytest.raises(ConnectionError):
        fail(breaker)
    with pytest.raises(Unavailable):
        fail(breaker)


def test_half_open_one_success_closes_it(breaker):
    open_circuit(breaker)
    time.sleep(1.1)
    with breaker.guard():
        pass
    for _ in range(2):
        with pytest.raises(ConnectionError):
            fail(breaker)


def test_half_open_only_one_at_a_time_gets_in(breaker):
    open_circuit(breaker)
    time.sleep(1.1)
    entered, leave = Event(), Event()

    def trial() -> None:
        with breaker.guard():
            entered.set()
            leave.wait(5)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(trial)
        entered.wait(5)
        for _ in range(3):
            with pytest.raises(Unavailable), breaker.guard():
                pytest.fail("the first is still trying")
        leave.set()
        first.result()
    with breaker.guard():
        pass


def test_a_cache_keeps_bytes_for_a_while(redis):
    cache = Cache(redis, ttl_s=60)
    assert cache.get("course", 1) is None
    cache.put(b"\x00\xff", "course", 1)
    assert cache.get("course", 1) == b"\x00\xff"
    assert cache.get("course", 2) is None
    assert 0 < redis.client.ttl(redis.key("cache", "course", 1)) <= 60


def test_keys_stay_within_the_services_own(redis):
    assert redis.key("cache", 1, "a") == f"{redis.prefix}:cache:1:a"


def test_with_redis_away_a_cache_only_misses_and_soon_costs_nothing():
    store = RedisStore(NO_REDIS, "kit")
    cache = Cache(store)
    for _ in range(3):
        cache.put(b"x", "key")
        assert cache.get("key") is None
    started = time.monotonic()
    for _ in range(1000):
        assert cache.get("key") is None
    assert time.monotonic() - started < 1
