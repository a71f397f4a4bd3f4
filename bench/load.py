"""Load and statistics for benchmarks: callers with connections of their own, and runs in turn."""

import http.client
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

Call = Callable[[http.client.HTTPConnection, int], None]
"""One request on a connection that stays open; the number is the caller's."""


@dataclass(frozen=True)
class Result:
    """Requests a second: the median of the runs, and the slowest and fastest of them."""

    name: str
    median: float
    slowest: float
    fastest: float
    runs: int

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def expect(connection: http.client.HTTPConnection, method: str, path: str, **kwargs: object) -> bytes:
    """The body of a successful answer; anything else ends the benchmark."""
    connection.request(method, path, **kwargs)  # type: ignore[arg-type]
    answer = connection.getresponse()
    body = answer.read()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path}: {answer.status} {body[:300]!r}")
    return body


def in_turn(
    contenders: Sequence[tuple[str, str, Call]], *, runs: int, seconds: float, callers: int
) -> list[Result]:
    """A B A B …, after a warm-up of each; a contender is a name, a base URL and a call."""
    for _, url, call in contenders:
        _rate(url, call, min(seconds, 1.0), callers)
    rates: dict[str, list[float]] = {name: [] for name, _, _ in contenders}
    for _ in range(runs):
        for name, url, call in contenders:
            rates[name].append(_rate(url, call, seconds, callers))
    return [
        Result(name, statistics.median(found), min(found), max(found), runs) for name, found in rates.items()
    ]


def _rate(url: str, call: Call, seconds: float, callers: int) -> float:
    started = time.perf_counter()

    def work(number: int) -> int:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        done = 0
        while time.perf_counter() - started < seconds:
            call(connection, number)
            done += 1
        connection.close()
        return done

    with ThreadPoolExecutor(callers) as pool:
        done = sum(pool.map(work, range(callers)))
    return done / (time.perf_counter() - started)
