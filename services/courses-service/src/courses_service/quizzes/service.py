"""Rules of quiz attempts."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.events import Event
from cogniflow_kit.identity import User
from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.mongo import Document, Mongo, outbox_fields
from cogniflow_kit.schemas import Page, PageRequest
from courses_service.access import Access, Gate
from courses_service.quizzes.errors import AttemptIdReused, AttemptInFlight
from courses_service.quizzes.grading import grade
from courses_service.quizzes.repository import AnswerKeys, Attempts
from courses_service.quizzes.schemas import AttemptOut, NewAttempt


class Quizzes:
    def __init__(self, session: Session, mongo: Mongo, user: User) -> None:
        self._user = user
        self._gate = Gate(session, user)
        self._keys = AnswerKeys(session)
        self._attempts = Attempts(mongo)

    def attempt(self, quiz_id: UUID, new: NewAttempt) -> tuple[AttemptOut, bool]:
        """The graded attempt, and whether it is new; a repeated one is never graded again."""
        access = self._gate.quiz(quiz_id)
        access.require_study()
        before = self._attempts.by_client_id(self._user.id, new.client_attempt_id)
        if before is None:
            document = self._document(access, quiz_id, new)
            if self._attempts.add(document):
                return _shown(document), True
            before = self._attempts.by_client_id(self._user.id, new.client_attempt_id)
        if before is None:
            raise AttemptInFlight("The first request with this client_attempt_id is still running.")
        if before["quiz_id"] != quiz_id or before["answers"] != _answers(new):
            raise AttemptIdReused("This client_attempt_id was used for other answers.")
        return _shown(before), False

    def own_attempts(self, quiz_id: UUID, request: PageRequest) -> Page[AttemptOut]:
        self._gate.quiz(quiz_id).require_study()
        found = self._attempts.page(self._user.id, quiz_id, request.after, request.limit)
        items, next_cursor = request.slice([_shown(document) for document in found])
        return Page(items=items, next_cursor=next_cursor)

    def _document(self, access: Access, quiz_id: UUID, new: NewAttempt) -> Document:
        results = grade(self._keys.of(quiz_id), new.answers)
        score, attempt_id = sum(result.correct for result in results), new_id()
        places = {"course_id": access.course_id, "lesson_id": access.lesson_id, "quiz_id": quiz_id}
        fact = Event(
            type="quiz.attempted",
            actor_id=self._user.id,
            data={name: str(place) for name, place in places.items()}
            | {"attempt_id": str(attempt_id), "score": score, "max_score": len(results)},
        )
        return {
            "_id": attempt_id,
            "user_id": self._user.id,
            **places,
            "course_version": access.version,
            "client_attempt_id": new.client_attempt_id,
            "answers": _answers(new),
            "score": score,
            "max_score": len(results),
            "results": [result.model_dump() for result in results],
            "submitted_at": utc_now(),
            **outbox_fields(fact),
        }


def _answers(new: NewAttempt) -> list[dict[str, Any]]:
    return [answer.model_dump() for answer in new.answers]


def _shown(document: Document) -> AttemptOut:
    return AttemptOut.model_validate({**document, "id": document["_id"]})
