"""Rules of programmes: who may begin, go on and look."""

import hashlib
from uuid import UUID

from sqlalchemy.orm import Session

from chat_service.learners import Learner
from chat_service.programs.catalog import Catalog
from chat_service.programs.coach import Step, pause, respond
from chat_service.programs.errors import SessionCompleted
from chat_service.programs.place import ProgramPlace, read_place
from chat_service.programs.repository import ProgramRepository
from chat_service.programs.schemas import (
    Answer,
    AnswerOut,
    ProgramOut,
    SessionOut,
    current_question,
)
from chat_service.programs.turn_store import ProgramTurns
from chat_service.safety.check import Risk
from chat_service.turns.model import Message
from chat_service.turns.protocol import take_turn
from cogniflow_kit.events import Event
from cogniflow_kit.sql.outbox import record


class Coaching:
    """The engine of programmes: the coach answers by the programme's own texts."""

    def admit(self, place: ProgramPlace) -> ProgramPlace:
        if place.completed:
            raise SessionCompleted
        return place

    def answer(self, message: Message, place: ProgramPlace, risk: Risk | None) -> Step:
        if risk is not None:
            return pause(place.standing, message.text)
        return respond(place.standing, message.text)


def answer(turns: ProgramTurns, user_id: UUID, session_id: UUID, body: Answer) -> AnswerOut:
    """One turn. Raises what `take_turn` raises, SessionNotFound and SessionCompleted."""
    message = Message(
        user_id=user_id,
        conversation_id=session_id,
        client_message_id=body.client_message_id,
        fingerprint=hashlib.sha256(body.text.encode()).hexdigest(),
        text=body.text,
    )
    turn = take_turn(turns, Coaching(), message)
    return AnswerOut.model_validate(
        {**(turn.reply or {}), "session_id": session_id, "turn_id": turn.id, "sequence": turn.sequence}
    )


class Programs:
    """Reading programmes and sessions, and beginning one."""

    def __init__(self, session: Session, catalog: Catalog) -> None:
        self._session = session
        self._catalog = catalog
        self._repository = ProgramRepository(session)

    def page(self, user_id: UUID, after: UUID | None, limit: int) -> list[ProgramOut]:
        """The newest version of each programme, one more than `limit` when there is more."""
        return [ProgramOut.model_validate(row) for row in self._repository.page(user_id, after, limit)]

    def start(self, learner: Learner, slug: str) -> tuple[SessionOut, bool]:
        """The open session of this programme, and whether it was begun just now."""
        session_id = self._repository.open_session(learner.id, slug)
        if session_id is not None:
            return self.view(learner.id, session_id), False
        programme = self._catalog.get(self._session, self._repository.newest_version(slug))
        session_id = self._repository.begin(learner, programme)
        if session_id is None:
            return self.start(learner, slug)
        record(
            self._session,
            Event(
                type="program.started",
                actor_id=learner.id,
                data={"program": slug, "session_id": str(session_id)},
            ),
        )
        return self.view(learner.id, session_id), True

    def view(self, user_id: UUID, session_id: UUID) -> SessionOut:
        """Everything needed to go on. Raises SessionNotFound."""
        place = read_place(self._session, self._catalog, session_id, user_id)
        standing = place.standing
        return SessionOut(
            id=session_id,
            program=standing.programme.slug,
            program_version=standing.programme.version,
            title=standing.programme.title,
            name=standing.name,
            version=place.version,
            completed=place.completed,
            week=standing.week.week_number,
            week_title=standing.week.title,
            question=None if place.completed else current_question(standing),
            progress=self._repository.progress(session_id, standing.programme),
            answers=standing.state.answers,
            messages=self._repository.messages(session_id),
            last_turn=self._repository.last_turn(session_id),
        )
