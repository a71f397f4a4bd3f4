"""The record of a program session: its messages in order, its weeks, its answers."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class RecordedMessage:
    """One message. `run`: the run of its week, from 1; times are UTC.

    `sender` is user or nova, `message_type` text or voice. `recording_ref`
    names the recording of a spoken message; `text` is then its transcript.
    Messages imported from an older system may have no question.
    """

    sender: str
    text: str
    message_type: str
    recording_ref: str | None
    week_number: int
    week_title: str
    run: int
    question_number: int | None
    scenario: str | None
    iteration: int | None
    created_at: datetime


@dataclass(frozen=True)
class RecordedWeek:
    """One run of a week. `choices`: answers kept for later weeks, by name, such as selected_problem."""

    number: int
    title: str
    run: int
    started_at: datetime
    completed_at: datetime | None
    choices: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordedAnswer:
    """The answers to one question, in order: its iterations, then the answer to a follow-up.

    `question_text`: as the coach asked it. `completed`: false while the question
    is open; a skipped question is completed.
    """

    week_number: int
    run: int
    question_number: int
    question_text: str
    attempts: tuple[str, ...]
    completed: bool
    skipped: bool


@dataclass(frozen=True)
class SessionRecord:
    """Everything that a transcript shows. `program`: the program's slug; times are UTC."""

    session_id: UUID
    program: str
    program_version: int
    title: str
    coach: str
    participant: str
    locale: str
    started_at: datetime
    completed_at: datetime | None
    weeks: tuple[RecordedWeek, ...]
    messages: tuple[RecordedMessage, ...]
    answers: tuple[RecordedAnswer, ...]

    def of_week(self, number: int) -> "SessionRecord":
        """Return a record of one week only, with all its runs."""
        return replace(
            self,
            weeks=tuple(week for week in self.weeks if week.number == number),
            messages=tuple(message for message in self.messages if message.week_number == number),
            answers=tuple(answer for answer in self.answers if answer.week_number == number),
        )
