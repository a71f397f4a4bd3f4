"""The tutor's turns: checks access to the course, searches its lessons and answers from them."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import structlog

from chat_service.embedding import embed
from chat_service.safety.detection.detector import detect_risk
from chat_service.safety.detection.risk import Risk
from chat_service.turns.model import Message, Turn
from chat_service.turns.protocol import run_turn
from chat_service.tutor.answering import build_reply, statements
from chat_service.tutor.courses_client import Course, CoursesClient
from chat_service.tutor.errors import OtherCourse
from chat_service.tutor.lesson_index import LessonIndex
from chat_service.tutor.lesson_repository import LessonRepository, Question
from chat_service.tutor.replies import TutorReply
from chat_service.tutor.schemas import TutorMessage
from chat_service.tutor.turn_store import TutorAnalysis, TutorConversation, TutorTurnStore
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.identity import User
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)

INDEX_WITHIN_S = 8.0
"""How long a question waits for the indexing of its course. After that, the periodic job indexes it."""


class Tutor:
    """Answers from lessons, without a language model."""

    def __init__(
        self, database: Database, turns: TutorTurnStore, courses: CoursesClient, index: LessonIndex
    ) -> None:
        self._database = database
        self._turns = turns
        self._courses = courses
        self._index = index

    def ask(self, user: User, body: TutorMessage, locale: str) -> Turn[TutorReply]:
        """Run one turn. `locale` is for help places.

        Raises: as `run_turn`; NotEnrolled, OtherCourse, ConversationNotFound
        """
        message = Message(
            user_id=user.id,
            conversation_id=body.conversation_id,
            client_message_id=body.client_message_id,
            fingerprint=_fingerprint(body),
            text=body.message,
        )
        return run_turn(self._turns, _TutorEngine(self, user, body.course_id, locale), message)

    def accessible_course(self, user: User, course_id: UUID) -> Course:
        """Raises: NotEnrolled"""
        return self._courses.admit(course_id, user)

    def answer(self, course: Course, question: str, risk: Risk | None, locale: str) -> TutorReply:
        """Answer a question. Raises: Unavailable (the course is not indexed and cannot be now)"""
        self._refresh_index(course)
        embedded = Question(question, embed([question])[0])
        with self._database.transaction() as db:
            found = LessonRepository(db).search(course.id, embedded)
        return build_reply(course, found, statements(embedded, found), risk, locale)

    def _refresh_index(self, course: Course) -> None:
        """Index the present version of the course. When that fails, an older indexed version is used."""
        indexed = self._index.version(course.id)
        if indexed is not None and indexed >= course.version:
            return
        try:
            self._index.refresh(course.id, within_s=INDEX_WITHIN_S)
        except Unavailable:
            if indexed is None:
                raise
            log.warning("answering from an older version of the course", course_id=str(course.id))


class _TutorEngine:
    """The engine of the turn protocol for one message of one user about one course."""

    def __init__(self, tutor: Tutor, user: User, course_id: UUID, locale: str) -> None:
        self._tutor = tutor
        self._user = user
        self._course_id = course_id
        self._locale = locale

    def admit(self, conversation: TutorConversation) -> TutorConversation:
        if conversation.course_id not in (None, self._course_id):
            raise OtherCourse
        return replace(conversation, course=self._tutor.accessible_course(self._user, self._course_id))

    def analyze(self, message: Message, _: TutorConversation) -> TutorAnalysis:
        return TutorAnalysis(detect_risk(message.text, self._locale))

    def answer(
        self,
        message: Message,
        conversation: TutorConversation,
        analysis: TutorAnalysis,
        _: Callable[[], None],
    ) -> TutorReply:
        assert conversation.course is not None, "set by admit"
        return self._tutor.answer(conversation.course, message.text, analysis.risk, self._locale)


def _fingerprint(body: TutorMessage) -> str:
    return hashlib.sha256(body.model_dump_json(exclude={"client_message_id"}).encode()).hexdigest()
