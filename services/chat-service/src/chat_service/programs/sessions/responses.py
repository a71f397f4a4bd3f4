"""Makes the bodies of the program routes from domain types; called by `api.py` alone."""

from dataclasses import asdict

from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn import AskedQuestion, open_question
from chat_service.programs.content.model import Week
from chat_service.programs.sessions.schemas import (
    AnswerOut,
    LastTurn,
    MessageOut,
    ProgramOut,
    QuestionOut,
    SessionListed,
    SessionOut,
    WeekOut,
    WeekProgress,
)
from chat_service.programs.sessions.store import ListedProgram, ListedSession, SessionHistory, SessionMessage
from chat_service.programs.sessions.turn_runner import AnsweredMessage


def program_out(program: ListedProgram) -> ProgramOut:
    return ProgramOut.model_validate(program)


def session_listed(session: ListedSession) -> SessionListed:
    return SessionListed.model_validate(session)


def message_out(message: SessionMessage) -> MessageOut:
    return MessageOut.model_validate(message)


def question_out(question: AskedQuestion) -> QuestionOut:
    return QuestionOut(**asdict(question))


def answer_out(answered: AnsweredMessage) -> AnswerOut:
    reply = answered.reply
    return AnswerOut(
        resources=reply.resources,
        response=reply.response,
        intent=reply.intent,
        scenario=reply.scenario,
        missing=reply.missing,
        skipped=reply.skipped,
        question_completed=reply.question_completed,
        week_completed=reply.week_completed,
        session_completed=reply.session_completed,
        question=question_out(reply.question) if reply.question is not None else None,
        version=reply.version,
        session_id=answered.session_id,
        status="queued" if answered.queued else "completed",
        turn_id=answered.turn_id,
        sequence=answered.sequence,
    )


def session_out(history: SessionHistory) -> SessionOut:
    program_session, newest = history.program_session, history.newest_turn
    state, program, context = program_session.state, program_session.program, program_session.context
    return SessionOut(
        id=state.session_id,
        program=program.slug,
        program_version=program.version,
        title=program.title,
        coach=program.coach,
        name=state.name,
        locale=state.locale,
        anonymous=state.anonymous,
        version=state.version,
        completed=state.completed,
        paused=state.paused_at is not None,
        stored=history.stored,
        week=context.week.week_number,
        week_title=context.week.title,
        question=None if state.completed else question_out(open_question(program_session)),
        progress=[_progress(program_session, week) for week in program.active_weeks],
        answers=dict(context.state.answers),
        messages=[message_out(message) for message in history.messages],
        last_turn=LastTurn.model_validate(newest) if newest is not None else None,
    )


def week_out(history: SessionHistory, week: Week) -> WeekOut:
    """A week that was begun."""
    state = history.program_session.state.state_of(week.week_id)
    assert state is not None, "the service raises WeekNotBegun"
    return WeekOut(
        week=week.week_number,
        title=week.title,
        description=week.description,
        video_content=week.video_content,
        exercise_content=week.exercise_content,
        run=state.run,
        is_completed=state.is_completed,
        kept=dict(state.data.choices),
        answers=dict(state.data.answers),
        messages=[message_out(message) for message in history.messages if message.week == week.week_number],
    )


def _progress(program_session: ProgramSession, week: Week) -> WeekProgress:
    state = program_session.state.state_of(week.week_id)
    completed = sum(state.data.question_completed.values()) if state else 0
    return WeekProgress(
        week=week.week_number,
        title=week.title,
        status="locked" if state is None else "completed" if state.is_completed else "open",
        questions=len(week.questions),
        questions_completed=completed,
        is_completed=state is not None and state.is_completed,
        run=state.run if state else 0,
        kept=dict(state.data.choices) if state else {},
    )
