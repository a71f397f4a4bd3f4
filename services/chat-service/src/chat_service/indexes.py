"""Indexes of the documents in MongoDB, created where they are missing."""

from pymongo import ASCENDING, DESCENDING

from chat_service.tutor.turn_store import COLLECTION
from cogniflow_kit.mongo import Mongo, outbox_index


def ensure_indexes(mongo: Mongo) -> None:
    """The unique ones are what the turn protocol stands on; see `tutor/turn_store.py`."""
    turns = mongo.collection(COLLECTION)
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
