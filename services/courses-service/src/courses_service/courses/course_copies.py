"""Copies of courses in the memory of this process, so that everyday reads ask no store.

Freshness (ADR 17): an edit in this process removes its copy when its
transaction ends, before the response is sent. An edit in another process is
noticed by confirmation: at most MAX_AGE_S after a statement that read the
course's state began, its copy is used no more. While PostgreSQL does not
answer, copies are therefore not confirmed and reads go to the database.

Copies hold nothing about users. Whether a user may see a course is decided
for each request, and enrollments are always read from the database.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Any, Literal, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from cogniflow_kit.errors import Unavailable
from cogniflow_kit.sql.deadline import within

log = structlog.stdlib.get_logger(__name__)

MAX_AGE_S = 1.0
CONFIRM_EVERY_S = 0.4
CONFIRM_TIMEOUT_S = 0.5
UNUSED_FOR_S = 60.0
MAX_COPIES = 1000
MAX_BYTES = 32 << 20

Part = Literal["detail", "outline"]


class CourseState(NamedTuple):
    """What decides whether a copy is current, and who may see the course."""

    version: int
    status: str
    instructor_id: UUID


@dataclass(eq=False)
class CourseCopy:
    """Response bodies of one course. Times are those of the monotonic clock, in seconds.

    `confirmed_at`: when the latest statement began that found the course in this state.
    """

    state: CourseState
    confirmed_at: float
    used_at: float
    bodies: dict[Part, bytes] = field(default_factory=dict)

    def size(self) -> int:
        return sum(map(len, self.bodies.values()))


LoadStates = Callable[[list[UUID]], Mapping[UUID, CourseState]]
"""Reads the current states of these courses in one statement; deleted courses are missing."""


class CourseCopies:
    """All copies of this process. Usable from several threads; `find` takes no lock."""

    def __init__(self, load_states: LoadStates, *, clock: Callable[[], float] = monotonic) -> None:
        self._load_states = load_states
        self._clock = clock
        self._copies: dict[UUID, CourseCopy] = {}
        self._lock = Lock()
        self._confirming = Lock()
        self._confirm_at = 0.0
        self._removals = 0

    def find(self, course_id: UUID) -> CourseCopy | None:
        """The copy, unless it is older than MAX_AGE_S."""
        copy = self._copies.get(course_id)
        now = self._clock()
        if copy is None or now - copy.confirmed_at >= MAX_AGE_S:
            return None
        copy.used_at = now
        return copy

    @property
    def confirmation_due(self) -> bool:
        """Whether a request should call `confirm`, in a worker thread, before it uses a copy."""
        return bool(self._copies) and self._clock() >= self._confirm_at and not self._confirming.locked()

    def confirm(self) -> None:
        """Compare all copies with the database in one statement, and remove those that differ.

        Without effect while another thread does the same. If the database does
        not answer, copies stay unconfirmed and soon are too old to be used.
        """
        if not self._confirming.acquire(blocking=False):
            return
        try:
            started = self._clock()
            if started < self._confirm_at:
                return
            self._confirm_at = started + CONFIRM_EVERY_S
            with self._lock:
                copies = dict(self._copies)
            with within(CONFIRM_TIMEOUT_S):
                states = self._load_states(list(copies))
            self._apply(copies, states, started)
        except (SQLAlchemyError, Unavailable) as error:
            log.warning("course copies not confirmed", error=type(error).__name__)
        finally:
            self._confirming.release()

    def _apply(
        self, copies: Mapping[UUID, CourseCopy], states: Mapping[UUID, CourseState], started: float
    ) -> None:
        with self._lock:
            for course_id, copy in copies.items():
                if self._copies.get(course_id) is not copy:
                    continue
                if states.get(course_id) != copy.state or started - copy.used_at > UNUSED_FOR_S:
                    del self._copies[course_id]
                else:
                    copy.confirmed_at = max(copy.confirmed_at, started)

    def begin_read(self) -> tuple[int, float]:
        """Call before reading a course from the database; pass the result to `keep`."""
        return self._removals, self._clock()

    def keep(
        self, course_id: UUID, state: CourseState, part: Part, body: bytes, begun: tuple[int, float]
    ) -> None:
        """Keep a response body, unless a copy was removed since `begun`: the body may be from before
        the edit that removed it."""
        removals, began_at = begun
        with self._lock:
            if removals != self._removals:
                return
            copy = self._copies.get(course_id)
            if copy is None or copy.state != state:
                copy = self._copies[course_id] = CourseCopy(state, began_at, began_at)
            copy.confirmed_at = max(copy.confirmed_at, began_at)
            copy.bodies[part] = body
            self._evict()

    def _evict(self) -> None:
        size = sum(copy.size() for copy in self._copies.values())
        while self._copies and (len(self._copies) > MAX_COPIES or size > MAX_BYTES):
            least_used = min(self._copies, key=lambda course_id: self._copies[course_id].used_at)
            size -= self._copies.pop(least_used).size()

    def remove(self, course_id: UUID) -> None:
        with self._lock:
            self._removals += 1
            self._copies.pop(course_id, None)

    def clear(self) -> None:
        with self._lock:
            self._removals += 1
            self._copies.clear()

    def remove_after(self, db: Session, course_id: UUID) -> None:
        """Remove the copy when the transaction of `db` ends, however it ends: after a COMMIT whose
        outcome is unknown, too."""

        def remove(_session: Session, _transaction: Any) -> None:
            self.remove(course_id)

        event.listen(db, "after_transaction_end", remove)
