"""Turns on disk, while PostgreSQL is away: one append-only file a session, flushed before each answer.

Whoever holds the folder's lock is the only process that writes to sessions,
so that two can't continue one session from the same state. A line without
its end was cut off by a crash, before anybody was told of it: it is dropped.
What can't be stored is set aside, under a name of its own, never deleted.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Condition
from typing import IO
from uuid import UUID

import structlog
from prometheus_client import Gauge

from chat_service.fault_points import reach
from chat_service.programs.sessions.durable import spool_files
from chat_service.programs.sessions.durable.spooled_turn import SpooledTurn
from chat_service.turns.errors import TurnInProgress
from chat_service.turns.model import Message
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.ids import new_id

log = structlog.stdlib.get_logger(__name__)

CAPACITY_BYTES = 256 * 1024 * 1024
HANDOVER_S = 30.0
"""How long a new process waits for the one before it, which finishes its requests within 20 s."""

_WAITING = Gauge("chat_spooled_turns", "Turns on disk that wait for PostgreSQL.")
_ASIDE = Gauge(
    "chat_spool_files_set_aside", "Files of turns that don't fit their session, for a person to see."
)


class SpoolTaken(RuntimeError):
    """Another process has the folder."""


@dataclass(frozen=True)
class _File:
    """How many turns it holds, in how many bytes; and how many of both are stored by now."""

    turns: int = 0
    size: int = 0
    stored: int = 0
    stored_size: int = 0


class Spool:
    """The files of one folder, which this process has to itself between `open` and `close`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._owner: IO[str] | None = None
        self._files: dict[UUID, _File] = {}
        self._total = _File()
        self._held: set[UUID] = set()
        self._changed = Condition()

    def open(self, patience_s: float = HANDOVER_S) -> None:
        """Take the folder, and note what waits in it. Raises SpoolTaken when its owner keeps it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        self._owner = self._take(time.monotonic() + patience_s)
        for path in sorted(self._folder.glob("*.jsonl"), key=lambda path: path.stat().st_ctime):
            self._note(path)
        _ASIDE.set(len(self.asides()))

    def close(self) -> None:
        """Let the next process have the folder; nothing can be appended any more."""
        if self._owner is not None:
            self._owner.close()
            self._owner = None

    @contextmanager
    def hold(self, session_id: UUID, patience_s: float = 0) -> Iterator[None]:
        """Keep the session's turns to this caller. Raises TurnInProgress while another has them."""
        with self._changed:
            if not self._changed.wait_for(lambda: session_id not in self._held, patience_s):
                raise TurnInProgress
            self._held.add(session_id)
        try:
            yield
        finally:
            with self._changed:
                self._held.discard(session_id)
                self._changed.notify_all()

    def append(self, turn: SpooledTurn) -> None:
        """Returns once the turn is on the disk. Raises Unavailable when none of it can be kept."""
        line = turn.model_dump_json().encode() + b"\n"
        session_id = turn.snapshot.session_id
        if self._owner is None or self._total.size + len(line) > CAPACITY_BYTES:
            raise Unavailable("No more can be kept while the database is away; try again shortly.")
        before = self._files.get(session_id, _File())
        try:
            spool_files.append(self._path(session_id), line, before.size)
        except OSError as error:
            log.error("a turn can't be spooled", error=str(error))  # noqa: TRY400 -- the reason is all there is
            raise Unavailable("Nothing can be kept at the moment; try again shortly.") from error
        self._put(session_id, replace(before, turns=before.turns + 1, size=before.size + len(line)))
        reach("spooled")

    def turns(self, session_id: UUID) -> list[SpooledTurn]:
        """The session's turns, in order."""
        noted = self._files.get(session_id)
        if noted is None:
            return []
        try:
            lines = spool_files.whole_lines(self._path(session_id))
        except FileNotFoundError:
            return []
        return [SpooledTurn.model_validate_json(line) for line in lines[: noted.turns]]

    def unstored(self, session_id: UUID) -> Iterator[tuple[SpooledTurn, int]]:
        """The turns that are not known to be stored, each with its size in bytes; for who holds it."""
        noted = self._files.get(session_id)
        if noted is None:
            return
        lines = spool_files.whole_lines(self._path(session_id), noted.stored_size)
        # One after the other: who stops in the middle has not paid for the rest.
        for line in lines[: noted.turns - noted.stored]:
            yield SpooledTurn.model_validate_json(line), len(line) + 1

    def unstored_turns(self, session_id: UUID) -> int:
        noted = self._files.get(session_id, _File())
        return noted.turns - noted.stored

    def advance(self, session_id: UUID, size: int) -> None:
        """The first unstored turn, of this size, is stored; after a restart once more, to no effect."""
        noted = self._files.get(session_id)
        if noted is not None:
            self._put(
                session_id, replace(noted, stored=noted.stored + 1, stored_size=noted.stored_size + size)
            )

    def turn(self, message: Message) -> SpooledTurn | None:
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

    def has(self, session_id: UUID) -> bool:
        return session_id in self._files

    def sessions(self) -> list[UUID]:
        """Whose turns wait, the longest waiting first."""
        with self._changed:
            return list(self._files)

    @property
    def waiting(self) -> int:
        """How many turns wait."""
        return self._total.turns

    @property
    def size(self) -> int:
        """Bytes of all that waits."""
        return self._total.size

    def remove(self, session_id: UUID) -> None:
        """Once its turns are stored, or erased."""
        self._path(session_id).unlink(missing_ok=True)
        self._put(session_id, None)
        spool_files.flush_folder(self._folder)

    def set_aside(self, session_id: UUID, reason: str) -> Path:
        """Keep the file out of the way, for a person to look at; returns where."""
        aside = _aside(self._path(session_id), reason)
        self._put(session_id, None)
        _ASIDE.set(len(self.asides()))
        return aside

    def asides(self) -> list[Path]:
        """Files that were set aside; their names begin with the session's id."""
        return sorted(self._folder.glob("*.jsonl.*"))

    def remove_aside(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        spool_files.flush_folder(self._folder)
        _ASIDE.set(len(self.asides()))

    def _take(self, until: float) -> IO[str]:
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

    def _note(self, path: Path) -> None:
        """What another release wrote and this one can't read must not keep the service from starting."""
        lines = spool_files.whole_lines(path)
        try:
            session_id = UUID(path.stem)
            for line in lines:
                SpooledTurn.model_validate_json(line)
        except ValueError as error:
            aside = _aside(path, "unreadable")
            log.error("spooled turns can't be read", kept=aside.name, error=type(error).__name__)  # noqa: TRY400
            return
        if lines:
            self._put(session_id, _File(len(lines), sum(len(line) + 1 for line in lines)))
        else:
            path.unlink()

    def _put(self, session_id: UUID, file: _File | None) -> None:
        """Note what a session's file holds by now; None: there is none any more."""
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


def _aside(path: Path, reason: str) -> Path:
    """Under a name that no other file has, since a session may diverge twice."""
    aside = path.with_name(f"{path.name}.{reason}-{new_id()}")
    path.rename(aside)
    spool_files.flush_folder(path.parent)
    return aside
