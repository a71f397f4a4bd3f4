"""Load and statistics for benchmarks: concurrent callers, alternating runs."""

import http.client
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

Call = Callable[[http.client.HTTPConnection, int], None]
"""Sends one request on a persistent connection; the number is the caller's."""


@dataclass(frozen=True)
class Result:
    """Requests per second: median, slowest and fastest run.

    `p99_ms`: 99th percentile of the response times of all runs.
    """

    name: str
    median: float
    slowest: float
    fastest: float
    runs: int
    p99_ms: float

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def expect(connection: http.client.HTTPConnection, method: str, path: str, **kwargs: object) -> bytes:
    """Send a request and return the body. Raises: RuntimeError, for a status of 400 or above."""
    connection.request(method, path, **kwargs)  # type: ignore[arg-type]
    answer = connection.getresponse()
    body = answer.read()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path}: {answer.status} {body[:300]!r}")
    return body


def in_turn(
    contenders: Sequence[tuple[str, str, Call]], *, runs: int, seconds: float, callers: int
) -> list[Result]:
    """Run the contenders alternately (A B A B …) after warming up each.

    A contender is a name, a base URL and a call.
    """
    for _, url, call in contenders:
        _run(url, call, min(seconds, 1.0), callers)
    found: dict[str, list[tuple[float, list[float]]]] = {name: [] for name, _, _ in contenders}
    for _ in range(runs):
        for name, url, call in contenders:
            found[name].append(_run(url, call, seconds, callers))
    return [_result(name, rows) for name, rows in found.items()]


def _result(name: str, rows: list[tuple[float, list[float]]]) -> Result:
    rates = [rate for rate, _ in rows]
    times = sorted(time_s for _, times_s in rows for time_s in times_s)
    p99_ms = times[int(len(times) * 0.99)] * 1000
    return Result(name, statistics.median(rates), min(rates), max(rates), len(rows), p99_ms)


def _run(url: str, call: Call, seconds: float, callers: int) -> tuple[float, list[float]]:
    """Requests per second, and the duration of each request in seconds."""
    started = time.perf_counter()

    def work(number: int) -> list[float]:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        times_s: list[float] = []
        while (since := time.perf_counter()) - started < seconds:
            call(connection, number)
            times_s.append(time.perf_counter() - since)
        connection.close()
        return times_s

    with ThreadPoolExecutor(callers) as pool:
        times_s = [time_s for done in pool.map(work, range(callers)) for time_s in done]
    return len(times_s) / (time.perf_counter() - started), times_s
