"""Stores turns on disk while PostgreSQL is away: one append-only file per session, flushed at each turn.

The process that holds the folder's lock is the only one that writes to
sessions, so two processes can't continue a session from the same state. A
line without its end was cut off by a crash before it was acknowledged; it is
dropped. A file whose turns can't be stored is renamed ("set aside"), never
deleted.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Condition
from typing import IO
from uuid import UUID

import structlog
from prometheus_client import Gauge

from chat_service.fault_points import reach
from chat_service.programs.sessions.durable.spooled_turn import (
    SpooledTurn,
    read_spooled_turn,
    write_spooled_turn,
)
from chat_service.turns.errors import TurnInProgress
from chat_service.turns.model import Message
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.ids import new_id

log = structlog.stdlib.get_logger(__name__)

CAPACITY_BYTES = 256 * 1024 * 1024
HANDOVER_S = 30.0
"""How long a new process waits for the folder's owner, which finishes its requests within 20 s."""

_WAITING = Gauge("chat_spooled_turns", "Turns on disk that wait for PostgreSQL.")
_ASIDE = Gauge(
    "chat_spool_files_set_aside",
    "Files of turns that can't be stored in their session; an operator has to look at them.",
)


class SpoolTaken(RuntimeError):
    """Another process uses the folder."""


@dataclass(frozen=True)
class _File:
    """Turns and bytes in a file, and how many of both PostgreSQL has by now."""

    turns: int = 0
    size: int = 0
    stored: int = 0
    stored_size: int = 0


class Spool:
    """The files of one folder. This process alone uses the folder between `open` and `close`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._owner: IO[str] | None = None
        self._files: dict[UUID, _File] = {}
        self._total = _File()
        self._locked: set[UUID] = set()
        self._changed = Condition()

    def open(self, timeout_s: float = HANDOVER_S) -> None:
        """Lock the folder and read what waits in it. Raises: SpoolTaken (another process keeps the lock)."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        self._owner = self._lock_folder(time.monotonic() + timeout_s)
        for path in sorted(self._folder.glob("*.jsonl"), key=lambda path: path.stat().st_ctime):
            self._load(path)
        _ASIDE.set(len(self.files_set_aside()))

    def close(self) -> None:
        """Release the folder for the next process; `append` raises Unavailable from then on."""
        if self._owner is not None:
            self._owner.close()
            self._owner = None

    @contextmanager
    def lock_session(self, session_id: UUID, timeout_s: float = 0) -> Iterator[None]:
        """Hold the session's lock. Raises: TurnInProgress (another thread keeps it for `timeout_s`)."""
        with self._changed:
            if not self._changed.wait_for(lambda: session_id not in self._locked, timeout_s):
                raise TurnInProgress
            self._locked.add(session_id)
        try:
            yield
        finally:
            with self._changed:
                self._locked.discard(session_id)
                self._changed.notify_all()

    def append(self, turn: SpooledTurn) -> None:
        """Return once the turn is on disk. Raises: Unavailable (the spool is full, or the disk fails)."""
        line = write_spooled_turn(turn)
        session_id = turn.state.session_id
        if self._owner is None or self._total.size + len(line) > CAPACITY_BYTES:
            raise Unavailable("No more can be kept while the database is away; try again shortly.")
        before = self._files.get(session_id, _File())
        try:
            _append_line(self._path(session_id), line, before.size)
        except OSError as error:
            log.error("a turn can't be spooled", error=str(error))  # noqa: TRY400 -- the message has it all
            raise Unavailable("Nothing can be kept at the moment; try again shortly.") from error
        self._put(session_id, replace(before, turns=before.turns + 1, size=before.size + len(line)))
        reach("spooled")

    def turns(self, session_id: UUID) -> list[SpooledTurn]:
        """The session's turns, in order."""
        noted = self._files.get(session_id)
        if noted is None:
            return []
        try:
            lines = whole_lines(self._path(session_id))
        except FileNotFoundError:
            return []
        return [read_spooled_turn(line) for line in lines[: noted.turns]]

    def unstored_turns(self, session_id: UUID) -> Iterator[tuple[SpooledTurn, int]]:
        """The turns not known to be stored, each with its size in bytes. The caller holds the lock."""
        noted = self._files.get(session_id)
        if noted is None:
            return
        lines = whole_lines(self._path(session_id), noted.stored_size)
        # Parsed one by one: the caller may stop before the end.
        for line in lines[: noted.turns - noted.stored]:
            yield read_spooled_turn(line), len(line) + 1

    def count_unstored(self, session_id: UUID) -> int:
        noted = self._files.get(session_id, _File())
        return noted.turns - noted.stored

    def mark_first_stored(self, session_id: UUID, size: int) -> None:
        """Note that PostgreSQL has the first unstored turn, of `size` bytes.

        A restart forgets it; storing the turn again has no effect.
        """
        noted = self._files.get(session_id)
        if noted is not None:
            self._put(
                session_id, replace(noted, stored=noted.stored + 1, stored_size=noted.stored_size + size)
            )

    def find_turn(self, message: Message) -> SpooledTurn | None:
        """The turn that answered this message, if it waits here."""
        assert message.conversation_id is not None, "only turns of sessions are spooled"
        return next(
            (
                turn
                for turn in self.turns(message.conversation_id)
                if turn.message.client_message_id == message.client_message_id
            ),
            None,
        )

    def has_session(self, session_id: UUID) -> bool:
        return session_id in self._files

    def session_ids(self) -> list[UUID]:
        """The sessions with turns that wait, the longest waiting first."""
        with self._changed:
            return list(self._files)

    @property
    def waiting_turns(self) -> int:
        return self._total.turns

    @property
    def size_bytes(self) -> int:
        return self._total.size

    def remove_session(self, session_id: UUID) -> None:
        self._path(session_id).unlink(missing_ok=True)
        self._put(session_id, None)
        flush_folder(self._folder)

    def set_aside(self, session_id: UUID, reason: str) -> Path:
        """Rename the session's file for an operator to look at; return its new path."""
        aside = _set_aside(self._path(session_id), reason)
        self._put(session_id, None)
        _ASIDE.set(len(self.files_set_aside()))
        return aside

    def files_set_aside(self) -> list[Path]:
        """Their names begin with the session's id."""
        return sorted(self._folder.glob("*.jsonl.*"))

    def remove_set_aside(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        flush_folder(self._folder)
        _ASIDE.set(len(self.files_set_aside()))

    def _lock_folder(self, until: float) -> IO[str]:
        path = self._folder / "owner"
        path.touch(mode=0o600)
        owner = path.open("w")
        while True:
            try:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() >= until:
                    owner.close()
                    raise SpoolTaken(
                        f"another chat-service uses {self._folder}; give each a SPOOL_DIR of its own"
                    ) from error
                time.sleep(0.1)
            else:
                return owner

    def _load(self, path: Path) -> None:
        """Count the turns of a file. A file that can't be read is set aside, so that the service starts."""
        lines = whole_lines(path)
        try:
            session_id = UUID(path.stem)
            for line in lines:
                read_spooled_turn(line)
        except ValueError as error:
            aside = _set_aside(path, "unreadable")
            log.error("spooled turns can't be read", kept=aside.name, error=str(error))  # noqa: TRY400
            return
        if lines:
            self._put(session_id, _File(len(lines), sum(len(line) + 1 for line in lines)))
        else:
            path.unlink()

    def _put(self, session_id: UUID, file: _File | None) -> None:
        """Set what a session's file contains; None once it is removed."""
        with self._changed:
            before, after = self._files.get(session_id, _File()), file or _File()
            if file is None:
                self._files.pop(session_id, None)
            else:
                self._files[session_id] = file
            waiting = after.turns - after.stored - before.turns + before.stored
            self._total = _File(self._total.turns + waiting, self._total.size + after.size - before.size)
            _WAITING.set(self._total.turns)

    def _path(self, session_id: UUID) -> Path:
        return self._folder / f"{session_id}.jsonl"


def _set_aside(path: Path, reason: str) -> Path:
    """Rename to a name that no other file has: a session may diverge twice."""
    aside = path.with_name(f"{path.name}.{reason}-{new_id()}")
    path.rename(aside)
    flush_folder(path.parent)
    return aside


def _append_line(path: Path, line: bytes, at: int) -> None:
    """Write the line after the first `at` bytes, which are the valid part of the file, and flush it.

    Raises: OSError (such as a full disk; the first `at` bytes stay valid).
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.ftruncate(descriptor, at)
        try:
            _write(descriptor, line, at)
            reach("spooling")
            os.fsync(descriptor)
            if at == 0:
                flush_folder(path.parent)
        except OSError:
            # If this fails too, the next append truncates.
            with suppress(OSError):
                os.ftruncate(descriptor, at)
            raise
    finally:
        os.close(descriptor)


def _write(descriptor: int, line: bytes, at: int) -> None:
    """A nearly full disk may take a part of the line; the next write fails then."""
    written = 0
    while written < len(line):
        written += os.pwrite(descriptor, line[written:], at + written)


def whole_lines(path: Path, start: int = 0) -> list[bytes]:
    """The complete lines from byte `start` on; a crash may have cut off the last one."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read().split(b"\n")[:-1]


def flush_folder(folder: Path) -> None:
    """Make file names durable through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
