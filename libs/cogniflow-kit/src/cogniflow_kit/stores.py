"""What the application expects of a database, cache or queue it depends on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol

from circuitbreaker import CircuitBreaker

from cogniflow_kit.errors import Unavailable

Outage = tuple[type[Exception], ...]
IsOutage = Callable[[type[Exception], Exception], bool]


class Store(Protocol):
    """A server this service can't answer without, or not fully."""

    name: str
    outage: Outage
    """The driver's errors that mean "away"; they are answered with 503."""

    def check(self) -> None:
        """Make one cheap round trip; raise when the store is away."""

    def close(self) -> None:
        """Give the connections back."""


class Breaker:
    """Fails fast while a store is away, so that callers don't queue behind time-outs.

    After `reset_s` one caller tries again while the others are still refused.
    """

    def __init__(self, name: str, outage: Outage | IsOutage, *, failures: int = 3, reset_s: int = 2) -> None:
        self._name = name
        self._circuit = CircuitBreaker(failures, reset_s, outage, name)
        self._trial = Lock()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Count the outages inside the block; refuse to enter it while the circuit is open."""
        if self._circuit.closed:
            with self._circuit:
                yield
            return
        if self._circuit.opened or not self._trial.acquire(blocking=False):
            raise Unavailable(f"{self._name} is away; try again shortly.", retry_after_s=2)
        try:
            with self._circuit:
                yield
        finally:
            self._trial.release()
