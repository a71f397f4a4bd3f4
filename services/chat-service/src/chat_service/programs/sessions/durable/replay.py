"""Replays spooled turns into PostgreSQL: in order, once, with the replies that were acknowledged."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event, Thread
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from chat_service.fault_points import reach
from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn import MessageAnalysis, ProgramReply, TurnResult, build_turn_result
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.durable.recent_sessions import RecentSessions
from chat_service.programs.sessions.durable.spool import Spool
from chat_service.programs.sessions.durable.spooled_turn import SpooledTurn
from chat_service.programs.sessions.errors import SessionNotFound
from chat_service.programs.sessions.sql.turns import SqlTurnStore, change
from chat_service.turns.errors import MessageIdReused, TurnAbandoned, TurnInProgress
from chat_service.turns.model import LEASE, ClaimView, Message, Status, Turn
from chat_service.turns.protocol import run_turn
from cogniflow_kit.errors import Conflict
from cogniflow_kit.sql.database import Database, is_away
from cogniflow_kit.sql.deadline import within

log = structlog.stdlib.get_logger(__name__)

STORE_TIMEOUT_S = 1.0
"""How long one turn waits for PostgreSQL at most, all its steps together."""
RETRY_PAUSE_S = 0.5
"""Pause between two attempts to reach PostgreSQL."""
MAX_LOCK_HOLD_S = 0.1
"""How long the replay holds a session's lock at once."""
LOCK_TIMEOUT_S = 2.0
"""How long the replay waits for a session's lock."""

_SESSION = text("SELECT session_id FROM sessions WHERE session_id = :session_id")
_RECLAIM = change(
    "status = 'running', epoch = epoch + 1, lease_expires_at = now() + :lease, queued = true",
    "status IN ('running', 'failed')",
)
_MARK = text("UPDATE turns SET queued = true WHERE turn_id = :turn_id AND NOT queued")


class Diverged(Conflict):
    """Another process changed the session while its turns waited."""

    code = "session_diverged"


class ReplayTurnStore(SqlTurnStore):
    """Takes over a claim of the same message without waiting for its lease.

    The claim is this process's own, from before PostgreSQL went away. The
    next epoch keeps writes of that claim that are still under way from
    taking effect.
    """

    def __init__(self, database: Database, catalog: Catalog, turn: SpooledTurn) -> None:
        super().__init__(database, catalog, answered_at=turn.answered_at)

    def view(self, message: Message) -> ClaimView[ProgramSession, ProgramReply]:
        claim_view = super().view(message)
        same, last = claim_view.repeated, claim_view.newest
        if same is None or last is None:
            return claim_view
        if same.status is Status.COMPLETED:
            # PostgreSQL had stored it after all; its sender was told that it is queued.
            self._database.run(_MARK, {"turn_id": same.id})
        elif same.id == last.id:
            ours = replace(same, lease_expires_at=None)
            return ClaimView(claim_view.conversation, ours, ours)
        return claim_view

    def reclaim(self, turn: Turn[ProgramReply]) -> Turn[ProgramReply] | None:
        return self._change(_RECLAIM, turn, lease=LEASE)


@dataclass(frozen=True)
class ReplayEngine(CoachEngine):
    """Answers with the spooled reply. Raises: Diverged (the session has another version)."""

    turn: SpooledTurn

    def admit(self, program_session: ProgramSession) -> ProgramSession:
        if program_session.state.version != self.turn.base_version:
            raise Diverged(f"version {program_session.state.version} instead of {self.turn.base_version}")
        return program_session

    def analyze(self, _message: Message, _program_session: ProgramSession) -> MessageAnalysis:
        return self.turn.analysis

    def answer(
        self,
        _message: Message,
        program_session: ProgramSession,
        _analysis: MessageAnalysis,
        _renew: Callable[[], None],
    ) -> TurnResult:
        return replace(build_turn_result(program_session, self.turn.coach_reply), reply=self.turn.reply)


class SessionReplayer:
    """Replays the turns of one session. `postgres_available` is set while PostgreSQL takes spooled turns."""

    def __init__(self, database: Database, catalog: Catalog, spool: Spool, memory: RecentSessions) -> None:
        self._database = database
        self._catalog = catalog
        self._spool = spool
        self._memory = memory
        self.postgres_available = Event()

    def replay(self, session_id: UUID, within_s: float) -> bool:
        """Store the session's waiting turns; return whether none waits any more.

        The caller holds the session's lock. Stops after `within_s` seconds,
        and when PostgreSQL goes away. Turns that don't fit the session are set aside.
        """
        until = time.monotonic() + within_s
        try:
            return self._store_or_drop(session_id, until)
        except TurnInProgress:
            return False  # the lease of another claim has to expire first
        except Exception as error:  # noqa: BLE001 -- _handle sorts them
            if is_away(error):
                self.postgres_available.clear()
                return False
            return self._handle(session_id, error)

    def _store_or_drop(self, session_id: UUID, until: float) -> bool:
        """Drop the turns of a deleted session; those of a session that changed its owner raise."""
        try:
            return self._store(session_id, until)
        except SessionNotFound:
            with within(STORE_TIMEOUT_S):
                if self._database.run(_SESSION, {"session_id": session_id}) is not None:
                    raise
        self._memory.remove(session_id)
        self._spool.remove_session(session_id)
        log.warning("spooled turns of a session that is gone", session_id=str(session_id))
        return True

    def _store(self, session_id: UUID, until: float) -> bool:
        for turn, size in self._spool.unstored_turns(session_id):
            if time.monotonic() > until:
                return False
            self._run(turn)
            self._spool.mark_first_stored(session_id, size)
            reach("replaying")
        reach("replayed")
        self._spool.remove_session(session_id)
        log.info("spooled turns stored", session_id=str(session_id))
        return True

    def _run(self, turn: SpooledTurn) -> None:
        with within(STORE_TIMEOUT_S):
            store = ReplayTurnStore(self._database, self._catalog, turn)
            stored = run_turn(store, ReplayEngine(turn), turn.message)
        self._memory.replace_turn(stored, turn.message.client_message_id)

    def _handle(self, session_id: UUID, error: Exception) -> bool:
        """Keep the turns for another try, or set them aside when they don't fit the session."""
        if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError | DataError):
            log.error("replay will be tried again", session_id=str(session_id), error=type(error).__name__)
            return False
        self._memory.remove(session_id)
        aside = self._spool.set_aside(session_id, "diverged")
        expected = isinstance(error, Diverged | MessageIdReused | TurnAbandoned | SessionNotFound)
        log.error(
            "spooled turns don't fit their session", kept=aside.name, exc_info=None if expected else error
        )
        return True


class ReplayThread:
    """Looks for PostgreSQL while turns wait, and replays them once it is back."""

    def __init__(self, database: Database, spool: Spool, replayer: SessionReplayer) -> None:
        self._database = database
        self._spool = spool
        self._replayer = replayer
        self._stopping = Event()
        self._thread = Thread(target=self._loop, name="replay", daemon=True)

    def start(self) -> None:
        self._spool.open()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=10)
        self._spool.close()

    def once(self) -> None:
        """Replay what waits while PostgreSQL is available."""
        if not self._spool.waiting_turns or not self._ping():
            return
        self._replayer.postgres_available.set()
        for session_id in self._spool.session_ids():
            self._replay_session(session_id)

    def _replay_session(self, session_id: UUID) -> None:
        # In slices: the session takes turns meanwhile.
        while self._replayer.postgres_available.is_set() and not self._stopping.is_set():
            with suppress(TurnInProgress), self._spool.lock_session(session_id, LOCK_TIMEOUT_S):
                before = self._spool.count_unstored(session_id)
                if self._replayer.replay(session_id, MAX_LOCK_HOLD_S):
                    return
                if self._spool.count_unstored(session_id) == before:
                    return  # no progress; go on with the other sessions
            time.sleep(0)

    def _loop(self) -> None:
        while True:
            try:
                self.once()
            except Exception:  # the thread must not end
                log.exception("replay broke off")
            if self._stopping.wait(RETRY_PAUSE_S):
                return

    def _ping(self) -> bool:
        """Whether PostgreSQL answers. Asked before a session is locked, which a frozen server would block."""
        try:
            with within(STORE_TIMEOUT_S):
                self._database.check()
        except Exception as error:  # noqa: BLE001 -- any error means that it is away
            log.debug(
                "turns wait for PostgreSQL", count=self._spool.waiting_turns, error=type(error).__name__
            )
            return False
        return True
