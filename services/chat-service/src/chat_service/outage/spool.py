"""Turns on disk, while PostgreSQL is away: one append-only file a session, flushed before each answer.

Whoever holds the folder's lock is the only process that writes to sessions,
so that two can't continue one session from the same state. A line without
its end was cut off by a crash, before anybody was told of it: it is dropped.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Lock
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from chat_service.programs.coach import Step
from chat_service.programs.intents import Intent
from chat_service.programs.place import Snapshot
from chat_service.programs.schemas import Reply
from chat_service.safety.check import Risk
from chat_service.turns.errors import TurnInProgress
from chat_service.turns.model import Message
from cogniflow_kit.errors import Unavailable

CAPACITY_BYTES = 256 * 1024 * 1024


class Spooled(BaseModel):
    """One turn: the message, what was found in it, the step and what it led to.

    `base` is the version of the session before it; `week`, `run` and
    `question` say where it was then. `asks`: the next question was said anew.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    message: Message
    risk: Risk | None
    intent: Intent
    step: Step
    base: int
    week: int
    run: int
    question: int
    asks: bool
    snapshot: Snapshot
    reply: Reply
    answered_at: datetime


class SpoolTaken(RuntimeError):
    """Another process has the folder."""


class Spool:
    """The files of one folder, which this process has to itself."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._owner = (folder / "owner").open("w")
        self._held: set[UUID] = set()
        self._lock = Lock()
        try:
            fcntl.flock(self._owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._owner.close()
            raise SpoolTaken(
                f"another chat-service uses {folder}; give each a SPOOL_DIR of its own"
            ) from error

    def close(self) -> None:
        self._owner.close()

    @contextmanager
    def hold(self, session_id: UUID) -> Iterator[None]:
        """Keep the session's turns to this caller. Raises TurnInProgress while another has them."""
        with self._lock:
            if session_id in self._held:
                raise TurnInProgress
            self._held.add(session_id)
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(session_id)

    def append(self, turn: Spooled) -> None:
        """Returns once the turn is on the disk. Raises Unavailable when the disk is full."""
        line = turn.model_dump_json().encode() + b"\n"
        path = self._path(turn.snapshot.session_id)
        if self.size() + len(line) > CAPACITY_BYTES:
            raise Unavailable("No more can be kept while the database is away; try again shortly.")
        is_new = not path.exists()
        try:
            _append(path, line)
            if is_new:
                _flush_folder(self._folder)
        except OSError as error:
            raise Unavailable("Nothing can be kept at the moment; try again shortly.") from error

    def turns(self, session_id: UUID) -> list[Spooled]:
        """The session's turns, in order."""
        with suppress(FileNotFoundError):
            lines = self._path(session_id).read_bytes().split(b"\n")[:-1]
            return [Spooled.model_validate_json(line) for line in lines]
        return []

    def has(self, session_id: UUID) -> bool:
        return self._path(session_id).exists()

    def sessions(self) -> list[UUID]:
        """Whose turns wait, the longest waiting first."""
        paths = sorted(self._folder.glob("*.jsonl"), key=lambda path: path.stat().st_ctime)
        return [UUID(path.stem) for path in paths]

    def remove(self, session_id: UUID) -> None:
        """Once its turns are stored, or erased."""
        self._path(session_id).unlink(missing_ok=True)
        _flush_folder(self._folder)

    def set_aside(self, session_id: UUID) -> Path:
        """Keep the file out of the way, for a person to look at; returns where."""
        path = self._path(session_id)
        aside = path.with_suffix(".diverged")
        path.rename(aside)
        _flush_folder(self._folder)
        return aside

    def size(self) -> int:
        """Bytes of all that waits."""
        return sum(path.stat().st_size for path in self._folder.glob("*.jsonl"))

    def _path(self, session_id: UUID) -> Path:
        return self._folder / f"{session_id}.jsonl"


def _append(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        whole = _whole_lines(descriptor)
        os.ftruncate(descriptor, whole)
        try:
            os.lseek(descriptor, whole, os.SEEK_SET)
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(line)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, whole)
            raise
    finally:
        os.close(descriptor)


def _whole_lines(descriptor: int) -> int:
    """The length of the file without a last line that a crash cut off."""
    content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    return content.rfind(b"\n") + 1


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
