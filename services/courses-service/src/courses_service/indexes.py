"""The MongoDB collection of courses-service and its indexes."""

from pymongo import ASCENDING

from cogniflow_kit.mongo import Mongo, outbox_index

QUIZ_ATTEMPTS = "quiz_attempts"


def create_indexes(mongo: Mongo) -> None:
    """Create the indexes that are missing."""
    attempts = mongo.collection(QUIZ_ATTEMPTS)
    attempts.create_index(
        [("user_id", ASCENDING), ("client_attempt_id", ASCENDING)], name="client_attempt", unique=True
    )
    attempts.create_index(
        [("user_id", ASCENDING), ("quiz_id", ASCENDING), ("_id", ASCENDING)], name="own_attempts"
    )
    outbox_index(attempts)
