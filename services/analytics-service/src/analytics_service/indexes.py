"""The MongoDB indexes of analytics-service, one for each way the log is asked."""

from pymongo import ASCENDING, IndexModel

from analytics_service.documents import INTERACTION_LOGS
from cogniflow_kit.mongo import Mongo

# The first two hold every field that their counts need, so that counting reads no document.
_INTERACTION_LOGS = {
    "course_time": ("course_id", "occurred_at", "type", "actor_id"),
    "time_course": ("occurred_at", "course_id", "type", "actor_id"),
    # One person's: the streak, an export, an erasure.
    "person_time": ("actor_id", "occurred_at", "type"),
    "stored": ("stored_at", "occurred_at"),
}


def create_indexes(mongo: Mongo) -> None:
    """Create what is missing; replicas may do so at the same time."""
    mongo.collection(INTERACTION_LOGS).create_indexes(
        [
            IndexModel([(field, ASCENDING) for field in fields], name=name)
            for name, fields in _INTERACTION_LOGS.items()
        ]
    )
