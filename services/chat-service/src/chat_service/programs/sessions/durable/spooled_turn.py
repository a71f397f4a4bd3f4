"""A turn as it waits on disk: one line of JSON."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from chat_service.programs.coach.coach import CoachReply
from chat_service.programs.coach.intents import Intent
from chat_service.programs.coach.session_state import SessionState
from chat_service.programs.sessions.schemas import Reply
from chat_service.safety.detection.risk import Risk
from chat_service.turns.model import Message


class SpooledTurn(BaseModel):
    """The message, what was found in it, the step and what it led to.

    `base` is the version of the session before it; `week`, `run` and
    `question` say where it was then. `asks`: the next question was said anew.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    message: Message
    risk: Risk | None
    intent: Intent
    step: CoachReply
    base: int
    week: int
    run: int
    question: int
    asks: bool
    snapshot: SessionState
    reply: Reply
    answered_at: datetime
