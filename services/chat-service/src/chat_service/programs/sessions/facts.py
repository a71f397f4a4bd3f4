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


def started(snapshot: SessionState, slug: str) -> Event:
    actor_id = account_of(snapshot.user_id)
    ids = {"session_id": str(snapshot.session_id)} if actor_id else {}
    return Event(type="program.started", actor_id=actor_id, data={"program": slug, **ids})


def facts_of(turn: Turn, place: ProgramSession, step: CoachReply, following: NextStep) -> list[Event]:
    """An answered question, and what an experiment waits for."""
    return [
        *([_answered(turn, place)] if step.counts else []),
        *outcomes(
            place.snapshot.experiment_id,
            place.snapshot.user_id,
            place.snapshot.session_id,
            program=place.program.slug,
            program_version=place.program.version,
            week=place.week.week_number,
            week_completed=following.week_completed,
            session_completed=following.session_completed,
        ),
    ]


def _answered(turn: Turn, place: ProgramSession) -> Event:
    actor_id = account_of(place.snapshot.user_id)
    ids = {"session_id": str(place.snapshot.session_id), "turn_id": str(turn.id)} if actor_id else {}
    return Event(
        type="program.answer_completed",
        actor_id=actor_id,
        data={
            "program": place.program.slug,
            **ids,
            "week": place.week.week_number,
            "question": place.standing.question.question_number,
        },
    )
