"""MongoDB: acknowledged by the majority and on disk, or refused in time."""

from collections.abc import Mapping
from typing import Any

import structlog
from pymongo import ASCENDING, MongoClient, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database as MongoDatabase
from pymongo.errors import ConnectionFailure, ExecutionTimeout, NotPrimaryError, WTimeoutError

from cogniflow_kit.events import Deliver, Event
from cogniflow_kit.stores import Breaker, Outage

log = structlog.stdlib.get_logger(__name__)

Document = dict[str, Any]
BATCH = 200


class Mongo:
    """A service's own database on the replica set named by the URL."""

    name = "mongodb"
    outage: Outage = (ConnectionFailure, ExecutionTimeout, NotPrimaryError, WTimeoutError)

    def __init__(self, url: str) -> None:
        self._client: MongoClient[Document] = MongoClient(
            url,
            # The whole of an operation: finding the server, retries, the answer.
            # Shorter than what callers of this service wait.
            timeoutMS=3000,
            connectTimeoutMS=2000,
            maxPoolSize=20,
            tz_aware=True,
            uuidRepresentation="standard",
        )
        self.database: MongoDatabase[Document] = self._client.get_default_database(
            write_concern=WriteConcern(w="majority", j=True)
        )
        self.breaker = Breaker(self.name, self.outage)

    def collection(self, name: str) -> Collection[Document]:
        return self.database[name]

    def check(self) -> None:
        self._client.admin.command("ping")

    def close(self) -> None:
        self._client.close()


def outbox_index(collection: Collection[Document]) -> None:
    """The small index over documents whose fact is still to be delivered."""
    collection.create_index(
        [("outbox.id", ASCENDING)],
        name="outbox_pending",
        partialFilterExpression={"outbox_pending": True},
    )


def outbox_fields(event: Event) -> Mapping[str, Any]:
    """What a document carries so that its fact is delivered: same write, same fate."""
    return {"outbox": event.model_dump(), "outbox_pending": True}


class MongoOutbox:
    """Relays facts flagged in the documents of one collection."""

    def __init__(self, collection: Collection[Document]) -> None:
        self._collection = collection

    def relay_batch(self, deliver: Deliver) -> int:
        pending = (
            self._collection.find({"outbox_pending": True}, {"outbox": 1}).sort("outbox.id").limit(BATCH)
        )
        documents = list(pending)
        if not documents:
            return 0
        outcome = deliver([Event.model_validate(document["outbox"]) for document in documents])
        ids = [document["_id"] for document in documents]
        self._collection.update_many({"_id": {"$in": ids}}, {"$unset": {"outbox_pending": ""}})
        for refusal in outcome.rejected:
            log.error("event rejected", event_id=str(refusal.id), reason=refusal.reason)
            self._collection.update_one(
                {"outbox.id": refusal.id}, {"$set": {"outbox_rejected": refusal.reason}}
            )
        return len(documents)
