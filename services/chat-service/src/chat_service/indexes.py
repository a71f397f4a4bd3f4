"""The MongoDB collection of chat-service and its indexes."""

from pymongo import ASCENDING, DESCENDING

from cogniflow_kit.mongo import Mongo, outbox_index

AI_CONVERSATIONS = "ai_conversations"


def create_indexes(mongo: Mongo) -> None:
    """Create the indexes that are missing. The unique ones are part of the turn protocol."""
    turns = mongo.collection(AI_CONVERSATIONS)
    turns.create_index(
        [("conversation_id", ASCENDING), ("sequence", ASCENDING)], name="sequence", unique=True
    )
    turns.create_index(
        [("conversation_id", ASCENDING)],
        name="running",
        unique=True,
        partialFilterExpression={"status": "running"},
    )
    turns.create_index(
        [("user_id", ASCENDING), ("client_message_id", ASCENDING)], name="client_message", unique=True
    )
    turns.create_index(
        [("user_id", ASCENDING), ("conversation_id", DESCENDING)],
        name="conversations",
        partialFilterExpression={"sequence": 1},
    )
    turns.create_index(
        [("lease_expires_at", ASCENDING)], name="lease", partialFilterExpression={"status": "running"}
    )
    outbox_index(turns)
