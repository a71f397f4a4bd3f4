"""What is different about a turn that comes from the spool: it was answered, and it is known whose it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import text

from chat_service.programs.coach.analysis import MessageAnalysis
from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn_result import TurnResult, build_turn_result
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.durable.spooled_turn import SpooledTurn
from chat_service.programs.sessions.sql.turns import SqlTurnStore, change
from chat_service.turns.model import LEASE, ClaimView, Message, Status, Turn
from cogniflow_kit.errors import Conflict
from cogniflow_kit.sql.database import Database

_RECLAIM = change(
    "status = 'running', epoch = epoch + 1, lease_expires_at = now() + :lease, queued = true",
    "status IN ('running', 'failed')",
)
_MARK = text("UPDATE turns SET queued = true WHERE turn_id = :turn_id AND NOT queued")


class Diverged(Conflict):
    """The session was changed by somebody else while its turns waited."""

    code = "session_diverged"


class ReplayTurnStore(SqlTurnStore):
    """A claim of the same message is a claim of ours, from before PostgreSQL went away: it needn't run out.

    The next epoch keeps whatever of it is still under way in PostgreSQL from
    taking effect.
    """

    def __init__(self, database: Database, catalog: Catalog, turn: SpooledTurn) -> None:
        super().__init__(database, catalog, answered_at=turn.answered_at)

    def view(self, message: Message) -> ClaimView[ProgramSession]:
        claim_view = super().view(message)
        same, last = claim_view.repeated, claim_view.newest
        if same is None or last is None:
            return claim_view
        if same.status is Status.COMPLETED:
            # Stored in the end, when nobody could know: its sender was told that it waits.
            self._database.run(_MARK, {"turn_id": same.id})
        elif same.id == last.id:
            ours = replace(same, lease_expires_at=None)
            return ClaimView(claim_view.conversation, ours, ours)
        return claim_view

    def reclaim(self, turn: Turn) -> Turn | None:
        return self._change(_RECLAIM, turn, lease=LEASE)


@dataclass(frozen=True)
class ReplayEngine(CoachEngine):
    """An engine that answers what was answered. Raises Diverged where it doesn't fit."""

    turn: SpooledTurn

    def admit(self, program_session: ProgramSession) -> ProgramSession:
        if program_session.state.version != self.turn.base:
            raise Diverged(f"version {program_session.state.version} instead of {self.turn.base}")
        return program_session

    def analyze(self, _message: Message, _place: ProgramSession) -> MessageAnalysis:
        return MessageAnalysis(self.turn.risk, self.turn.intent)

    def answer(
        self,
        _message: Message,
        program_session: ProgramSession,
        _reading: MessageAnalysis,
        _renew: Callable[[], None],
    ) -> TurnResult:
        return replace(build_turn_result(program_session, self.turn.step), reply=self.turn.reply)
