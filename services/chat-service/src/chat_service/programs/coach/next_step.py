"""Finds what follows a coach reply: the same question, another question, another week, or the end."""

from dataclasses import dataclass, replace

from chat_service.programs.coach.coach import CoachReply
from chat_service.programs.coach.session_state import ProgramSession, SessionState, WeekState
from chat_service.programs.content.model import SKIPPED, Question, Week


@dataclass(frozen=True)
class NextStep:
    """The session after a coach reply.

    `question` is the open question, None at the end, and `text` its text with
    placeholders resolved. `asks_question`: the coach asks it in this turn;
    `opens_week`: a week, or another run of one, begins.
    """

    state: SessionState
    week: Week
    question: Question | None
    text: str | None
    asks_question: bool = False
    week_completed: bool = False
    opens_week: bool = False

    @property
    def session_completed(self) -> bool:
        return self.state.completed

    @property
    def fsm_state(self) -> str:
        """The value of the column `fsm_state`."""
        return self.question.fsm_state if self.question is not None else "completed"


def find_next_step(program_session: ProgramSession, coach_reply: CoachReply) -> NextStep:
    moved = _with_state(program_session, coach_reply)
    if coach_reply.restarts is not None:
        return _restarted(moved, coach_reply.restarts)
    question = program_session.context.question
    if not coach_reply.completes(question):
        return _at_question(moved, moved.week, moved.week_state)
    number = _following(question, coach_reply)
    if number <= len(program_session.week.questions):
        state = replace(moved.week_state, question_number=number)
        return _at_question(moved, moved.week, state, asks_question=True)
    return _after_week(moved)


def _with_state(program_session: ProgramSession, coach_reply: CoachReply) -> ProgramSession:
    state = replace(program_session.week_state, data=coach_reply.answers)
    session_state = program_session.state.with_week(state)
    return ProgramSession(replace(session_state, version=session_state.version + 1), program_session.program)


def _following(question: Question, coach_reply: CoachReply) -> int:
    """The number of the question that the scenario or the skip leads to, else the next number."""
    scenario = coach_reply.scenario(question)
    chosen = next((prompt for prompt in question.scenarios if prompt.scenario_name == scenario), None)
    if scenario == SKIPPED:
        chosen = question.prompt("skip_respond")
    jump = chosen.next_question if chosen is not None else None
    return jump or question.question_number + 1


def _after_week(program_session: ProgramSession) -> NextStep:
    """Go to the first later week that isn't completed; one begun before a restart continues."""
    done = replace(program_session.week_state, is_completed=True)
    program_session = ProgramSession(program_session.state.with_week(done), program_session.program)
    for week in program_session.program.active_weeks:
        if week.week_number <= program_session.week.week_number:
            continue
        begun = program_session.state.state_of(week.week_id)
        if begun is None:
            opened = WeekState(week_id=week.week_id)
            return _at_question(
                program_session, week, opened, asks_question=True, week_completed=True, opens_week=True
            )
        if not begun.is_completed:
            return _at_question(program_session, week, begun, asks_question=True, week_completed=True)
    ended = replace(program_session.state, completed=True)
    return NextStep(ended, program_session.week, None, None, week_completed=True)


def _restarted(program_session: ProgramSession, week_number: int) -> NextStep:
    week = program_session.program.week_numbered(week_number)
    assert week is not None, "only a week that was begun is restarted"
    before = program_session.state.state_of(week.week_id)
    assert before is not None, "only a week that was begun is restarted"
    opened = WeekState(week_id=week.week_id, run=before.run + 1)
    return _at_question(program_session, week, opened, asks_question=True, opens_week=True)


def _at_question(
    program_session: ProgramSession,
    week: Week,
    state: WeekState,
    *,
    asks_question: bool = False,
    week_completed: bool = False,
    opens_week: bool = False,
) -> NextStep:
    session_state = replace(program_session.state.with_week(state), current_week_id=week.week_id)
    context = ProgramSession(session_state, program_session.program).context
    question = context.question
    return NextStep(
        state=session_state,
        week=week,
        question=question,
        text=context.text(question.question_text),
        asks_question=asks_question,
        week_completed=week_completed,
        opens_week=opens_week,
    )
