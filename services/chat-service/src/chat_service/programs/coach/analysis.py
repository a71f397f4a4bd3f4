"""What is found in a message before it is stored."""

from dataclasses import dataclass

from chat_service.programs.coach.intents import Intent
from chat_service.safety.detection.risk import Risk


@dataclass(frozen=True)
class MessageAnalysis:
    risk: Risk | None
    intent: Intent
