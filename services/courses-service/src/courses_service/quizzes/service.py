"""Rules of quiz attempts."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.events import Event
from cogniflow_kit.identity import User
from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.schemas import PageRequest
from courses_service.course_access import CourseAccess, CourseAccessRepository
from courses_service.quizzes.errors import AttemptIdReused, AttemptInFlight
from courses_service.quizzes.grading import GivenAnswer, grade
from courses_service.quizzes.repository import AnswerKeyRepository, AttemptRepository, QuizAttempt


class Quizzes:
    """Grades and lists the quiz attempts of one user."""

    def __init__(
        self, db: Session, answer_keys: AnswerKeyRepository, attempts: AttemptRepository, user: User
    ) -> None:
        self._user = user
        self._access = CourseAccessRepository(db, user)
        self._answer_keys = answer_keys
        self._attempts = attempts

    def attempt(
        self, quiz_id: UUID, client_attempt_id: str, answers: Sequence[GivenAnswer]
    ) -> tuple[QuizAttempt, bool]:
        """Return the graded attempt, and whether it is new. A repeated attempt is not graded again.

        Raises: QuizNotFound, EnrollmentRequired, AnswerNotInQuiz, AttemptIdReused, AttemptInFlight.
        """
        access = self._access.for_quiz(quiz_id)
        access.require_study()
        existing = self._attempts.by_client_id(self._user.id, client_attempt_id)
        if existing is None:
            attempt = self._grade(access, quiz_id, client_attempt_id, answers)
            if self._attempts.add(attempt, self._event(attempt)):
                return attempt, True
            existing = self._attempts.by_client_id(self._user.id, client_attempt_id)
        if existing is None:
            # The other request's attempt exists, but the majority has not written it yet.
            raise AttemptInFlight
        if existing.quiz_id != quiz_id or existing.answers != tuple(answers):
            raise AttemptIdReused
        return existing, False

    def own_attempts(self, quiz_id: UUID, request: PageRequest) -> tuple[list[QuizAttempt], str | None]:
        """One page of the user's attempts, and the cursor of the next. Raises: as `attempt`."""
        self._access.for_quiz(quiz_id).require_study()
        return request.slice(self._attempts.page(self._user.id, quiz_id, request.after, request.limit))

    def _grade(
        self, access: CourseAccess, quiz_id: UUID, client_attempt_id: str, answers: Sequence[GivenAnswer]
    ) -> QuizAttempt:
        assert access.lesson_id is not None
        results = grade(self._answer_keys.of_quiz(quiz_id), answers)
        return QuizAttempt(
            id=new_id(),
            user_id=self._user.id,
            course_id=access.course_id,
            course_version=access.version,
            lesson_id=access.lesson_id,
            quiz_id=quiz_id,
            client_attempt_id=client_attempt_id,
            answers=tuple(answers),
            score=sum(result.correct for result in results),
            max_score=len(results),
            results=results,
            submitted_at=utc_now(),
        )

    def _event(self, attempt: QuizAttempt) -> Event:
        return Event(
            type="quiz.attempted",
            actor_id=self._user.id,
            data={
                "course_id": str(attempt.course_id),
                "lesson_id": str(attempt.lesson_id),
                "quiz_id": str(attempt.quiz_id),
                "attempt_id": str(attempt.id),
                "score": attempt.score,
                "max_score": attempt.max_score,
            },
        )
