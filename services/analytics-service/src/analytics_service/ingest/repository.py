"""Writes events to the interaction log."""

from collections.abc import Sequence
from datetime import datetime

from pymongo.errors import BulkWriteError

from analytics_service.documents import INTERACTION_LOGS
from analytics_service.ingest.schemas import IncomingEvent
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.mongo import Document, Mongo

_DUPLICATE_KEY = 11000


class LogWriteFailed(Unavailable):
    """MongoDB reported an error for the batch. Repeating it is safe."""

    def __init__(self) -> None:
        super().__init__("The log could not take these events; send them again.")


def event_document(event: IncomingEvent, *, source: str, stored_at: datetime) -> Document:
    """The document of one event. Its `_id` is the event's id, so that no event is stored twice."""
    return {
        "_id": event.id,
        "type": event.type,
        "actor_id": event.actor_id,
        "course_id": event.data.course_id,
        "occurred_at": event.occurred_at,
        "stored_at": stored_at,
        "source": source,
        "data": event.data.model_dump(mode="json", exclude_unset=True),
    }


class InteractionLogRepository:
    """Only adds documents. A repeated event id keeps its first document."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._logs = mongo.collection(INTERACTION_LOGS)

    def add(self, documents: Sequence[Document]) -> None:
        """Return when a majority has all documents on disk. Raises: LogWriteFailed (some may be stored)."""
        try:
            with self._mongo.breaker.guard():
                self._logs.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            details = error.details
            only_duplicates = all(failure["code"] == _DUPLICATE_KEY for failure in details["writeErrors"])
            if details["writeConcernErrors"] or not only_duplicates:
                raise LogWriteFailed from error
