"""Processes that take a turn a step at a time, so that a test decides what happens between any two."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Semaphore, Thread
from typing import Any

from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.turns.model import Message, Turn
from chat_service.turns.protocol import run_turn

STEP_LIMIT_S = 30


class Killed(BaseException):
    """The process dies here; nothing of it runs any more."""


class Broken(RuntimeError):
    """The engine fails; its process lives on."""


@dataclass(frozen=True)
class Said:
    """A message, and the engine it is meant for."""

    message: Message
    engine: CoachEngine


class Tab:
    """A process that takes one turn, and waits before each call of its store until it is let go on."""

    def __init__(self, store: SqlTurnStore, said: Said) -> None:
        self.said = said
        self.outcome: Turn | BaseException | None = None
        self._store = store
        self._order: Callable[[], None] = lambda: None
        self._go, self._stopped = Semaphore(0), Semaphore(0)
        Thread(target=self._run, daemon=True).start()
        self._wait()

    @property
    def is_done(self) -> bool:
        return self.outcome is not None

    def step(self, order: Callable[[], None] = lambda: None) -> None:
        """Let it go on to its next stop; `order` is what happens to it first."""
        self._order = order
        self._go.release()
        self._wait()

    def finish(self) -> None:
        while not self.is_done:
            self.step()

    def kill(self) -> None:
        if not self.is_done:
            self.step(_die)

    def stop(self) -> None:
        """Called by its own thread, between two steps."""
        self._stopped.release()
        self._go.acquire()
        self._order()

    def _wait(self) -> None:
        assert self._stopped.acquire(timeout=STEP_LIMIT_S), "a step hangs"

    def _run(self) -> None:
        try:
            store, engine = _Stopping(self._store, self), _Stopping(self.said.engine, self, only="answer")
            outcome: Turn | BaseException = run_turn(store, engine, self.said.message)
            self.stop()
        except BaseException as error:  # noqa: BLE001 -- whatever it is, the machine judges it
            outcome = error
        self.outcome = outcome
        self._stopped.release()


def _die() -> None:
    raise Killed


def break_down() -> None:
    """An order for `Tab.step`."""
    raise Broken


class _Stopping:
    """A store or an engine, with a stop before each call."""

    def __init__(self, inner: Any, tab: Tab, only: str | None = None) -> None:
        self._inner = inner
        self._tab = tab
        self._only = only

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._inner, name)

        def call(*arguments: Any) -> Any:
            if self._only in (None, name):
                self._tab.stop()
            return called(*arguments)

        return call
