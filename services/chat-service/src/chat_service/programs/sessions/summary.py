"""Summarizes a session from its state alone."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chat_service.phrase_matching import shorten
from chat_service.programs.coach.session_state import SessionState, WeekState
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.model import SKIPPED, Program, Question, Week

ANSWER_CHARACTERS = 300
QUESTION_CHARACTERS = 200
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class SummarizedAnswer(_Part):
    """`answer`: the chosen option, or all attempts; `followup`: the answer to the follow-up.

    Texts are shortened, and `asked` has "…" for quoted answers. An open
    question appears after its first attempt, with `is_completed` false.
    """

    question: int
    step: str | None
    asked: str
    answer: str
    followup: str | None
    attempts: int
    is_completed: bool


class SkippedQuestion(_Part):
    question: int
    step: str | None
    asked: str


class SummarizedWeek(_Part):
    """The newest run of a week. `kept` holds texts for later weeks, such as selected_problem."""

    week: int
    title: str
    run: int
    is_completed: bool
    kept: dict[str, str]
    answers: list[SummarizedAnswer]
    skipped: list[SkippedQuestion]


class SummarizedStep(_Part):
    """A step of an intake, such as goals. `answer` is null when it was skipped or has not come up yet."""

    answer: str | None
    attempts: int
    skipped: bool


class Summary(_Part):
    """`summary_version` counts changes of this form; `session_version` those of the session it sums up."""

    summary_version: Literal[1] = 1
    program: str
    program_version: int
    title: str
    coach: str
    name: str
    locale: str
    session_version: int
    summary_type: Literal["partial", "complete"]
    weeks: list[SummarizedWeek]
    steps: dict[str, SummarizedStep]


def summarize(program: Program, session_state: SessionState) -> Summary:
    """The summary of this state: complete once the session is, partial before."""
    begun = [
        (week, state) for week in program.weeks if (state := session_state.state_of(week.week_id)) is not None
    ]
    return Summary(
        program=program.slug,
        program_version=program.version,
        title=program.title,
        coach=program.coach,
        name=session_state.name,
        locale=session_state.locale,
        session_version=session_state.version,
        summary_type="complete" if session_state.completed else "partial",
        weeks=[_week(week, state, session_state.name) for week, state in begun],
        steps=_steps(program, session_state),
    )


def _week(week: Week, state: WeekState, name: str) -> SummarizedWeek:
    data = state.data
    return SummarizedWeek(
        week=week.week_number,
        title=week.title,
        run=state.run,
        is_completed=state.is_completed,
        kept={key: shorten(value, ANSWER_CHARACTERS) for key, value in data.choices.items()},
        answers=[
            _answer(question, data, answer, name)
            for question in week.questions
            if (answer := _answer_text(question, data)) is not None
        ],
        skipped=[
            SkippedQuestion(
                question=question.question_number,
                step=question.step,
                asked=unquoted(question.question_text, name),
            )
            for question in week.questions
            if _is_skipped(question, data)
        ],
    )


def _answer(question: Question, data: WeekAnswers, answer: str, name: str) -> SummarizedAnswer:
    number = question.question_number
    followup = data.followups.get(str(number))
    return SummarizedAnswer(
        question=number,
        step=question.step,
        asked=unquoted(question.question_text, name),
        answer=answer,
        followup=None if followup is None else shorten(followup, ANSWER_CHARACTERS),
        attempts=data.iterations(number),
        is_completed=data.is_completed(number),
    )


def _steps(program: Program, session_state: SessionState) -> dict[str, SummarizedStep]:
    steps = {}
    for week in program.weeks:
        state = session_state.state_of(week.week_id)
        data = state.data if state else WeekAnswers()
        for question in week.questions:
            if question.step is not None:
                steps[question.step] = SummarizedStep(
                    answer=_answer_text(question, data),
                    attempts=data.iterations(question.question_number),
                    skipped=_is_skipped(question, data),
                )
    return steps


def _answer_text(question: Question, data: WeekAnswers) -> str | None:
    if _is_skipped(question, data):
        return None
    answer = data.answer_texts().get(question.question_number)
    return None if answer is None else shorten(answer, ANSWER_CHARACTERS)


def _is_skipped(question: Question, data: WeekAnswers) -> bool:
    return data.scenario_of(question.question_number) == SKIPPED


def unquoted(question_text: str, name: str) -> str:
    """The question text with the name, and "…" for quoted answers, which the summary has elsewhere."""
    text = _PLACEHOLDER.sub(lambda found: name if found[1] == "name" else "…", question_text)
    return shorten(text, QUESTION_CHARACTERS)
