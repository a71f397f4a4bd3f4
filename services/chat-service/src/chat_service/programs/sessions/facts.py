"""What other services are told of a turn. Facts carry ids and counts, never what somebody wrote.

Those of an anonymous participant name nobody, and nothing by which they could
be put together: they stay longer than the session, and a claim finds none of them.
"""

from chat_service.programs.coach.coach import CoachReply
from chat_service.programs.coach.next_step import NextStep
from chat_service.programs.coach.session_state import ProgramSession, SessionState
from chat_service.programs.sessions.experiments import outcomes
from chat_service.programs.sessions.participant import account_of
from chat_service.turns.model import Turn
from cogniflow_kit.events import Event


def started(session_state: SessionState, slug: str) -> Event:
    actor_id = account_of(session_state.user_id)
    ids = {"session_id": str(session_state.session_id)} if actor_id else {}
    return Event(type="program.started", actor_id=actor_id, data={"program": slug, **ids})


def facts_of(
    turn: Turn, program_session: ProgramSession, step: CoachReply, next_step: NextStep
) -> list[Event]:
    """An answered question, and what an experiment waits for."""
    return [
        *([_answered(turn, program_session)] if step.counts else []),
        *outcomes(
            program_session.state.experiment_id,
            program_session.state.user_id,
            program_session.state.session_id,
            program=program_session.program.slug,
            program_version=program_session.program.version,
            week=program_session.week.week_number,
            week_completed=next_step.week_completed,
            session_completed=next_step.session_completed,
        ),
    ]


def _answered(turn: Turn, program_session: ProgramSession) -> Event:
    actor_id = account_of(program_session.state.user_id)
    ids = {"session_id": str(program_session.state.session_id), "turn_id": str(turn.id)} if actor_id else {}
    return Event(
        type="program.answer_completed",
        actor_id=actor_id,
        data={
            "program": program_session.program.slug,
            **ids,
            "week": program_session.week.week_number,
            "question": program_session.context.question.question_number,
        },
    )
