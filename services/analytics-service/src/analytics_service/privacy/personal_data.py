"""Every collection, table and key of analytics-service with data of people."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from analytics_service.documents import INTERACTION_LOGS
from analytics_service.presence.repository import Sightings
from analytics_service.tables import metadata
from cogniflow_kit.ids import utc_now
from cogniflow_kit.mongo import CollectionPersonalData, Mongo
from cogniflow_kit.personal_data import Key, PersonalData
from cogniflow_kit.redis import RedisStore
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.personal_data import shared_tables

WITHOUT_PEOPLE = frozenset({"course_analytics", "log_readings", "jobs"})
"""Tables that hold counts and work alone."""

COUNTED = (
    *("course_id", "lesson_id", "quiz_id", "lessons", "quizzes", "score", "max_score"),
    *("answered", "citations", "program", "program_version", "week", "question", "experiment_id", "outcome"),
)
"""What an event of an erased person keeps: statistics need it, and it belongs to nobody. Ids of
sessions, conversations, turns and attempts go, because they tie one person's events together."""

_UNLINK = [
    {
        "$set": {
            "actor_id": None,
            "data": {
                "$arrayToObject": {
                    "$filter": {
                        "input": {"$objectToArray": "$data"},
                        "cond": {"$in": ["$$this.k", list(COUNTED)]},
                    }
                }
            },
        }
    }
]


class PresencePersonalData:
    """Who is online, in Redis: at most one entry, which forgets itself in two minutes."""

    store = "redis.presence"

    def __init__(self, sightings: Sightings) -> None:
        self._sightings = sightings

    def read(self, user_id: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        seen_at = self._sightings.of(user_id, utc_now())
        if seen_at is None or after is not None or limit == 0:
            return []
        return [([str(user_id)], {"user_id": user_id, "last_seen_at": seen_at})]

    def erase(self, user_id: UUID) -> int:
        return self._sightings.forget(user_id)


def personal_data(database: Database, mongo: Mongo, redis: RedisStore) -> PersonalData:
    return PersonalData(
        [
            CollectionPersonalData(mongo, INTERACTION_LOGS, owner="actor_id", keep=_UNLINK),
            PresencePersonalData(Sightings(redis)),
            *shared_tables(database, metadata),
        ]
    )
