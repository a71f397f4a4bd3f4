"""The state of a program session, the same for every store."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from uuid import UUID

from chat_service.programs.coach.context import CoachContext
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.model import Program, Week


@dataclass(frozen=True)
class WeekState:
    """The newest run of a week. `question_number` is the open question."""

    week_id: UUID
    run: int = 1
    question_number: int = 1
    is_completed: bool = False
    data: WeekAnswers = field(default_factory=WeekAnswers)


@dataclass(frozen=True, kw_only=True)
class SessionState:
    """The state of a session. `version` counts its changes; a write names the version that it replaces.

    `version_id` is the program version that the session follows, `weeks` are
    the weeks that were begun, `name` is how the coach addresses the participant.
    """

    session_id: UUID
    user_id: UUID
    version_id: UUID
    current_week_id: UUID
    experiment_id: UUID | None = None
    name: str
    locale: str
    anonymous: bool = False
    version: int = 1
    completed: bool = False
    paused_at: datetime | None = None
    created_at: datetime
    weeks: list[WeekState]

    def state_of(self, week_id: UUID) -> WeekState | None:
        return next((state for state in self.weeks if state.week_id == week_id), None)

    def with_week(self, changed: WeekState) -> "SessionState":
        others = [state for state in self.weeks if state.week_id != changed.week_id]
        return replace(self, weeks=[*others, changed])


@dataclass(frozen=True)
class ProgramSession:
    """A session state and the program version that it follows.

    `stored` is false while PostgreSQL is away and the state comes from memory.
    """

    state: SessionState
    program: Program
    stored: bool = True

    @cached_property
    def week(self) -> Week:
        return self.program.week(self.state.current_week_id)

    @cached_property
    def week_state(self) -> WeekState:
        state = self.state.state_of(self.state.current_week_id)
        assert state is not None, "the current week has been begun"
        return state

    @cached_property
    def context(self) -> CoachContext:
        return self.context_in(self.week, self.week_state)

    def context_in(self, week: Week, state: WeekState) -> CoachContext:
        """The context in another week or in another state of it."""
        others = {
            self.program.week(other.week_id).week_number: other.data
            for other in self.state.weeks
            if other.week_id != week.week_id
        }
        return CoachContext(
            program=self.program,
            week=week,
            question=week.question(state.question_number),
            state=state.data,
            name=self.state.name,
            locale=self.state.locale,
            others=others,
        )
