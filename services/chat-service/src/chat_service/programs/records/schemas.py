"""Bodies of the routes of transcripts and summaries."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from chat_service.programs.records.record import SessionRecord
from chat_service.programs.sessions.summary import Summary
from cogniflow_kit.schemas import ResponseBody

TranscriptFormat = Literal["markdown", "json", "pdf"]
SummaryFormat = Literal["markdown", "json"]


class TranscribedMessage(ResponseBody):
    """`recording_ref` names the recording of a spoken message, of which `text` is the transcript."""

    sender: Literal["user", "nova"]
    text: str
    message_type: Literal["text", "voice"]
    recording_ref: str | None
    week_number: int
    week_title: str
    run: int
    question_number: int | None
    scenario: str | None
    iteration: int | None
    created_at: AwareDatetime


class TranscribedWeek(ResponseBody):
    """One run of a week; `choices` are what its answers kept, such as selected_problem."""

    number: int
    title: str
    run: int
    started_at: AwareDatetime
    completed_at: AwareDatetime | None
    choices: dict[str, str]


class TranscribedAnswer(ResponseBody):
    """A question as it was asked, and what was said to it: the attempts, then the answer to a follow-up."""

    week_number: int
    run: int
    question_number: int
    question_text: str
    attempts: list[str]
    completed: bool
    skipped: bool


class TranscriptOut(ResponseBody):
    """A session as data.

    `format_version` is raised when a field changes its meaning or goes; new
    fields may come at any time. Times carry the offset of `timezone`.
    """

    format: Literal["cogniflow-transcript"] = "cogniflow-transcript"
    format_version: Literal[1] = 1
    timezone: str
    session_id: UUID
    program: str
    program_version: int
    title: str
    coach: str
    participant: str
    locale: str
    started_at: AwareDatetime
    completed_at: AwareDatetime | None
    weeks: list[TranscribedWeek]
    messages: list[TranscribedMessage]
    answers: list[TranscribedAnswer]

    @classmethod
    def of(cls, record: SessionRecord, timezone: str) -> "TranscriptOut":
        return cls.model_validate({"timezone": timezone, **_in_zone(asdict(record), ZoneInfo(timezone))})


class SummaryOut(ResponseBody):
    """`generated_at`: when it was stored; null for one that was made for this answer alone."""

    session_id: UUID
    generated_at: AwareDatetime | None
    summary: Summary


def _in_zone(value: Any, zone: ZoneInfo) -> Any:
    """The same with every time in that zone."""
    if isinstance(value, datetime):
        return value.astimezone(zone)
    if isinstance(value, dict):
        return {name: _in_zone(part, zone) for name, part in value.items()}
    if isinstance(value, tuple):
        return [_in_zone(part, zone) for part in value]
    return value
