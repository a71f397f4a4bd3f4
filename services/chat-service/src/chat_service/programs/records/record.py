"""A session as it is written down: every message in order, every week, every answer."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class RecordedMessage:
    """One thing that was said. `run` counts how often its week was begun, from 1; times are UTC.

    `sender` is user or nova, `message_type` text or voice. `recording_ref`
    names the recording of a spoken message, of which `text` is the
    transcript. Messages of an older system may belong to no question.
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
    """One run of a week. `choices` are what its answers kept, such as selected_problem."""

    number: int
    title: str
    run: int
    started_at: datetime
    completed_at: datetime | None
    choices: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordedAnswer:
    """What was said to a question, in order: the attempts, then the answer to a follow-up.

    `question_text` is what was asked. `completed` is false while the question
    is open; a skipped one is completed.
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
    """Everything that a transcript shows; times are UTC."""

    session_id: UUID
    program: str
    """The program's slug."""
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
        """The same with one week alone, all its runs."""
        return replace(
            self,
            weeks=tuple(week for week in self.weeks if week.number == number),
            messages=tuple(message for message in self.messages if message.week_number == number),
            answers=tuple(answer for answer in self.answers if answer.week_number == number),
        )
