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

    snapshot: SessionState
    week: Week
    question: Question | None
    text: str | None
    asks: bool = False
    week_completed: bool = False
    opens_week: bool = False

    @property
    def session_completed(self) -> bool:
        return self.snapshot.completed

    @property
    def place(self) -> str:
        """What `fsm_state` says from here on."""
        return self.question.place if self.question is not None else "completed"


def after(place: ProgramSession, step: CoachReply) -> NextStep:
    moved = _with_state(place, step)
    if step.restarts is not None:
        return _restarted(moved, step.restarts)
    question = place.standing.question
    if not step.completes(question):
        return _asking(moved, moved.week, moved.open_week)
    number = _following(question, step)
    if number <= len(place.week.questions):
        state = moved.open_week.model_copy(update={"question_number": number})
        return _asking(moved, moved.week, state, asks=True)
    return _after_week(moved)


def _with_state(place: ProgramSession, step: CoachReply) -> ProgramSession:
    state = place.open_week.model_copy(update={"data": step.state})
    snapshot = place.snapshot.with_week(state)
    return ProgramSession(snapshot.model_copy(update={"version": snapshot.version + 1}), place.program)


def _following(question: Question, step: CoachReply) -> int:
    """The question that the chosen scenario or the skip names, else the next one."""
    scenario = step.scenario(question)
    chosen = next((prompt for prompt in question.scenarios if prompt.scenario_name == scenario), None)
    if scenario == SKIPPED:
        chosen = question.prompt("skip_respond")
    jump = chosen.next_question if chosen is not None else None
    return jump or question.question_number + 1


def _after_week(place: ProgramSession) -> NextStep:
    """The first later week that isn't completed; a week begun before a restart goes on where it was."""
    done = place.open_week.model_copy(update={"is_completed": True})
    place = ProgramSession(place.snapshot.with_week(done), place.program)
    for week in place.program.active_weeks:
        if week.week_number <= place.week.week_number:
            continue
        begun = place.snapshot.state_of(week.week_id)
        if begun is None:
            opened = WeekState(week_id=week.week_id)
            return _asking(place, week, opened, asks=True, week_completed=True, opens_week=True)
        if not begun.is_completed:
            return _asking(place, week, begun, asks=True, week_completed=True)
    ended = place.snapshot.model_copy(update={"completed": True})
    return NextStep(ended, place.week, None, None, week_completed=True)


def _restarted(place: ProgramSession, week_number: int) -> NextStep:
    week = place.program.week_numbered(week_number)
    assert week is not None, "only a week that was begun is restarted"
    before = place.snapshot.state_of(week.week_id)
    assert before is not None, "only a week that was begun is restarted"
    opened = WeekState(week_id=week.week_id, run=before.run + 1)
    return _asking(place, week, opened, asks=True, opens_week=True)


def _asking(
    place: ProgramSession,
    week: Week,
    state: WeekState,
    *,
    asks: bool = False,
    week_completed: bool = False,
    opens_week: bool = False,
) -> NextStep:
    snapshot = place.snapshot.with_week(state).model_copy(update={"current_week_id": week.week_id})
    standing = ProgramSession(snapshot, place.program).standing
    question = standing.question
    return NextStep(
        snapshot=snapshot,
        week=week,
        question=question,
        text=standing.text(question.question_text),
        asks=asks,
        week_completed=week_completed,
        opens_week=opens_week,
    )
