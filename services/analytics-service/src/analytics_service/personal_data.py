"""Lists every collection, table and key of analytics-service that holds personal data."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from analytics_service.documents import INTERACTION_LOGS
from analytics_service.presence.repository import PresenceRepository
from analytics_service.tables import metadata
from cogniflow_kit.ids import utc_now
from cogniflow_kit.mongo import CollectionPersonalData, Mongo
from cogniflow_kit.personal_data import Key, PersonalData
from cogniflow_kit.redis import RedisStore
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.personal_data import shared_tables

TABLES_WITHOUT_PERSONAL_DATA = frozenset({"course_analytics", "log_readings", "jobs"})
"""Tables that hold counts or jobs only."""

FIELDS_KEPT = (
    *("course_id", "lesson_id", "quiz_id", "lessons", "quizzes", "score", "max_score"),
    *("answered", "citations", "program", "program_version", "week", "question", "experiment_id", "outcome"),
)
"""Data fields that events of an erased user keep for statistics. Ids of sessions, conversations, turns
and attempts are removed: they would connect the events of one user with each other."""

_ANONYMIZE = [
    {
        "$set": {
            "actor_id": None,
            "data": {
                "$arrayToObject": {
                    "$filter": {
                        "input": {"$objectToArray": "$data"},
                        "cond": {"$in": ["$$this.k", list(FIELDS_KEPT)]},
                    }
                }
            },
        }
    }
]


class PresencePersonalData:
    """The user's entry in the presence set: at most one, which expires after two minutes."""

    store = "redis.presence"

    def __init__(self, users: PresenceRepository) -> None:
        self._users = users

    def read(self, user_id: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        seen_at = self._users.last_seen(user_id, utc_now())
        if seen_at is None or after is not None or limit == 0:
            return []
        return [([str(user_id)], {"user_id": user_id, "last_seen_at": seen_at})]

    def erase(self, user_id: UUID) -> int:
        return self._users.remove(user_id)


def personal_data(database: Database, mongo: Mongo, redis: RedisStore) -> PersonalData:
    return PersonalData(
        [
            CollectionPersonalData(mongo, INTERACTION_LOGS, owner="actor_id", keep=_ANONYMIZE),
            PresencePersonalData(PresenceRepository(redis)),
            *shared_tables(database, metadata),
        ]
    )
