"""MongoDB: writes are acknowledged by a majority and journaled; every operation has a time limit."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from pymongo import ASCENDING, MongoClient, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database as MongoDatabase
from pymongo.errors import ConnectionFailure, ExecutionTimeout, NotPrimaryError, WTimeoutError

from cogniflow_kit.events import Event, EventSender
from cogniflow_kit.personal_data import Key
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
            # For a whole operation: server selection, retries and response; shorter than the
            # timeout of callers of this service.
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
    """Create the partial index over documents with an undelivered event."""
    collection.create_index(
        [("outbox.id", ASCENDING)], name="outbox_pending", partialFilterExpression={"outbox_pending": True}
    )


def outbox_fields(event: Event) -> Mapping[str, Any]:
    """Fields that add an event to a document, written together with it."""
    return {"outbox": event.model_dump(), "outbox_pending": True}


class MongoOutbox:
    """Delivers the events in the documents of one collection."""

    def __init__(self, collection: Collection[Document]) -> None:
        self._collection = collection

    def relay_batch(self, deliver: EventSender) -> int:
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


class CollectionPersonalData:
    """The documents of one collection that belong to a user; see `cogniflow_kit.personal_data`.

    `owner`: field with the user's id. `hidden`: fields that exports omit.
    `keep`: update that anonymizes documents that must stay; without it erasure
    deletes the documents.
    """

    def __init__(
        self,
        mongo: Mongo,
        name: str,
        *,
        owner: str = "user_id",
        hidden: tuple[str, ...] = (),
        keep: list[Document] | None = None,
    ) -> None:
        self.store = f"mongodb.{name}"
        self._mongo = mongo
        self._collection = mongo.collection(name)
        self._owner = owner
        self._hidden = dict.fromkeys(hidden, 0)
        self._keep = keep

    def read(self, user_id: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        wanted: Document = {self._owner: user_id}
        if after is not None:
            wanted["_id"] = {"$gt": UUID(after[0])}
        with self._mongo.breaker.guard():
            found = list(self._collection.find(wanted, self._hidden).sort("_id", ASCENDING).limit(limit))
        return [([str(document["_id"])], document) for document in found]

    def erase(self, user_id: UUID) -> int:
        theirs = {self._owner: user_id}
        with self._mongo.breaker.guard():
            if self._keep is None:
                return self._collection.delete_many(theirs).deleted_count
            return self._collection.update_many(theirs, self._keep).modified_count
