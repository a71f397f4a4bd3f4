"""Reads the tutor's conversations; a running turn never keeps a reader waiting."""

from typing import Any
from uuid import UUID

from pymongo import ASCENDING, DESCENDING

from chat_service.indexes import AI_CONVERSATIONS
from chat_service.phrase_matching import shorten
from chat_service.tutor.errors import ConversationNotFound
from chat_service.tutor.schemas import ConversationOut, TurnOut
from cogniflow_kit.mongo import Document, Mongo

_TITLE_CHARACTERS = 80
_NOTHING_SAID: dict[str, Any] = {"answer": None, "answered": None, "citations": []}


class ConversationRepository:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._turns = mongo.collection(AI_CONVERSATIONS)

    def conversations(self, user_id: UUID, after: UUID | None, limit: int) -> list[ConversationOut]:
        """The person's conversations, newest first, one more than `limit` when there is more."""
        wanted: dict[str, Any] = {"user_id": user_id, "sequence": 1}
        if after is not None:
            wanted["conversation_id"] = {"$lt": after}
        with self._mongo.breaker.guard():
            heads = list(self._turns.find(wanted).sort("conversation_id", DESCENDING).limit(limit + 1))
            ends = self._ends([head["conversation_id"] for head in heads])
        return [_conversation(head, ends[head["conversation_id"]]) for head in heads]

    def count(self, user_id: UUID) -> int:
        with self._mongo.breaker.guard():
            return self._turns.count_documents({"user_id": user_id, "sequence": 1})

    def turns(self, user_id: UUID, conversation_id: UUID, after: UUID | None, limit: int) -> list[TurnOut]:
        """The turns in order, from behind the one with the id `after`. Raises ConversationNotFound."""
        own = {"conversation_id": conversation_id, "user_id": user_id}
        with self._mongo.breaker.guard():
            first = self._turns.find_one(
                {**own, **({"_id": after} if after else {"sequence": 1})}, {"sequence": 1}
            )
            if first is None:
                raise ConversationNotFound
            wanted = {**own, "sequence": {"$gt" if after else "$gte": first["sequence"]}}
            found = list(self._turns.find(wanted).sort("sequence", ASCENDING).limit(limit + 1))
        return [_turn(document) for document in found]

    def _ends(self, conversation_ids: list[UUID]) -> dict[UUID, Document]:
        """The number and time of each conversation's newest turn."""
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
        return {end["_id"]: end for end in self._turns.aggregate(pipeline)}


def _conversation(head: Document, end: Document) -> ConversationOut:
    return ConversationOut(
        id=head["conversation_id"],
        course_id=head["course_id"],
        title=shorten(head["message"], _TITLE_CHARACTERS),
        turns=end["turns"],
        created_at=head["created_at"],
        last_message_at=end["last_message_at"],
    )


def _turn(document: Document) -> TurnOut:
    reply = document.get("reply") or _NOTHING_SAID
    return TurnOut.model_validate(
        {
            **{
                name: document[name]
                for name in ("sequence", "client_message_id", "status", "message", "created_at")
            },
            "id": document["_id"],
            "completed_at": document.get("completed_at"),
            **{name: reply[name] for name in _NOTHING_SAID},
        }
    )
