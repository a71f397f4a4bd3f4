"""Lists every table and collection of courses-service that holds personal data."""

from typing import Any
from uuid import UUID

from cogniflow_kit.mongo import CollectionPersonalData, Mongo
from cogniflow_kit.personal_data import PersonalData
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.personal_data import TablePersonalData, shared_tables
from courses_service.courses.course_copies import CourseCopies
from courses_service.indexes import QUIZ_ATTEMPTS
from courses_service.tables import Enrollment, ImportReport, UserProgress, metadata

ERASED_INSTRUCTOR = UUID(int=0)
"""Instructor id of courses whose instructor was erased. Learners keep such courses; admins edit them."""

TABLES_WITHOUT_PERSONAL_DATA = frozenset({"sections", "lessons", "quizzes", "questions", "choices", "jobs"})
"""Tables that hold course content or jobs only."""


class CoursesPersonalData(TablePersonalData):
    """The courses of an instructor. An erasure changes them, and so removes this process's copies."""

    def __init__(self, database: Database, copies: CourseCopies) -> None:
        super().__init__(
            database,
            metadata.tables["courses.courses"],
            owner="t.instructor_id = :user_id",
            # The new version makes responses cached with the old id unreachable; they expire within an hour.
            keep=f"instructor_id = '{ERASED_INSTRUCTOR}', version = version + 1, updated_at = now()",
        )
        self._copies = copies

    def erase(self, user_id: UUID) -> int:
        erased = super().erase(user_id)
        self._copies.clear()
        return erased


def personal_data(database: Database, mongo: Mongo, copies: CourseCopies) -> PersonalData:
    def table(model: type[Enrollment | ImportReport | UserProgress], **options: Any) -> TablePersonalData:
        return TablePersonalData(database, metadata.tables[f"courses.{model.__tablename__}"], **options)

    return PersonalData(
        [
            CollectionPersonalData(mongo, QUIZ_ATTEMPTS, hidden=("outbox", "outbox_pending")),
            table(UserProgress),
            table(Enrollment),
            table(ImportReport, owner="t.instructor_id = :user_id"),
            CoursesPersonalData(database, copies),
            *shared_tables(database, metadata),
        ]
    )
