"""Turns of programmes in PostgreSQL: turn, words, state, answers and facts agree, or none is there."""

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from chat_service.faults import reach
from chat_service.programs.catalog import Catalog
from chat_service.programs.coach import Step
from chat_service.programs.place import ProgramPlace, read_place
from chat_service.programs.progress import after
from chat_service.programs.schemas import reply_to
from chat_service.programs.statements import BEGIN, COMPLETE, begin_values, complete_values
from chat_service.safety.check import Risk
from chat_service.tables import ProgramTurn
from chat_service.turns.model import LEASE, Message, Sight, Status, Turn
from cogniflow_kit.events import Event
from cogniflow_kit.ids import new_id
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import record

_EXPIRED = and_(ProgramTurn.status == Status.RUNNING, ProgramTurn.lease_expires_at < func.now())


class ProgramTurns:
    """Each method is one short transaction; the database's clock times the leases."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog

    def look(self, message: Message) -> Sight[ProgramPlace]:
        own = ProgramTurn.session_id == message.conversation_id
        newest = select(func.max(ProgramTurn.sequence)).where(own).scalar_subquery()
        repeated = ProgramTurn.client_message_id == message.client_message_id
        with self._database.transaction() as session:
            # The turns before the state: a turn that completes in between makes the
            # next sequence number taken, whereas with an older state it would be lost.
            rows = session.scalars(
                select(ProgramTurn).where(own, or_(repeated, ProgramTurn.sequence == newest))
            ).all()
            place = read_place(session, self._catalog, message.conversation_id, message.user_id)
        same = next((row for row in rows if row.client_message_id == message.client_message_id), None)
        last = max(rows, key=lambda row: row.sequence, default=None)
        return Sight(place, _turn(same) if same else None, _turn(last) if last else None)

    def begin(self, message: Message, place: ProgramPlace, sequence: int, risk: Risk | None) -> Turn | None:
        turn_id = new_id()
        with self._database.transaction() as session:
            expires = session.scalar(BEGIN, begin_values(message, place, turn_id, sequence, risk))
            reach("claiming")
        if expires is None:
            return None
        return Turn(
            turn_id,
            place.session_id,
            sequence,
            message.fingerprint,
            Status.RUNNING,
            epoch=1,
            lease_expires_at=expires,
        )

    def take_over(self, turn: Turn) -> Turn | None:
        return self._change(
            turn,
            or_(ProgramTurn.status == Status.FAILED, _EXPIRED),
            status=Status.RUNNING,
            epoch=turn.epoch + 1,
            lease_expires_at=func.now() + LEASE,
        )

    def complete(self, turn: Turn, place: ProgramPlace, result: Step) -> Turn | None:
        following = after(place.standing, result)
        reply = reply_to(place, result, following)
        values = complete_values(turn, place, result, following, reply.model_dump_json())
        with self._database.transaction() as session:
            moved = session.scalar(COMPLETE, values) == 1
            if moved and result.is_answer:
                record(session, _fact(turn, place))
            reach("completing")
        if not moved:
            return None
        return replace(
            turn, status=Status.COMPLETED, lease_expires_at=None, reply=reply.model_dump(mode="json")
        )

    def fail(self, turn: Turn) -> bool:
        running = ProgramTurn.status == Status.RUNNING
        return self._change(turn, running, status=Status.FAILED, lease_expires_at=None) is not None

    def abandon(self, turn: Turn) -> bool:
        broken = or_(ProgramTurn.status == Status.FAILED, _EXPIRED)
        return self._change(turn, broken, status=Status.ABANDONED, lease_expires_at=None) is not None

    def expired(self, limit: int) -> list[Turn]:
        with self._database.transaction() as session:
            return [_turn(row) for row in session.scalars(select(ProgramTurn).where(_EXPIRED).limit(limit))]

    def _change(self, turn: Turn, condition: ColumnElement[bool], **values: Any) -> Turn | None:
        """Change the turn where the condition holds and nobody claimed it since this epoch."""
        changed = (
            update(ProgramTurn)
            .where(ProgramTurn.turn_id == turn.id, ProgramTurn.epoch == turn.epoch, condition)
            .values(**values)
            .returning(ProgramTurn)
        )
        with self._database.transaction() as session:
            row = session.scalars(changed).first()
            return _turn(row) if row else None


def _turn(row: ProgramTurn) -> Turn:
    return Turn(
        id=row.turn_id,
        conversation_id=row.session_id,
        sequence=row.sequence,
        fingerprint=row.fingerprint,
        status=Status(row.status),
        epoch=row.epoch,
        lease_expires_at=row.lease_expires_at,
        reply=row.result,
    )


def _fact(turn: Turn, place: ProgramPlace) -> Event:
    standing = place.standing
    return Event(
        type="program.answer_completed",
        actor_id=place.user_id,
        data={
            "program": standing.programme.slug,
            "session_id": str(place.session_id),
            "turn_id": str(turn.id),
            "week": standing.week.week_number,
            "question": standing.question.question_number,
        },
    )
