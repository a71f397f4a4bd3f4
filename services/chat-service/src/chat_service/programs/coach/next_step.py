"""Where a step leads: the same question again, another one, another week, or the end."""

from dataclasses import dataclass

from chat_service.programs.coach.coach import CoachReply
from chat_service.programs.coach.session_state import ProgramSession, SessionState, WeekState
from chat_service.programs.content.model import SKIPPED, Question, Week


@dataclass(frozen=True)
class NextStep:
    """What comes after a step.

    `snapshot` is the session after it; `question` what is open then, null at
    the end, and `text` how it reads. `asks`: the coach says it anew;
    `opens_week`: another week, or another run of one, begins with it.
    """

    state: SessionState
    week: Week
    question: Question | None
    text: str | None
    asks: bool = False
    week_completed: bool = False
    opens_week: bool = False

    @property
    def session_completed(self) -> bool:
        return self.state.completed

    @property
    def fsm_state(self) -> str:
        """What `fsm_state` says from here on."""
        return self.question.fsm_state if self.question is not None else "completed"


def find_next_step(program_session: ProgramSession, step: CoachReply) -> NextStep:
    moved = _with_state(program_session, step)
    if step.restarts is not None:
        return _restarted(moved, step.restarts)
    question = program_session.context.question
    if not step.completes(question):
        return _asking(moved, moved.week, moved.week_state)
    number = _following(question, step)
    if number <= len(program_session.week.questions):
        state = moved.week_state.model_copy(update={"question_number": number})
        return _asking(moved, moved.week, state, asks=True)
    return _after_week(moved)


def _with_state(program_session: ProgramSession, step: CoachReply) -> ProgramSession:
    state = program_session.week_state.model_copy(update={"data": step.state})
    session_state = program_session.state.with_week(state)
    return ProgramSession(
        session_state.model_copy(update={"version": session_state.version + 1}), program_session.program
    )


def _following(question: Question, step: CoachReply) -> int:
    """The question that the chosen scenario or the skip names, else the next one."""
    scenario = step.scenario(question)
    chosen = next((prompt for prompt in question.scenarios if prompt.scenario_name == scenario), None)
    if scenario == SKIPPED:
        chosen = question.prompt("skip_respond")
    jump = chosen.next_question if chosen is not None else None
    return jump or question.question_number + 1


def _after_week(program_session: ProgramSession) -> NextStep:
    """The first later week that isn't completed; a week begun before a restart goes on where it was."""
    done = program_session.week_state.model_copy(update={"is_completed": True})
    program_session = ProgramSession(program_session.state.with_week(done), program_session.program)
    for week in program_session.program.active_weeks:
        if week.week_number <= program_session.week.week_number:
            continue
        begun = program_session.state.state_of(week.week_id)
        if begun is None:
            opened = WeekState(week_id=week.week_id)
            return _asking(program_session, week, opened, asks=True, week_completed=True, opens_week=True)
        if not begun.is_completed:
            return _asking(program_session, week, begun, asks=True, week_completed=True)
    ended = program_session.state.model_copy(update={"completed": True})
    return NextStep(ended, program_session.week, None, None, week_completed=True)


def _restarted(program_session: ProgramSession, week_number: int) -> NextStep:
    week = program_session.program.week_numbered(week_number)
    assert week is not None, "only a week that was begun is restarted"
    before = program_session.state.state_of(week.week_id)
    assert before is not None, "only a week that was begun is restarted"
    opened = WeekState(week_id=week.week_id, run=before.run + 1)
    return _asking(program_session, week, opened, asks=True, opens_week=True)


def _asking(
    program_session: ProgramSession,
    week: Week,
    state: WeekState,
    *,
    asks: bool = False,
    week_completed: bool = False,
    opens_week: bool = False,
) -> NextStep:
    session_state = program_session.state.with_week(state).model_copy(
        update={"current_week_id": week.week_id}
    )
    context = ProgramSession(session_state, program_session.program).context
    question = context.question
    return NextStep(
        state=session_state,
        week=week,
        question=question,
        text=context.text(question.question_text),
        asks=asks,
        week_completed=week_completed,
        opens_week=opens_week,
    )
