"""Answer keys in PostgreSQL, attempts in MongoDB."""

from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from pymongo import ASCENDING
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from sqlalchemy import select
from sqlalchemy.orm import Session

from cogniflow_kit.events import Event
from cogniflow_kit.mongo import Document, Mongo, outbox_fields
from courses_service.indexes import QUIZ_ATTEMPTS
from courses_service.quizzes.grading import (
    GivenAnswer,
    GivenFeedback,
    GradedQuestion,
    KeyChoice,
    KeyQuestion,
)
from courses_service.tables import Choice, Question

_ANSWER_KEY = (
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


class AnswerKeyRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def of_quiz(self, quiz_id: UUID) -> list[KeyQuestion]:
        """The questions of a quiz in order, each with its choices."""
        rows = self._db.execute(_ANSWER_KEY.where(Question.quiz_id == quiz_id)).all()
        return [
            KeyQuestion(
                question_id,
                kind,
                explanation,
                tuple(KeyChoice(row.choice_id, row.is_correct, row.feedback) for row in choices),
            )
            for (question_id, kind, explanation), choices in groupby(rows, key=lambda row: tuple(row[:3]))
        ]


@dataclass(frozen=True)
class QuizAttempt:
    """One graded attempt. `client_attempt_id` is chosen by the client, unique among the user's attempts."""

    id: UUID
    user_id: UUID
    course_id: UUID
    course_version: int
    lesson_id: UUID
    quiz_id: UUID
    client_attempt_id: str
    answers: tuple[GivenAnswer, ...]
    score: int
    max_score: int
    results: tuple[GradedQuestion, ...]
    submitted_at: datetime


class AttemptRepository:
    """Reads use the read concern `majority`: an attempt that was read once can't be rolled back later."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._collection: Collection[Document] = mongo.collection(QUIZ_ATTEMPTS).with_options(
            read_concern=ReadConcern("majority")
        )

    def add(self, attempt: QuizAttempt, event: Event) -> bool:
        """Store the attempt and its event in one document. False if the user has used the
        `client_attempt_id` before."""
        with self._mongo.breaker.guard():
            try:
                self._collection.insert_one({**_document(attempt), **outbox_fields(event)})
            except DuplicateKeyError:
                return False
        return True

    def by_client_id(self, user_id: UUID, client_attempt_id: str) -> QuizAttempt | None:
        with self._mongo.breaker.guard():
            document = self._collection.find_one({"user_id": user_id, "client_attempt_id": client_attempt_id})
        return _attempt(document) if document is not None else None

    def page(self, user_id: UUID, quiz_id: UUID, after: UUID | None, limit: int) -> list[QuizAttempt]:
        """A user's attempts, oldest first; `limit + 1` of them if there is a next page."""
        own: Document = {"user_id": user_id, "quiz_id": quiz_id}
        if after is not None:
            own["_id"] = {"$gt": after}
        with self._mongo.breaker.guard():
            documents = list(self._collection.find(own).sort("_id", ASCENDING).limit(limit + 1))
        return [_attempt(document) for document in documents]


def _document(attempt: QuizAttempt) -> Document:
    fields = asdict(attempt)
    return {"_id": fields.pop("id"), **fields}


def _attempt(document: Document) -> QuizAttempt:
    """Read a document of any release; its form has not changed since the first one."""
    return QuizAttempt(
        id=document["_id"],
        user_id=document["user_id"],
        course_id=document["course_id"],
        course_version=document["course_version"],
        lesson_id=document["lesson_id"],
        quiz_id=document["quiz_id"],
        client_attempt_id=document["client_attempt_id"],
        answers=tuple(
            GivenAnswer(answer["question_id"], tuple(answer["choice_ids"])) for answer in document["answers"]
        ),
        score=document["score"],
        max_score=document["max_score"],
        results=tuple(_graded_question(result) for result in document["results"]),
        submitted_at=document["submitted_at"],
    )


def _graded_question(result: Document) -> GradedQuestion:
    return GradedQuestion(
        question_id=result["question_id"],
        correct=result["correct"],
        chosen_ids=tuple(result["chosen_ids"]),
        correct_ids=tuple(result["correct_ids"]),
        feedback=tuple(GivenFeedback(entry["choice_id"], entry["feedback"]) for entry in result["feedback"]),
        explanation=result["explanation"],
    )
