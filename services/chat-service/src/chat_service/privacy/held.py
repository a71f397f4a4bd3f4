"""Every table and collection of chat-service with data of people."""

from collections.abc import Sequence
from typing import Any

from chat_service.retention.archive import ArchiveHolding
from chat_service.tables import metadata
from chat_service.tutor.turn_store import COLLECTION
from cogniflow_kit.mongo import CollectionHolding, Mongo
from cogniflow_kit.people import Holding, PersonalData
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.people import TableHolding, plumbing

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
_UPDATED = "t.updated_by = :user_id"

WITHOUT_PEOPLE = frozenset(
    {
        *("programs", "program_versions", "weeks", "questions", "system_prompts", "week_content_blocks"),
        *("program_labels", "program_label_moves", "experiments", "experiment_arms"),
        *("retention_runs", "legacy_imports"),
        *("safety_accesses", "course_indexes", "lesson_chunks", "jobs"),
    }
)
"""Tables that hold programmes, lessons and work alone."""


def held(database: Database, mongo: Mongo, kept: Sequence[Holding] = ()) -> PersonalData:
    """`kept`: what is held outside the stores."""

    def table(name: str, **how: Any) -> TableHolding:
        return TableHolding(database, metadata.tables[f"chat.{name}"], **how)

    return PersonalData(
        [
            *kept,
            CollectionHolding(mongo, COLLECTION, hidden=("fingerprint", "outbox", "outbox_pending")),
            table("risk_reviews", owner=_OWN_DETECTION, hidden=("reviewer_id",)),
            *(table(name) for name in _OF_A_PERSON),
            ArchiveHolding(database),
            table("experiment_assignments"),
            table("turns", owner=_OWN_SESSION),
            table("sessions"),
            # What an admin decided stays, without their name on it.
            table("system_settings", owner=_UPDATED, keep="updated_by = NULL", hidden=("setting_value",)),
            table("system_setting_changes", owner="t.actor_id = :user_id", keep="actor_id = NULL"),
            *plumbing(database, metadata),
        ]
    )
