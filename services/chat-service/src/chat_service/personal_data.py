"""Lists every table and collection of chat-service that holds personal data."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chat_service import tables
from chat_service.indexes import AI_CONVERSATIONS
from chat_service.platform.retention.partitions import ArchivedMessagesPersonalData
from cogniflow_kit.mongo import CollectionPersonalData, Mongo
from cogniflow_kit.personal_data import PersonalData, PersonalDataSource
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.personal_data import TablePersonalData, shared_tables

_OF_A_SESSION = (
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

ERASED_STAFF = UUID(int=0)
"""Id in columns that name staff and must not be null, after the erasure of that user."""
_STAFF_COLUMNS = {
    "program_versions": "published_by",
    "program_labels": "moved_by",
    "program_label_moves": "moved_by",
    "system_settings": "updated_by",
    "system_setting_changes": "actor_id",
    "risk_reviews": "reviewer_id",
}
_REQUIRED_STAFF_COLUMNS = {"experiments": "created_by", "safety_accesses": "reviewer_id"}
_NOT_EXPORTED_TO_STAFF = {
    "risk_reviews": ("detection_id", "note"),
    "safety_accesses": ("review_id",),
    "system_settings": ("setting_value",),
}

TABLES_WITHOUT_PERSONAL_DATA = frozenset(
    {
        *("programs", "weeks", "questions", "system_prompts", "week_content_blocks", "experiment_arms"),
        *("retention_runs", "legacy_imports", "course_indexes", "lesson_chunks", "jobs"),
    }
)
"""Tables that hold program content, lessons or jobs only."""


def personal_data(
    database: Database, mongo: Mongo, outside_stores: Sequence[PersonalDataSource] = ()
) -> PersonalData:
    """List the sources in the order of erasure. `outside_stores`: the spool, or sessions in memory."""

    def table(name: str, **options: Any) -> TablePersonalData:
        return TablePersonalData(database, tables.metadata.tables[f"chat.{name}"], **options)

    def staff(name: str, column: str, erased: str) -> TablePersonalData:
        owner = f"t.{column} = :user_id"
        return table(name, owner=owner, keep=erased, hidden=_NOT_EXPORTED_TO_STAFF.get(name, ()))

    return PersonalData(
        [
            *outside_stores,
            CollectionPersonalData(
                mongo, AI_CONVERSATIONS, hidden=("fingerprint", "outbox", "outbox_pending")
            ),
            table("risk_reviews", owner=_OWN_DETECTION, hidden=("reviewer_id",)),
            *(table(name, owner=_OWN_SESSION) for name in _OF_A_SESSION),
            ArchivedMessagesPersonalData(database),
            table("experiment_assignments"),
            table("turns", owner=_OWN_SESSION),
            table("sessions"),
            # Rows of actions by staff stay without the user's id. Exports omit whom the action was about.
            *(staff(name, column, f"{column} = NULL") for name, column in _STAFF_COLUMNS.items()),
            *(
                staff(name, column, f"{column} = '{ERASED_STAFF}'")
                for name, column in _REQUIRED_STAFF_COLUMNS.items()
            ),
            *shared_tables(database, tables.metadata),
        ]
    )
