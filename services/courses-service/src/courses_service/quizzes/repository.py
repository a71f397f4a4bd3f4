"""Answer keys in PostgreSQL, attempts in MongoDB."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

from pymongo import ASCENDING
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from sqlalchemy import select
from sqlalchemy.orm import Session

from cogniflow_kit.mongo import Document, Mongo
from courses_service.indexes import QUIZ_ATTEMPTS
from courses_service.quizzes.grading import KeyChoice, KeyQuestion
from courses_service.tables import Choice, Question

_KEY = (
    select(
        Question.id,
        Question.kind,
        Question.explanation,
        Choice.id.label("choice_id"),
        Choice.is_correct,
        Choice.feedback,
    )
    .join(Choice, Choice.question_id == Question.id)
    .order_by(Question.position, Choice.position)
)


class AnswerKeys:
    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, quiz_id: UUID) -> list[KeyQuestion]:
        """Questions in order, each with its choices."""
        rows = self._session.execute(_KEY.where(Question.quiz_id == quiz_id)).all()
        return [
            KeyQuestion(
                question_id,
                kind,
                explanation,
                tuple(KeyChoice(row.choice_id, row.is_correct, row.feedback) for row in choices),
            )
            for (question_id, kind, explanation), choices in groupby(rows, key=lambda row: tuple(row[:3]))
        ]


class Attempts:
    """Reads see only what a majority has on disk: what they show is never taken back."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._collection: Collection[Document] = mongo.collection(QUIZ_ATTEMPTS).with_options(
            read_concern=ReadConcern("majority")
        )

    def add(self, document: Mapping[str, Any]) -> bool:
        """False when this client's attempt is there already."""
        with self._mongo.breaker.guard():
            try:
                self._collection.insert_one(dict(document))
            except DuplicateKeyError:
                return False
        return True

    def by_client_id(self, user_id: UUID, client_attempt_id: str) -> Document | None:
        with self._mongo.breaker.guard():
            return self._collection.find_one({"user_id": user_id, "client_attempt_id": client_attempt_id})

    def page(self, user_id: UUID, quiz_id: UUID, after: UUID | None, limit: int) -> list[Document]:
        """In the order they were made, one more than `limit` when there is more."""
        own: Document = {"user_id": user_id, "quiz_id": quiz_id}
        if after is not None:
            own["_id"] = {"$gt": after}
        with self._mongo.breaker.guard():
            return list(self._collection.find(own).sort("_id", ASCENDING).limit(limit + 1))
