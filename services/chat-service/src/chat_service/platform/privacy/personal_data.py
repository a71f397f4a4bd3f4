"""Every table and collection of chat-service with data of people."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chat_service import tables
from chat_service.platform.retention.archived_messages import ArchivedMessagesPersonalData
from chat_service.tutor.turn_store import COLLECTION
from cogniflow_kit.mongo import CollectionPersonalData, Mongo
from cogniflow_kit.personal_data import PersonalData, PersonalDataSource
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.personal_data import TablePersonalData, shared_tables

_OF_A_PERSON = (
    "conversation_messages",
    "user_answers",
    "nova_responses",
    "validation_logs",
    "intent_classifications",
    "risk_detections",
    "user_responses",
    "session_summaries",
    "question_completions",
    "conversation_states",
    "user_progress",
)
_OWN_DETECTION = "t.detection_id IN (SELECT detection_id FROM chat.risk_detections WHERE user_id = :user_id)"
_OWN_SESSION = "t.session_id IN (SELECT session_id FROM chat.sessions WHERE user_id = :user_id)"
_NOBODY = UUID(int=0)
_STAFF = {
    "program_versions": "published_by",
    "program_labels": "moved_by",
    "program_label_moves": "moved_by",
    "system_settings": "updated_by",
    "system_setting_changes": "actor_id",
    "risk_reviews": "reviewer_id",
}
_ALWAYS_SOMEBODY = {"experiments": "created_by", "safety_accesses": "reviewer_id"}
_NOT_THEIRS = {
    "risk_reviews": ("detection_id", "note"),
    "safety_accesses": ("review_id",),
    "system_settings": ("setting_value",),
}

WITHOUT_PEOPLE = frozenset(
    {
        *("programs", "weeks", "questions", "system_prompts", "week_content_blocks", "experiment_arms"),
        *("retention_runs", "legacy_imports", "course_indexes", "lesson_chunks", "jobs"),
    }
)
"""Tables that hold programs, lessons and work alone."""


def personal_data(database: Database, mongo: Mongo, kept: Sequence[PersonalDataSource] = ()) -> PersonalData:
    """`kept`: what is held outside the stores."""

    def table(name: str, **how: Any) -> TablePersonalData:
        return TablePersonalData(database, tables.metadata.tables[f"chat.{name}"], **how)

    def staff(name: str, column: str, untied: str) -> TablePersonalData:
        owner = f"t.{column} = :user_id"
        return table(name, owner=owner, keep=untied, hidden=_NOT_THEIRS.get(name, ()))

    return PersonalData(
        [
            *kept,
            CollectionPersonalData(mongo, COLLECTION, hidden=("fingerprint", "outbox", "outbox_pending")),
            table("risk_reviews", owner=_OWN_DETECTION, hidden=("reviewer_id",)),
            *(table(name) for name in _OF_A_PERSON),
            ArchivedMessagesPersonalData(database),
            table("experiment_assignments"),
            table("turns", owner=_OWN_SESSION),
            table("sessions"),
            # What staff did stays, without their name on it; whom they did it to isn't told.
            *(staff(name, column, f"{column} = NULL") for name, column in _STAFF.items()),
            *(staff(name, column, f"{column} = '{_NOBODY}'") for name, column in _ALWAYS_SOMEBODY.items()),
            *shared_tables(database, tables.metadata),
        ]
    )
