"""What one message leads to: its analysis, the coach's reply, and what its sender gets."""

from dataclasses import dataclass

from chat_service.programs.coach.coach import CoachReply
from chat_service.programs.coach.intents import Intent, Kind
from chat_service.programs.coach.next_step import NextStep, find_next_step
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.safety.detection.risk import Risk
from chat_service.safety.help.places import Resource


@dataclass(frozen=True)
class MessageAnalysis:
    """Risk and intent of one message, found before the message is stored."""

    risk: Risk | None
    intent: Intent


@dataclass(frozen=True)
class AskedQuestion:
    """The open question as the participant reads it. `iteration` counts the attempts from 1."""

    week: int
    number: int
    text: str
    question_type: str
    step: str | None
    choices: list[str]
    skippable: bool
    iteration: int


@dataclass(frozen=True)
class ProgramReply:
    """What the sender of a message gets; the same for every repetition of the message.

    `missing` names what the answer lacks; `question` is the next question,
    None once the session is completed; `version` is the session's.
    """

    resources: list[Resource]
    response: str
    intent: Kind
    scenario: str | None
    missing: list[str]
    skipped: bool
    question_completed: bool
    week_completed: bool
    session_completed: bool
    question: AskedQuestion | None
    version: int


@dataclass(frozen=True)
class TurnResult:
    """Everything that a turn stores."""

    coach_reply: CoachReply
    next_step: NextStep
    reply: ProgramReply


def build_turn_result(program_session: ProgramSession, coach_reply: CoachReply) -> TurnResult:
    next_step = find_next_step(program_session, coach_reply)
    return TurnResult(coach_reply, next_step, _reply(program_session, coach_reply, next_step))


def open_question(program_session: ProgramSession, text: str | None = None) -> AskedQuestion:
    """The open question of a session that isn't completed; `text` where its placeholders are resolved."""
    context = program_session.context
    question = context.question
    return AskedQuestion(
        week=context.week.week_number,
        number=question.question_number,
        text=context.text(question.question_text) if text is None else text,
        question_type=question.question_type,
        step=question.step,
        choices=question.choices,
        skippable=question.skippable,
        iteration=context.iteration,
    )


def _reply(program_session: ProgramSession, coach_reply: CoachReply, next_step: NextStep) -> ProgramReply:
    question = program_session.context.question
    after = ProgramSession(next_step.state, program_session.program)
    return ProgramReply(
        resources=coach_reply.resources,
        response=coach_reply.response,
        intent=coach_reply.intent.kind,
        scenario=coach_reply.scenario(question) if coach_reply.kind in ("answer", "skip") else None,
        missing=coach_reply.validation.missing if coach_reply.validation else [],
        skipped=coach_reply.kind == "skip",
        question_completed=coach_reply.completes(question),
        week_completed=next_step.week_completed,
        session_completed=next_step.session_completed,
        question=open_question(after, next_step.text) if next_step.question is not None else None,
        version=next_step.state.version,
    )
