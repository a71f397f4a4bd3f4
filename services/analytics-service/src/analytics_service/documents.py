"""The MongoDB documents of analytics-service."""

from datetime import datetime

from analytics_service.ingest.schemas import IncomingEvent
from cogniflow_kit.mongo import Document

INTERACTION_LOGS = "interaction_logs"

# Nobody learns by these: their actor counts as no learner.
STAFF_TYPES = ("course.imported",)


def interaction_log(event: IncomingEvent, *, source: str, stored_at: datetime) -> Document:
    """One event of the log. The event's id is the document's, so no event is stored twice."""
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
