"""A transcript as people read it: weeks, their questions, who said what and when.

What Markdown and PDF show is decided here, once; they only set it.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from chat_service.programs.records.record import RecordedMessage, RecordedWeek, SessionRecord
from chat_service.programs.records.ui_texts import labels


@dataclass(frozen=True)
class Entry:
    """One message; `note` marks a spoken one. `own` are the participant's."""

    who: str
    when: str
    note: str | None
    text: str
    own: bool


@dataclass(frozen=True)
class Section:
    """A question and what was said to it."""

    heading: str | None
    entries: list[Entry]


@dataclass(frozen=True)
class Chapter:
    """One run of a week. `facts` are pairs of a label and a value."""

    heading: str
    facts: list[tuple[str, str]]
    sections: list[Section]


@dataclass(frozen=True)
class Document:
    title: str
    locale: str
    facts: list[tuple[str, str]]
    chapters: list[Chapter]
    remark: str | None


def transcript(record: SessionRecord, timezone: str) -> Document:
    """`timezone`: an IANA name; every time is given in it."""
    return _Writer(record, timezone).document()


class _Writer:
    def __init__(self, record: SessionRecord, timezone: str) -> None:
        self._record = record
        self._timezone = ZoneInfo(timezone)
        self._labels = labels(record.locale)
        self._weeks = {(week.number, week.run): week for week in record.weeks}
        self._restarted = {number for number, run in self._weeks if run > 1}

    def document(self) -> Document:
        record, words = self._record, self._labels
        # A restarted week is left and taken up again; what was said stays in order.
        runs = groupby(record.messages, key=lambda message: (message.week_number, message.run))
        return Document(
            title=f"{record.title}: {words['transcript']}",
            locale=record.locale,
            facts=[
                (words["participant"], record.participant),
                (words["begun"], self._moment(record.started_at)),
                (words["completed"], self._moment(record.completed_at)),
                (words["times"], self._timezone.key),
            ],
            chapters=[self._chapter(list(messages)) for _, messages in runs],
            remark=None if record.messages else words["empty"],
        )

    def _chapter(self, messages: list[RecordedMessage]) -> Chapter:
        first, words = messages[0], self._labels
        heading = f"{words['week'].format(number=first.week_number)}: {first.week_title}"
        if first.week_number in self._restarted:
            heading += f" ({words['run'].format(number=first.run)})"
        week = self._weeks.get((first.week_number, first.run))
        questions = groupby(messages, key=lambda message: message.question_number)
        return Chapter(
            heading=heading,
            facts=self._facts(week) if week else [],
            sections=[self._section(number, list(said)) for number, said in questions],
        )

    def _facts(self, week: RecordedWeek) -> list[tuple[str, str]]:
        kept = [(readable(key), value) for key, value in week.choices.items()]
        return [(self._labels["completed"], self._moment(week.completed_at)), *kept]

    def _section(self, question: int | None, said: list[RecordedMessage]) -> Section:
        heading = None if question is None else self._labels["question"].format(number=question)
        return Section(heading, [self._entry(message) for message in said])

    def _entry(self, message: RecordedMessage) -> Entry:
        own = message.sender == "user"
        return Entry(
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
            return self._labels["voice_unnamed"]
        return self._labels["voice"].format(reference=message.recording_ref)

    def _moment(self, moment: datetime | None) -> str:
        """Such as 2026-11-22 19:03, which every language reads alike."""
        if moment is None:
            return self._labels["not_completed"]
        return f"{moment.astimezone(self._timezone):%Y-%m-%d %H:%M}"


def readable(key: str) -> str:
    """The name of something kept, as words: `selected_problem` is "Selected problem"."""
    return key.replace("_", " ").capitalize()
