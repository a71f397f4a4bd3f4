"""Plans the move of a running program session to another version of its program.

Weeks and questions of two versions correspond by their numbers. Stored answers
stay as they are; the session state keeps those that the new version has a
question for.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

from chat_service.programs.coach.session_state import ProgramSession, WeekState
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.model import SKIPPED, Program, Question, Week
from chat_service.programs.content.placeholders import Known
from chat_service.programs.content.reachability import answered_before, kept_by
from chat_service.programs.content.validation import text_problems
from chat_service.programs.content.validation_messages import ValidationMessage


class MoveOutcome(StrEnum):
    """What the new version has in place of the session's open question."""

    SAME_PLACE = "same_place"
    QUESTION_CHANGED = "question_changed"
    QUESTION_GONE = "question_gone"
    WEEK_GONE = "week_gone"


class MoveBlocker(StrEnum):
    """Why a program session stays on its version.

    `nothing_left`: every question was answered. `needs_more`: texts ahead
    refer to an answer that this participant was never asked for.
    """

    WEEK_GONE = "week_gone"
    NOTHING_LEFT = "nothing_left"
    NEEDS_MORE = "needs_more"
    IN_EXPERIMENT = "in_experiment"
    RUNNING_TURN = "running_turn"
    CHANGED_MEANWHILE = "changed_meanwhile"


@dataclass(frozen=True)
class QuestionPosition:
    week: int
    question: int


@dataclass(frozen=True)
class MovePlan:
    """The session after the move, or the blocker that prevents it.

    `opens`: the session continues in a week that it had not begun.
    """

    outcome: MoveOutcome
    blocker: MoveBlocker | None = None
    program_session: ProgramSession | None = None
    opens: bool = False
    changed_answers: list[QuestionPosition] = field(default_factory=list)

    @property
    def continues_at(self) -> QuestionPosition | None:
        return open_position(self.program_session) if self.program_session is not None else None


def open_position(program_session: ProgramSession) -> QuestionPosition:
    return QuestionPosition(program_session.week.week_number, program_session.week_state.question_number)


def open_text(program_session: ProgramSession) -> str:
    """Return the text that the participant has to answer, with placeholders: question or follow-up."""
    return _open_text(program_session.context.question, program_session.week_state.data)


def plan_move(program_session: ProgramSession, new: Program) -> MovePlan:
    """Plan the move of a program session that is not completed."""
    begun = [(program_session.program.week(state.week_id), state) for state in program_session.state.weeks]
    if any(new.week_numbered(week.week_number) is None for week, _ in begun):
        return MovePlan(MoveOutcome.WEEK_GONE, MoveBlocker.WEEK_GONE)
    weeks = [_carried_over(week, _week(new, week), state) for week, state in begun]
    session_state = replace(
        program_session.state,
        version_id=new.version_id,
        current_week_id=_week(new, program_session.week).week_id,
        weeks=weeks,
    )
    changed = [
        position for week, state in begun for position in _changed_answers(week, _week(new, week), state)
    ]
    outcome, next_step = _continue(program_session, ProgramSession(session_state, new))
    if next_step is None:
        blocker = MoveBlocker.WEEK_GONE if outcome is MoveOutcome.WEEK_GONE else MoveBlocker.NOTHING_LEFT
        return MovePlan(outcome, blocker, changed_answers=changed)
    if any(_missing_answers(next_step)):
        return MovePlan(outcome, MoveBlocker.NEEDS_MORE, changed_answers=changed)
    opens = next_step.state.current_week_id not in {state.week_id for state in weeks}
    return MovePlan(outcome, None, next_step, opens, changed)


def _week(new: Program, old: Week) -> Week:
    found = new.week_numbered(old.week_number)
    assert found is not None, "plan_move has checked that the week exists"
    return found


def _carried_over(old: Week, new: Week, state: WeekState) -> WeekState:
    """Return the week state for the new week: without removed questions, with new `keeps` values."""
    last = len(new.questions)
    data = state.data
    kept = {
        name: {number: value for number, value in part.items() if int(number) <= last}
        for name, part in asdict(data).items()
        if name != "choices"
    }
    answer_texts = data.answer_texts()
    choices = {
        after.keeps: answer_texts[after.question_number]
        for before, after in zip(old.questions, new.questions, strict=False)
        if after.keeps and before.question_text == after.question_text
        if after.question_number in answer_texts
        if data.scenario_of(after.question_number) not in (None, SKIPPED)
    }
    carried = WeekAnswers(**kept, choices={**choices, **data.choices})
    number = min(state.question_number, last)
    return replace(state, week_id=new.week_id, question_number=number, data=carried)


def _changed_answers(old: Week, new: Week, state: WeekState) -> Iterator[QuestionPosition]:
    """Yield answered questions whose text has changed, or that were removed."""
    for question in old.questions:
        number = question.question_number
        if not state.data.answers_to(number):
            continue
        if number > len(new.questions) or new.question(number).question_text != question.question_text:
            yield QuestionPosition(old.week_number, number)


def _continue(old: ProgramSession, new: ProgramSession) -> tuple[MoveOutcome, ProgramSession | None]:
    """Return what happens to the open question, and the session where it continues; None at the end.

    It continues at the same question, or else at the next unanswered one.
    """
    number, week = old.week_state.question_number, new.week
    if not week.is_active:
        return MoveOutcome.WEEK_GONE, _next_week(new)
    if number <= len(week.questions):
        here = _with_week(new, _reopened(week.question(number), new.week_state))
        same = open_text(here) == open_text(old)
        return MoveOutcome.SAME_PLACE if same else MoveOutcome.QUESTION_CHANGED, here
    answered = [int(one) for one, settled in new.week_state.data.question_completed.items() if settled]
    next_step = max(answered, default=0) + 1
    if next_step <= len(week.questions):
        state = replace(new.week_state, question_number=next_step)
        return MoveOutcome.QUESTION_GONE, _with_week(new, _reopened(week.question(next_step), state))
    settled = replace(new.week_state, question_number=len(week.questions), is_completed=True)
    return MoveOutcome.QUESTION_GONE, _next_week(_with_week(new, settled))


def _next_week(program_session: ProgramSession) -> ProgramSession | None:
    """Continue in the next week that is not completed, at its open question."""
    for week in program_session.program.active_weeks:
        state = program_session.state.state_of(week.week_id)
        if week.week_number <= program_session.week.week_number or (state and state.is_completed):
            continue
        session_state = replace(program_session.state, current_week_id=week.week_id)
        opened = state or WeekState(week_id=week.week_id)
        question = week.question(opened.question_number)
        return _with_week(ProgramSession(session_state, program_session.program), _reopened(question, opened))
    return None


def _with_week(program_session: ProgramSession, state: WeekState) -> ProgramSession:
    return ProgramSession(program_session.state.with_week(state), program_session.program)


def _reopened(question: Question, state: WeekState) -> WeekState:
    """Ask the question again if its follow-up was removed, or if its answer now has to be kept."""
    number = question.question_number
    kept = question.keeps is None or question.keeps in state.data.choices
    if not state.data.awaits_followup(number) or (question.prompt("followup") is not None and kept):
        return state
    scenarios = {key: value for key, value in state.data.scenario.items() if key != str(number)}
    return replace(state, data=replace(state.data, scenario=scenarios))


def _open_text(question: Question, data: WeekAnswers) -> str:
    followup = question.prompt("followup")
    if followup is not None and data.awaits_followup(question.question_number):
        return followup.response_text
    return question.question_text


def _missing_answers(program_session: ProgramSession) -> Iterator[ValidationMessage]:
    """Yield problems of texts ahead that refer to answers which the participant will not have given."""
    session_state, program = program_session.state, program_session.program
    kept = frozenset(key for state in session_state.weeks for key in state.data.choices)
    blocks = frozenset(program.blocks)
    for week in program.active_weeks:
        state = session_state.state_of(week.week_id)
        if week.week_number < program_session.week.week_number or (state and state.is_completed):
            continue
        ahead, settled = _ahead(week, state)
        for question in week.questions:
            answered = ahead.get(question.question_number)
            if answered is not None:
                yield from text_problems(
                    question, Known(answered, blocks, kept | kept_by(week, answered - settled))
                )
        kept |= kept_by(week, ahead[len(week.questions) + 1] - settled)


def _ahead(week: Week, state: WeekState | None) -> tuple[dict[int, frozenset[int]], frozenset[int]]:
    """Return the answered questions before each question ahead, and those that are already answered."""
    if state is None:
        return answered_before(week), frozenset()
    number, answer_texts = state.question_number, frozenset(state.data.answer_texts())
    settled = answer_texts if state.data.awaits_followup(number) else answer_texts - {number}
    return answered_before(week, number, answer_texts), settled
