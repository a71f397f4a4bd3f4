"""Transcripts and summaries of program sessions that are kept in memory."""

from uuid import UUID

from chat_service.programs.content.model import SKIPPED
from chat_service.programs.records.record import RecordedAnswer, RecordedMessage, RecordedWeek, SessionRecord
from chat_service.programs.records.schemas import SummaryOut
from chat_service.programs.records.service import Records
from chat_service.programs.sessions.memory.store import MemoryMessage, MemorySession, MemoryStore, MemoryWeek
from chat_service.programs.sessions.summary import summarize, unquoted
from cogniflow_kit.ids import utc_now


class MemoryRecords(Records):
    """`Records` without PostgreSQL. Stored summaries end with the process, as the program sessions do."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._kept: dict[tuple[UUID, int], SummaryOut] = {}

    def record(self, user_id: UUID, session_id: UUID, week: int | None = None) -> SessionRecord:
        with self._store.session(session_id, user_id) as stored:
            record = _record(stored)
        return record if week is None else record.of_week(week)

    def summary(self, user_id: UUID, session_id: UUID) -> SummaryOut:
        with self._store.session(session_id, user_id) as stored:
            summary = summarize(stored.program, stored.state)
            return SummaryOut(session_id=session_id, generated_at=stored.completed_at, summary=summary)

    def keep_summary(self, user_id: UUID, session_id: UUID) -> tuple[SummaryOut, bool]:
        with self._store.session(session_id, user_id) as stored:
            state = (session_id, stored.state.version)
            if state in self._kept:
                return self._kept[state], False
            summary = summarize(stored.program, stored.state)
            found = SummaryOut(session_id=session_id, generated_at=utc_now(), summary=summary)
            self._kept[state] = found
            return found, True


def _record(stored: MemorySession) -> SessionRecord:
    session_state, program = stored.state, stored.program
    return SessionRecord(
        session_id=session_state.session_id,
        program=program.slug,
        program_version=program.version,
        title=program.title,
        coach=program.coach,
        participant=session_state.name,
        locale=session_state.locale,
        started_at=session_state.created_at,
        completed_at=stored.completed_at,
        weeks=tuple(_week(stored, week) for week in _ordered(stored)),
        messages=tuple(_message(stored, message) for message in stored.messages),
        answers=tuple(answer for week in _ordered(stored) for answer in _answers(stored, week)),
    )


def _ordered(stored: MemorySession) -> list[MemoryWeek]:
    numbers = {week.week_id: week.week_number for week in stored.program.weeks}
    return sorted(stored.weeks, key=lambda week: (numbers[week.state.week_id], week.state.run))


def _week(stored: MemorySession, week: MemoryWeek) -> RecordedWeek:
    content, state = stored.program.week(week.state.week_id), week.state
    return RecordedWeek(
        content.week_number,
        content.title,
        state.run,
        week.started_at,
        week.completed_at,
        dict(state.data.choices),
    )


def _message(stored: MemorySession, memory_message: MemoryMessage) -> RecordedMessage:
    message = memory_message.message
    content = stored.program.week_numbered(message.week)
    return RecordedMessage(
        sender=message.sender,
        text=message.message_text,
        message_type=message.message_type,
        recording_ref=message.recording_ref,
        week_number=message.week,
        week_title=content.title if content is not None else "",
        run=message.run,
        question_number=message.question_number,
        scenario=memory_message.scenario,
        iteration=memory_message.iteration,
        created_at=message.created_at,
    )


def _answers(stored: MemorySession, week: MemoryWeek) -> list[RecordedAnswer]:
    content, data = stored.program.week(week.state.week_id), week.state.data
    asked = _asked(stored, content.week_number, week.state.run)
    found = []
    for question in content.questions:
        number = question.question_number
        followup = data.followups.get(str(number))
        attempts = (*data.answers_to(number), *([followup] if followup is not None else []))
        if attempts or data.is_completed(number):
            found.append(
                RecordedAnswer(
                    week_number=content.week_number,
                    run=week.state.run,
                    question_number=number,
                    question_text=asked.get(number, unquoted(question.question_text, stored.state.name)),
                    attempts=attempts,
                    completed=data.is_completed(number),
                    skipped=data.scenario_of(number) == SKIPPED,
                )
            )
    return found


def _asked(stored: MemorySession, week_number: int, run: int) -> dict[int, str]:
    """Return the text of each question as the coach asked it: the coach's first message of that question."""
    asked: dict[int, str] = {}
    for message in (memory_message.message for memory_message in stored.messages):
        here = (message.week, message.run) == (week_number, run)
        if here and message.sender == "nova" and message.question_number is not None:
            asked.setdefault(message.question_number, message.message_text)
    return asked
