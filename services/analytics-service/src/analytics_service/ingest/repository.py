"""Writes the interaction log."""

from collections.abc import Sequence

from pymongo.errors import BulkWriteError

from analytics_service.documents import INTERACTION_LOGS
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.mongo import Document, Mongo

_DUPLICATE_KEY = 11000


class InteractionLog:
    """Append only; an id that is there already keeps its first document."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._logs = mongo.collection(INTERACTION_LOGS)

    def add(self, documents: Sequence[Document]) -> None:
        """Return when all are on disk; raises Unavailable when that isn't certain."""
        try:
            with self._mongo.breaker.guard():
                self._logs.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            outcome = error.details
            harmless = all(failure["code"] == _DUPLICATE_KEY for failure in outcome["writeErrors"])
            if outcome["writeConcernErrors"] or not harmless:
                raise Unavailable("The log could not take these events; send them again.") from error
