"""The MongoDB indexes of analytics-service, one for each query on the log."""

from pymongo import ASCENDING, IndexModel

from analytics_service.documents import INTERACTION_LOGS
from cogniflow_kit.mongo import Mongo

# The first two contain every field that their counts need, so that counting reads no document.
_INTERACTION_LOGS = {
    "course_time": ("course_id", "occurred_at", "type", "actor_id"),
    "time_course": ("occurred_at", "course_id", "type", "actor_id"),
    # For one user: streak, export, erasure.
    "person_time": ("actor_id", "occurred_at", "type"),
    "stored": ("stored_at", "occurred_at"),
}


def create_indexes(mongo: Mongo) -> None:
    """Create the indexes that are missing. Several replicas may do so at the same time."""
    mongo.collection(INTERACTION_LOGS).create_indexes(
        [
            IndexModel([(field, ASCENDING) for field in fields], name=name)
            for name, fields in _INTERACTION_LOGS.items()
        ]
    )
