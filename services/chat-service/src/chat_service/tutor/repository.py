"""Queries on tutor conversations in MongoDB. Reads are never blocked by a running turn."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pymongo import ASCENDING, DESCENDING

from chat_service.indexes import AI_CONVERSATIONS
from chat_service.phrase_matching import shorten
from chat_service.tutor.errors import ConversationNotFound
from chat_service.tutor.replies import Citation, read_reply
from cogniflow_kit.mongo import Document, Mongo

_TITLE_CHARACTERS = 80


@dataclass(frozen=True)
class ConversationSummary:
    """`title`: how its first message begins. `turns`: the number of its turns."""

    id: UUID
    course_id: UUID
    title: str
    turns: int
    created_at: datetime
    last_message_at: datetime


@dataclass(frozen=True)
class StoredTurn:
    """One turn as it is read back. `answer` and `answered` are None unless the turn is completed."""

    id: UUID
    sequence: int
    client_message_id: str
    status: str
    message: str
    answer: str | None
    answered: bool | None
    citations: list[Citation]
    created_at: datetime
    completed_at: datetime | None


class ConversationRepository:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._turns = mongo.collection(AI_CONVERSATIONS)

    def conversations(self, user_id: UUID, after: UUID | None, limit: int) -> list[ConversationSummary]:
        """Return the user's conversations, newest first, one more than `limit` when there are more."""
        query: dict[str, Any] = {"user_id": user_id, "sequence": 1}
        if after is not None:
            query["conversation_id"] = {"$lt": after}
        with self._mongo.breaker.guard():
            firsts = list(self._turns.find(query).sort("conversation_id", DESCENDING).limit(limit + 1))
            lasts = self._last_turns([first["conversation_id"] for first in firsts])
        return [_conversation(first, lasts[first["conversation_id"]]) for first in firsts]

    def count(self, user_id: UUID) -> int:
        with self._mongo.breaker.guard():
            return self._turns.count_documents({"user_id": user_id, "sequence": 1})

    def turns(self, user_id: UUID, conversation_id: UUID, after: UUID | None, limit: int) -> list[StoredTurn]:
        """Return turns in order, from the one behind `after` (a turn's id). Raises: ConversationNotFound"""
        own = {"conversation_id": conversation_id, "user_id": user_id}
        with self._mongo.breaker.guard():
            start = self._turns.find_one(
                {**own, **({"_id": after} if after else {"sequence": 1})}, {"sequence": 1}
            )
            if start is None:
                raise ConversationNotFound
            query = {**own, "sequence": {"$gt" if after else "$gte": start["sequence"]}}
            found = list(self._turns.find(query).sort("sequence", ASCENDING).limit(limit + 1))
        return [_turn(document) for document in found]

    def _last_turns(self, conversation_ids: list[UUID]) -> dict[UUID, Document]:
        """Return number and time of the newest turn of each conversation."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {"conversation_id": {"$in": conversation_ids}}},
            {
                "$group": {
                    "_id": "$conversation_id",
                    "turns": {"$max": "$sequence"},
                    "last_message_at": {"$max": "$created_at"},
                }
            },
        ]
        return {last["_id"]: last for last in self._turns.aggregate(pipeline)}


def _conversation(first: Document, last: Document) -> ConversationSummary:
    return ConversationSummary(
        id=first["conversation_id"],
        course_id=first["course_id"],
        title=shorten(first["message"], _TITLE_CHARACTERS),
        turns=last["turns"],
        created_at=first["created_at"],
        last_message_at=last["last_message_at"],
    )


def _turn(document: Document) -> StoredTurn:
    reply = read_reply(document["reply"]) if document.get("reply") else None
    return StoredTurn(
        id=document["_id"],
        sequence=document["sequence"],
        client_message_id=document["client_message_id"],
        status=document["status"],
        message=document["message"],
        answer=reply.answer if reply is not None else None,
        answered=reply.answered if reply is not None else None,
        citations=reply.citations if reply is not None else [],
        created_at=document["created_at"],
        completed_at=document.get("completed_at"),
    )
