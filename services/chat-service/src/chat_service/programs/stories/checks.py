"""Compares the result of a message with the story's expectation, and describes differences for authors."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chat_service.phrase_matching import shorten
from chat_service.programs.coach.coach import CoachReply
from chat_service.programs.coach.next_step import NextStep
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn import MessageAnalysis, TurnResult
from chat_service.programs.stories.format import Expectation, ExpectedQuestion

_QUOTED_CHARACTERS = 400
_APOSTROPHES = str.maketrans("’‘“”", "''\"\"")


@dataclass(frozen=True)
class MessageResult:
    """The result of one message of a story, and the program session before it."""

    program_session: ProgramSession
    analysis: MessageAnalysis
    result: TurnResult

    @property
    def coach_reply(self) -> CoachReply:
        return self.result.coach_reply

    @property
    def next_step(self) -> NextStep:
        return self.result.next_step

    @property
    def kept(self) -> dict[str, str]:
        weeks = self.next_step.state.weeks
        return {key: text for week in weeks for key, text in week.data.choices.items()}

    @property
    def spoken_text(self) -> str:
        """Everything that the coach says: its reply and the next question."""
        asked = self.next_step.text if self.next_step.asks_question else None
        return "\n\n".join(filter(None, [self.coach_reply.response, asked]))


def failures(outcome: MessageResult, expected: Expectation) -> Iterator[str]:
    """Yield each expectation that is not met, with the actual value."""
    seen = _seen(outcome)
    for key, value in expected.given.items():
        if key in _PIECES:
            yield from _PIECES[key](outcome, value)
        elif key == "kept":
            yield from _kept(outcome, value)
        elif key == "next":
            yield from _next(outcome, value)
        elif seen[key] != value:
            yield f"{key}: expected {_shown(value)}; came {_shown(seen[key])}"


def missing_pieces(key: str, text: str | None, pieces: list[str]) -> Iterator[str]:
    """Yield each piece that the text does not contain."""
    plain = _plain(text or "")
    for piece in pieces:
        if _plain(piece) not in plain:
            yield f'{key}: expected "{piece}"; came {_quoted(text)}'


def _seen(outcome: MessageResult) -> dict[str, Any]:
    question = outcome.program_session.context.question
    analysis, coach_reply, next_step = outcome.analysis, outcome.coach_reply, outcome.next_step
    return {
        "intent": analysis.intent.kind,
        "risk": analysis.risk.severity if analysis.risk else None,
        "risk_about": analysis.risk.subject if analysis.risk else None,
        "resources": bool(coach_reply.resources),
        "missing": coach_reply.validation.missing if coach_reply.validation else [],
        "iteration": coach_reply.iteration,
        "scenario": coach_reply.scenario(question),
        "method": coach_reply.classification_method,
        "skipped": coach_reply.kind == "skip",
        "completed": coach_reply.completes(question),
        "week_completed": next_step.week_completed,
        "session_completed": next_step.session_completed,
    }


def _says(outcome: MessageResult, pieces: list[str]) -> Iterator[str]:
    return missing_pieces("says", outcome.coach_reply.response, pieces)


def _asks(outcome: MessageResult, pieces: list[str]) -> Iterator[str]:
    return missing_pieces("asks", outcome.next_step.text, pieces)


def _does_not_say(outcome: MessageResult, pieces: list[str]) -> Iterator[str]:
    plain = _plain(outcome.spoken_text)
    for piece in pieces:
        if _plain(piece) in plain:
            yield f'does_not_say: expected no "{piece}"; came {_quoted(outcome.spoken_text)}'


_PIECES = {"says": _says, "does_not_say": _does_not_say, "asks": _asks}


def _kept(outcome: MessageResult, expected: dict[str, str]) -> Iterator[str]:
    for key, text in expected.items():
        if outcome.kept.get(key) != text:
            yield f'kept.{key}: expected "{text}"; came {_quoted(outcome.kept.get(key))}'


def _next(outcome: MessageResult, expected: ExpectedQuestion | None) -> Iterator[str]:
    question = outcome.next_step.question
    came = {
        "week": outcome.next_step.week.week_number if question else None,
        "question": question.question_number if question else None,
        "step": question.step if question else None,
    }
    if expected is None:
        if question is not None:
            yield f"next: expected the program's end; came week {came['week']}, question {came['question']}"
        return
    for key in sorted(expected.model_fields_set):
        wanted = getattr(expected, key)
        if came[key] != wanted:
            yield f"next.{key}: expected {_shown(wanted)}; came {_shown(came[key])}"


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _quoted(text: str | None) -> str:
    return f'"{shorten(text, _QUOTED_CHARACTERS)}"' if text else "nothing"


def _plain(text: str) -> str:
    return " ".join(text.translate(_APOSTROPHES).split()).casefold()
