"""The tutor: lets in who belongs to the course, finds what its lessons say, and says only that."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import structlog

from chat_service.embedding import embed
from chat_service.safety.detection.detector import detect_risk
from chat_service.safety.detection.risk import Risk
from chat_service.turns.model import Message
from chat_service.turns.protocol import run_turn
from chat_service.tutor.answering import statements
from chat_service.tutor.courses import Course, CoursesClient
from chat_service.tutor.errors import OtherCourse
from chat_service.tutor.index import LessonIndex
from chat_service.tutor.replies import reply
from chat_service.tutor.schemas import TutorAnswer, TutorMessage, TutorReply
from chat_service.tutor.search import Question, search
from chat_service.tutor.turn_store import TutorAnalysis, TutorConversation, TutorTurnStore
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.identity import User
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)

INDEX_WITHIN_S = 8.0
"""How long a question waits for its course to be indexed; the periodic job goes on with it after that."""


class Tutor:
    """Answers by the lessons alone, without a language model."""

    def __init__(
        self, database: Database, turns: TutorTurnStore, courses: CoursesClient, index: LessonIndex
    ) -> None:
        self._database = database
        self._turns = turns
        self._courses = courses
        self._index = index

    def ask(self, user: User, body: TutorMessage) -> TutorAnswer:
        """One turn. Raises what `run_turn` raises, NotEnrolled, OtherCourse and ConversationNotFound."""
        message = Message(
            user_id=user.id,
            conversation_id=body.conversation_id,
            client_message_id=body.client_message_id,
            fingerprint=_fingerprint(body),
            text=body.message,
        )
        turn = run_turn(self._turns, _Engine(self, user, body.course_id), message)
        return TutorAnswer.model_validate(
            {
                **(turn.reply or {}),
                "conversation_id": turn.conversation_id,
                "turn_id": turn.id,
                "sequence": turn.sequence,
            }
        )

    def course_of(self, user: User, course_id: UUID) -> Course:
        return self._courses.admit(course_id, user)

    def answer(self, course: Course, question: str, risk: Risk | None) -> TutorReply:
        """Raises Unavailable while the course isn't indexed and can't be."""
        self._bring_index_up_to(course)
        asked = Question(question, embed([question])[0])
        with self._database.transaction() as session:
            found = search(session, course.id, asked)
        return reply(course, found, statements(asked, found), risk)

    def _bring_index_up_to(self, course: Course) -> None:
        """Read what changed; where that fails, an older reading is better than none."""
        indexed = self._index.version(course.id)
        if indexed is not None and indexed >= course.version:
            return
        try:
            self._index.refresh(course.id, within_s=INDEX_WITHIN_S)
        except Unavailable:
            if indexed is None:
                raise
            log.warning("answering from an older version of the course", course_id=str(course.id))


class _Engine:
    """The tutor for one person's message about one course."""

    def __init__(self, tutor: Tutor, user: User, course_id: UUID) -> None:
        self._tutor = tutor
        self._user = user
        self._course_id = course_id

    def admit(self, conversation: TutorConversation) -> TutorConversation:
        if conversation.course_id not in (None, self._course_id):
            raise OtherCourse
        return replace(conversation, course=self._tutor.course_of(self._user, self._course_id))

    def analyze(self, message: Message, _: TutorConversation) -> TutorAnalysis:
        return TutorAnalysis(detect_risk(message.text))

    def answer(
        self,
        message: Message,
        conversation: TutorConversation,
        analysis: TutorAnalysis,
        _: Callable[[], None],
    ) -> TutorReply:
        assert conversation.course is not None, "admitted with its course"
        return self._tutor.answer(conversation.course, message.text, analysis.risk)


def _fingerprint(body: TutorMessage) -> str:
    said = body.model_dump_json(exclude={"client_message_id"})
    return hashlib.sha256(said.encode()).hexdigest()
