"""Every table of chat-service in PostgreSQL, by what it is about.

The tutor's conversations are documents in MongoDB. Names of tables and
columns are those of the systems that CogniFlow replaces.
"""

from chat_service.tables.base import Base, metadata
from chat_service.tables.conversation import (
    ConversationMessage,
    IntentClassification,
    NovaResponse,
    UserAnswer,
    UserResponse,
    ValidationLog,
)
from chat_service.tables.governance import LegacyImport, RetentionRun, SystemSetting, SystemSettingChange
from chat_service.tables.lessons import EMBEDDING_DIMENSIONS, CourseIndex, LessonChunk
from chat_service.tables.programs import (
    Experiment,
    ExperimentArm,
    ExperimentAssignment,
    Program,
    ProgramLabel,
    ProgramLabelMove,
    ProgramVersion,
    Question,
    SystemPrompt,
    Week,
    WeekContentBlock,
)
from chat_service.tables.safety import RiskDetection, RiskReview, SafetyAccess
from chat_service.tables.sessions import (
    ConversationState,
    ProgramSession,
    ProgramTurn,
    QuestionCompletion,
    SessionSummary,
    UserProgress,
)
from cogniflow_kit.sql.tables import add_shared_tables

__all__ = [
    "EMBEDDING_DIMENSIONS",
    "Base",
    "ConversationMessage",
    "ConversationState",
    "CourseIndex",
    "Experiment",
    "ExperimentArm",
    "ExperimentAssignment",
    "IntentClassification",
    "LegacyImport",
    "LessonChunk",
    "NovaResponse",
    "Program",
    "ProgramLabel",
    "ProgramLabelMove",
    "ProgramSession",
    "ProgramTurn",
    "ProgramVersion",
    "Question",
    "QuestionCompletion",
    "RetentionRun",
    "RiskDetection",
    "RiskReview",
    "SafetyAccess",
    "SessionSummary",
    "SystemPrompt",
    "SystemSetting",
    "SystemSettingChange",
    "UserAnswer",
    "UserProgress",
    "UserResponse",
    "ValidationLog",
    "Week",
    "WeekContentBlock",
    "metadata",
]

add_shared_tables(metadata)
