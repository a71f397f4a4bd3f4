"""The transcript of a program session for reading: weeks, questions, messages with speaker and time.

Markdown and PDF only format it; what they show is decided here.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from chat_service.programs.records.record import RecordedMessage, RecordedWeek, SessionRecord
from chat_service.programs.records.ui_texts import ui_texts


@dataclass(frozen=True)
class TranscriptMessage:
    """One message. `note`: says that it was spoken. `own`: it is the participant's."""

    who: str
    when: str
    note: str | None
    text: str
    own: bool


@dataclass(frozen=True)
class TranscriptQuestion:
    """A question and the messages about it."""

    heading: str | None
    entries: list[TranscriptMessage]


@dataclass(frozen=True)
class TranscriptWeek:
    """One run of a week. `facts`: pairs of a label and a value."""

    heading: str
    facts: list[tuple[str, str]]
    sections: list[TranscriptQuestion]


@dataclass(frozen=True)
class Transcript:
    title: str
    locale: str
    facts: list[tuple[str, str]]
    chapters: list[TranscriptWeek]
    remark: str | None


def build_transcript(record: SessionRecord, timezone: str) -> Transcript:
    """Build the transcript. `timezone`: IANA name of the zone of all times."""
    return _TranscriptBuilder(record, timezone).build()


class _TranscriptBuilder:
    def __init__(self, record: SessionRecord, timezone: str) -> None:
        self._record = record
        self._timezone = ZoneInfo(timezone)
        self._texts = ui_texts(record.locale)
        self._weeks = {(week.number, week.run): week for week in record.weeks}
        self._restarted = {number for number, run in self._weeks if run > 1}

    def build(self) -> Transcript:
        record, texts = self._record, self._texts
        # Messages stay in order, so a restarted week may appear again after another week.
        runs = groupby(record.messages, key=lambda message: (message.week_number, message.run))
        return Transcript(
            title=f"{record.title}: {texts['transcript']}",
            locale=record.locale,
            facts=[
                (texts["participant"], record.participant),
                (texts["begun"], self._moment(record.started_at)),
                (texts["completed"], self._moment(record.completed_at)),
                (texts["times"], self._timezone.key),
            ],
            chapters=[self._chapter(list(messages)) for _, messages in runs],
            remark=None if record.messages else texts["empty"],
        )

    def _chapter(self, messages: list[RecordedMessage]) -> TranscriptWeek:
        first, texts = messages[0], self._texts
        heading = f"{texts['week'].format(number=first.week_number)}: {first.week_title}"
        if first.week_number in self._restarted:
            heading += f" ({texts['run'].format(number=first.run)})"
        week = self._weeks.get((first.week_number, first.run))
        questions = groupby(messages, key=lambda message: message.question_number)
        return TranscriptWeek(
            heading=heading,
            facts=self._facts(week) if week else [],
            sections=[self._section(number, list(group)) for number, group in questions],
        )

    def _facts(self, week: RecordedWeek) -> list[tuple[str, str]]:
        kept = [(readable(key), value) for key, value in week.choices.items()]
        return [(self._texts["completed"], self._moment(week.completed_at)), *kept]

    def _section(self, question: int | None, messages: list[RecordedMessage]) -> TranscriptQuestion:
        heading = None if question is None else self._texts["question"].format(number=question)
        return TranscriptQuestion(heading, [self._entry(message) for message in messages])

    def _entry(self, message: RecordedMessage) -> TranscriptMessage:
        own = message.sender == "user"
        return TranscriptMessage(
            who=self._record.participant if own else self._record.coach,
            when=self._moment(message.created_at),
            note=self._note(message),
            text=message.text,
            own=own,
        )

    def _note(self, message: RecordedMessage) -> str | None:
        if message.message_type != "voice":
            return None
        if message.recording_ref is None:
            return self._texts["voice_unnamed"]
        return self._texts["voice"].format(reference=message.recording_ref)

    def _moment(self, moment: datetime | None) -> str:
        """Format a time as 2026-11-22 19:03, which is understood in every language."""
        if moment is None:
            return self._texts["not_completed"]
        return f"{moment.astimezone(self._timezone):%Y-%m-%d %H:%M}"


def readable(key: str) -> str:
    """Return the name of a kept answer as words: "Selected problem" for `selected_problem`."""
    return key.replace("_", " ").capitalize()
