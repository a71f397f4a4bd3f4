"""Response bodies of the routes of transcripts and summaries."""

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
    """`recording_ref`: names the recording of a spoken message; `text` is then its transcript."""

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
    """One run of a week. `choices`: answers kept for later weeks, such as selected_problem."""

    number: int
    title: str
    run: int
    started_at: AwareDatetime
    completed_at: AwareDatetime | None
    choices: dict[str, str]


class TranscribedAnswer(ResponseBody):
    """A question as it was asked, and its answers: the attempts, then the answer to a follow-up."""

    week_number: int
    run: int
    question_number: int
    question_text: str
    attempts: list[str]
    completed: bool
    skipped: bool


class TranscriptOut(ResponseBody):
    """A program session as data.

    `format_version` increases when a field is removed or changes its meaning;
    new fields may be added at any time. Times have the offset of `timezone`.
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
    """`generated_at`: when it was stored; null for a summary that is not stored."""

    session_id: UUID
    generated_at: AwareDatetime | None
    summary: Summary


def _in_zone(value: Any, zone: ZoneInfo) -> Any:
    """Convert every time to the zone."""
    if isinstance(value, datetime):
        return value.astimezone(zone)
    if isinstance(value, dict):
        return {name: _in_zone(part, zone) for name, part in value.items()}
    if isinstance(value, tuple):
        return [_in_zone(part, zone) for part in value]
    return value
