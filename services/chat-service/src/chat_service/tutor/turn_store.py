"""The tutor's turns in MongoDB: one document a turn, so that each write is atomic.

A conversation has no document of its own; its first turn represents it. Unique
indexes enforce what the turn protocol needs: each sequence number once and one
running turn in a conversation, each client_message_id once for a user. A
repeated first message therefore cannot create a second conversation, and a
process that dies leaves nothing half-written.

Leases are compared with the clocks of the services, which may differ by a few
seconds but not by a lease (30 s).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from pymongo import DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from chat_service.fault_points import reach
from chat_service.indexes import AI_CONVERSATIONS
from chat_service.safety.detection.risk import Risk
from chat_service.turns.model import LEASE, ClaimView, Message, Status
from chat_service.turns.model import Turn as AnyTurn
from chat_service.tutor.courses_client import Course
from chat_service.tutor.errors import ConversationNotFound
from chat_service.tutor.replies import TutorReply, read_reply, stored_reply
from cogniflow_kit.events import Event
from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.mongo import Document, Mongo, outbox_fields

Turn = AnyTurn[TutorReply]


@dataclass(frozen=True)
class TutorConversation:
    """A conversation. `course` is set after courses-service has granted access to it."""

    user_id: UUID
    conversation_id: UUID
    course_id: UUID | None
    course: Course | None = None


@dataclass(frozen=True)
class TutorAnalysis:
    """The analysis of a question before it is stored."""

    risk: Risk | None


class TutorTurnStore:
    """Implements `TurnStore` for the tutor."""

    def __init__(self, mongo: Mongo) -> None:
        self._turns = mongo.collection(AI_CONVERSATIONS)
        self._guard = mongo.breaker.guard

    def view(self, message: Message) -> ClaimView[TutorConversation, TutorReply]:
        repeated = {"user_id": message.user_id, "client_message_id": message.client_message_id}
        with self._guard():
            same = self._turns.find_one(repeated)
            conversation_id = same["conversation_id"] if same else message.conversation_id
            last = self._last(message.user_id, conversation_id) if conversation_id else None
        if conversation_id is not None and last is None:
            raise ConversationNotFound
        conversation = TutorConversation(
            message.user_id, conversation_id or new_id(), last["course_id"] if last else None
        )
        return ClaimView(conversation, _turn(same) if same else None, _turn(last) if last else None)

    def claim_turn(
        self, message: Message, conversation: TutorConversation, sequence: int, analysis: TutorAnalysis
    ) -> Turn | None:
        assert conversation.course is not None, "set by the engine's admit"
        document = {
            "_id": new_id(),
            "conversation_id": conversation.conversation_id,
            "user_id": message.user_id,
            "course_id": conversation.course.id,
            "sequence": sequence,
            "client_message_id": message.client_message_id,
            "fingerprint": message.fingerprint,
            "message": message.text,
            "risk": asdict(analysis.risk) if analysis.risk else None,
            "status": Status.RUNNING,
            "epoch": 1,
            "lease_expires_at": utc_now() + LEASE,
            "created_at": message.said_at,
        }
        before = {
            "conversation_id": conversation.conversation_id,
            "sequence": sequence - 1,
            **_failed_or_expired(),
        }
        closed = {"status": Status.ABANDONED, "lease_expires_at": None}
        reach("claiming")
        try:
            with self._guard():
                # Not atomic: a crash in between closes a broken turn whose sender has already moved on.
                self._turns.update_one(before, {"$set": closed})
                self._turns.insert_one(document)
        except DuplicateKeyError:
            return None
        return _turn(document)

    def reclaim(self, turn: Turn) -> Turn | None:
        changes = {
            "status": Status.RUNNING,
            "epoch": turn.epoch + 1,
            "lease_expires_at": utc_now() + LEASE,
        }
        try:
            return self._change(turn, _failed_or_expired(), changes)
        except DuplicateKeyError:
            return None

    def renew(self, turn: Turn) -> bool:
        changes = {"lease_expires_at": utc_now() + LEASE}
        return self._change(turn, {"status": Status.RUNNING}, changes) is not None

    def complete(self, turn: Turn, conversation: TutorConversation, result: TutorReply) -> Turn | None:
        assert conversation.course is not None
        changes = {
            "status": Status.COMPLETED,
            "lease_expires_at": None,
            "completed_at": utc_now(),
            "reply": stored_reply(result),
            **outbox_fields(_event(turn, conversation, conversation.course, result)),
        }
        reach("completing")
        return self._change(turn, {"status": Status.RUNNING}, changes)

    def fail(self, turn: Turn) -> bool:
        changes = {"status": Status.FAILED, "lease_expires_at": None}
        return self._change(turn, {"status": Status.RUNNING}, changes) is not None

    def expired(self, limit: int) -> list[Turn]:
        overdue = {"status": Status.RUNNING, "lease_expires_at": {"$lt": utc_now()}}
        with self._guard():
            return [_turn(document) for document in self._turns.find(overdue).limit(limit)]

    def _last(self, user_id: UUID, conversation_id: UUID) -> Document | None:
        own = {"conversation_id": conversation_id, "user_id": user_id}
        return self._turns.find_one(own, sort=[("sequence", DESCENDING)])

    def _change(self, turn: Turn, condition: Mapping[str, Any], changes: Mapping[str, Any]) -> Turn | None:
        """Change the turn if the condition holds and its epoch is still the same."""
        with self._guard():
            changed = self._turns.find_one_and_update(
                {"_id": turn.id, "epoch": turn.epoch, **condition},
                {"$set": changes},
                return_document=ReturnDocument.AFTER,
            )
        return _turn(changed) if changed else None


def _failed_or_expired() -> dict[str, Any]:
    expired = {"status": Status.RUNNING, "lease_expires_at": {"$lt": utc_now()}}
    return {"$or": [{"status": Status.FAILED}, expired]}


def _turn(document: Document) -> Turn:
    reply = document.get("reply")
    return Turn(
        id=document["_id"],
        conversation_id=document["conversation_id"],
        sequence=document["sequence"],
        fingerprint=document["fingerprint"],
        status=Status(document["status"]),
        epoch=document["epoch"],
        lease_expires_at=document["lease_expires_at"],
        reply=read_reply(reply) if reply is not None else None,
    )


def _event(turn: Turn, conversation: TutorConversation, course: Course, reply: TutorReply) -> Event:
    return Event(
        type="tutor.turn_completed",
        actor_id=conversation.user_id,
        data={
            "course_id": str(course.id),
            "conversation_id": str(turn.conversation_id),
            "turn_id": str(turn.id),
            "answered": reply.answered,
            "citations": len(reply.citations),
        },
    )
