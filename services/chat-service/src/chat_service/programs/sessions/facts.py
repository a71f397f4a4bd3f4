"""Events about program sessions for other services. They carry ids and counts, never message text.

Events of an anonymous participant carry no id of participant, session or
turn: they are kept longer than the session, and a claim can't find them.
"""

from chat_service.programs.coach.session_state import ProgramSession, SessionState
from chat_service.programs.coach.turn import ProgramReply, TurnResult
from chat_service.programs.sessions.experiments import outcomes
from chat_service.programs.sessions.participant import account_of
from chat_service.turns.model import Turn
from cogniflow_kit.events import Event


def started(session_state: SessionState, slug: str) -> Event:
    actor_id = account_of(session_state.user_id)
    ids = {"session_id": str(session_state.session_id)} if actor_id else {}
    return Event(type="program.started", actor_id=actor_id, data={"program": slug, **ids})


def turn_events(turn: Turn[ProgramReply], program_session: ProgramSession, result: TurnResult) -> list[Event]:
    """An answered question, and the outcomes of the session's experiment."""
    next_step = result.next_step
    return [
        *([_answered(turn, program_session)] if result.coach_reply.is_attempt else []),
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


def _answered(turn: Turn[ProgramReply], program_session: ProgramSession) -> Event:
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
