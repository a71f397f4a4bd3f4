"""Every table and collection of courses-service with data of people."""

from typing import Any
from uuid import UUID

from cogniflow_kit.mongo import CollectionPersonalData, Mongo
from cogniflow_kit.personal_data import PersonalData
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.personal_data import TablePersonalData, shared_tables
from courses_service.indexes import QUIZ_ATTEMPTS
from courses_service.tables import Course, Enrollment, ImportReport, UserProgress, metadata

NOBODY = UUID(int=0)
"""Teaches the courses of an erased instructor: learners keep them, admins look after them."""

WITHOUT_PEOPLE = frozenset({"sections", "lessons", "quizzes", "questions", "choices", "jobs"})
"""Tables that hold course content and work alone."""


def personal_data(database: Database, mongo: Mongo) -> PersonalData:
    def table(
        model: type[Course | Enrollment | ImportReport | UserProgress], **how: Any
    ) -> TablePersonalData:
        return TablePersonalData(database, metadata.tables[f"courses.{model.__tablename__}"], **how)

    return PersonalData(
        [
            CollectionPersonalData(mongo, QUIZ_ATTEMPTS, hidden=("outbox", "outbox_pending")),
            table(UserProgress),
            table(Enrollment),
            table(ImportReport, owner="t.instructor_id = :user_id"),
            # With a new version no cached answer with the old id is used; it goes within an hour.
            table(
                Course,
                owner="t.instructor_id = :user_id",
                keep=f"instructor_id = '{NOBODY}', version = version + 1, updated_at = now()",
            ),
            *shared_tables(database, metadata),
        ]
    )
