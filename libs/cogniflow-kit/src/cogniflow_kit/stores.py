"""Interface of the stores that an application depends on, and their circuit breaker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol

from circuitbreaker import CircuitBreaker

from cogniflow_kit.errors import Unavailable

Outage = tuple[type[Exception], ...]
IsOutage = Callable[[type[Exception], Exception], bool]


class Store(Protocol):
    """A database or cache server that the service depends on."""

    name: str
    outage: Outage
    """Errors of the driver that mean that the store is unavailable; the response is 503."""

    def check(self) -> None:
        """Make one cheap round trip; raises when the store is unavailable."""

    def close(self) -> None:
        """Close all connections."""


class Breaker:
    """Circuit breaker: fails fast while a store is unavailable, so that callers don't wait for timeouts.

    Opens after this many failures in a row; after `reset_s` seconds one caller
    tries again while the others are still refused.
    """

    def __init__(self, name: str, outage: Outage | IsOutage, *, failures: int = 3, reset_s: int = 2) -> None:
        self._name = name
        self._circuit = CircuitBreaker(failures, reset_s, outage, name)
        self._trial = Lock()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Count outages inside the block. Raises: Unavailable (the circuit is open)."""
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
