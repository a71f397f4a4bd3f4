"""What becomes of a running session when it goes on in another version of its program.

Weeks and questions are the same where their numbers are. What was answered
stays as it is in the record; the state takes along what the new version has
a place for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from chat_service.programs.coach.session_state import ProgramSession, WeekState
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.model import SKIPPED, Program, Question, Week
from chat_service.programs.content.placeholders import Known
from chat_service.programs.content.reachability import answered_before, kept_by
from chat_service.programs.content.validation import text_problems


class MoveOutcome(StrEnum):
    """Of the place where somebody stands."""

    SAME_PLACE = "same_place"
    QUESTION_CHANGED = "question_changed"
    QUESTION_GONE = "question_gone"
    WEEK_GONE = "week_gone"


class MoveBlocker(StrEnum):
    """Why a session stays on its version.

    `nothing_left`: every question was answered. `needs_more`: texts ahead
    speak of something that this person was never asked.
    """

    WEEK_GONE = "week_gone"
    NOTHING_LEFT = "nothing_left"
    NEEDS_MORE = "needs_more"
    IN_EXPERIMENT = "in_experiment"
    RUNNING_TURN = "running_turn"
    CHANGED_MEANWHILE = "changed_meanwhile"


@dataclass(frozen=True)
class Spot:
    week: int
    question: int


@dataclass(frozen=True)
class MovePlan:
    """`place` is where the session would stand, null with an obstacle; `opens` a week that wasn't begun."""

    fate: MoveOutcome
    obstacle: MoveBlocker | None = None
    program_session: ProgramSession | None = None
    opens: bool = False
    changed_answers: list[Spot] = field(default_factory=list)

    @property
    def stands_at(self) -> Spot | None:
        return spot(self.program_session) if self.program_session is not None else None


def spot(program_session: ProgramSession) -> Spot:
    return Spot(program_session.week.week_number, program_session.week_state.question_number)


def open_text(program_session: ProgramSession) -> str:
    """What the learner is to answer now, with its placeholders: the question, or its follow-up."""
    return _open_text(program_session.context.question, program_session.week_state.data)


def plan(program_session: ProgramSession, new: Program) -> MovePlan:
    """The plan for a session that isn't completed."""
    begun = [(program_session.program.week(state.week_id), state) for state in program_session.state.weeks]
    if any(new.week_numbered(week.week_number) is None for week, _ in begun):
        return MovePlan(MoveOutcome.WEEK_GONE, MoveBlocker.WEEK_GONE)
    weeks = [_carried(week, _week(new, week), state) for week, state in begun]
    session_state = program_session.state.model_copy(
        update={
            "version_id": new.version_id,
            "current_week_id": _week(new, program_session.week).week_id,
            "weeks": weeks,
        }
    )
    changed = [spot for week, state in begun for spot in _changed_answers(week, _week(new, week), state)]
    fate, next_step = _stand(program_session, ProgramSession(session_state, new))
    if next_step is None:
        obstacle = MoveBlocker.WEEK_GONE if fate is MoveOutcome.WEEK_GONE else MoveBlocker.NOTHING_LEFT
        return MovePlan(fate, obstacle, changed_answers=changed)
    if any(_lacking(next_step)):
        return MovePlan(fate, MoveBlocker.NEEDS_MORE, changed_answers=changed)
    opens = next_step.state.current_week_id not in {state.week_id for state in weeks}
    return MovePlan(fate, None, next_step, opens, changed)


def _week(new: Program, old: Week) -> Week:
    found = new.week_numbered(old.week_number)
    assert found is not None, "weeks that are gone were found before"
    return found


def _carried(old: Week, new: Week, state: WeekState) -> WeekState:
    """The state under the new week: without questions that are gone, with what the new ones keep."""
    last = len(new.questions)
    data = state.data
    kept = {
        name: {number: value for number, value in part.items() if int(number) <= last}
        for name, part in data.model_dump(exclude={"choices"}).items()
    }
    said = data.spoken_answers()
    choices = {
        after.keeps: said[after.question_number]
        for before, after in zip(old.questions, new.questions, strict=False)
        if after.keeps and before.question_text == after.question_text
        if after.question_number in said
        if data.scenario_of(after.question_number) not in (None, SKIPPED)
    }
    carried = WeekAnswers.model_validate({**kept, "choices": {**choices, **data.choices}})
    number = min(state.question_number, last)
    return state.model_copy(update={"week_id": new.week_id, "question_number": number, "data": carried})


def _changed_answers(old: Week, new: Week, state: WeekState) -> Iterator[Spot]:
    """Answered questions that now read otherwise, or are gone."""
    for question in old.questions:
        number = question.question_number
        if not state.data.answers_to(number):
            continue
        if number > len(new.questions) or new.question(number).question_text != question.question_text:
            yield Spot(old.week_number, number)


def _stand(old: ProgramSession, new: ProgramSession) -> tuple[MoveOutcome, ProgramSession | None]:
    """Where the session goes on: where it is, else at the next question that nobody answered yet."""
    number, week = old.week_state.question_number, new.week
    if not week.is_active:
        return MoveOutcome.WEEK_GONE, _next_week(new)
    if number <= len(week.questions):
        here = _with_week(new, _askable(week.question(number), new.week_state))
        same = open_text(here) == open_text(old)
        return MoveOutcome.SAME_PLACE if same else MoveOutcome.QUESTION_CHANGED, here
    answered = [int(one) for one, done in new.week_state.data.question_completed.items() if done]
    next_step = max(answered, default=0) + 1
    if next_step <= len(week.questions):
        state = new.week_state.model_copy(update={"question_number": next_step})
        return MoveOutcome.QUESTION_GONE, _with_week(new, _askable(week.question(next_step), state))
    done = {"question_number": len(week.questions), "is_completed": True}
    return MoveOutcome.QUESTION_GONE, _next_week(_with_week(new, new.week_state.model_copy(update=done)))


def _next_week(program_session: ProgramSession) -> ProgramSession | None:
    """The first question of the next week that isn't completed, or where that week was left."""
    for week in program_session.program.active_weeks:
        state = program_session.state.state_of(week.week_id)
        if week.week_number <= program_session.week.week_number or (state and state.is_completed):
            continue
        session_state = program_session.state.model_copy(update={"current_week_id": week.week_id})
        opened = state or WeekState(week_id=week.week_id)
        question = week.question(opened.question_number)
        return _with_week(ProgramSession(session_state, program_session.program), _askable(question, opened))
    return None


def _with_week(program_session: ProgramSession, state: WeekState) -> ProgramSession:
    return ProgramSession(program_session.state.with_week(state), program_session.program)


def _askable(question: Question, state: WeekState) -> WeekState:
    """Somebody is asked the question again whose follow-up is gone, or whose answer has to be kept now."""
    number = question.question_number
    kept = question.keeps is None or question.keeps in state.data.choices
    if not state.data.awaits_followup(number) or (question.prompt("followup") is not None and kept):
        return state
    scenarios = {key: value for key, value in state.data.scenario.items() if key != str(number)}
    return state.model_copy(update={"data": state.data.model_copy(update={"scenario": scenarios})})


def _open_text(question: Question, data: WeekAnswers) -> str:
    followup = question.prompt("followup")
    if followup is not None and data.awaits_followup(question.question_number):
        return followup.response_text
    return question.question_text


def _lacking(program_session: ProgramSession) -> Iterator[str]:
    """What texts ahead speak of that this person hasn't said and needn't say on the way there."""
    session_state, program = program_session.state, program_session.program
    kept = frozenset(key for state in session_state.weeks for key in state.data.choices)
    blocks = frozenset(program.blocks)
    for week in program.active_weeks:
        state = session_state.state_of(week.week_id)
        if week.week_number < program_session.week.week_number or (state and state.is_completed):
            continue
        ahead, done = _ahead(week, state)
        for question in week.questions:
            answered = ahead.get(question.question_number)
            if answered is not None:
                yield from text_problems(
                    question, Known(answered, blocks, kept | kept_by(week, answered - done))
                )
        kept |= kept_by(week, ahead[len(week.questions) + 1] - done)


def _ahead(week: Week, state: WeekState | None) -> tuple[dict[int, frozenset[int]], frozenset[int]]:
    """What is answered before each question ahead; and what was answered already, and keeps nothing more."""
    if state is None:
        return answered_before(week), frozenset()
    number, said = state.question_number, frozenset(state.data.spoken_answers())
    done = said if state.data.awaits_followup(number) else said - {number}
    return answered_before(week, number, said), done
