"""Records of the older systems in one form; week and question numbers are theirs."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class ProgressRecord:
    """One entry of `user_progress.json`: what a session has completed and where it continues."""

    legacy_id: str
    name: str | None = None
    week: int | None = None
    question: int | None = None
    completed_weeks: list[int] = field(default_factory=list)
    completed_questions: dict[int, list[int]] = field(default_factory=dict)
    last_active: datetime | None = None

    def counts(self) -> dict[str, int]:
        questions = sum(len(numbers) for numbers in self.completed_questions.values())
        return {"people": 1, "completed_weeks": len(self.completed_weeks), "completed_questions": questions}


@dataclass
class WeekRecord:
    """One entry of `conversation_states`: one session in one week; dicts are by question number."""

    legacy_id: str
    week: int
    name: str | None = None
    question: int | None = None
    answers: dict[int, list[str]] = field(default_factory=dict)
    responses: dict[int, list[str]] = field(default_factory=dict)
    iterations: dict[int, int] = field(default_factory=dict)
    completed: dict[int, bool] = field(default_factory=dict)
    scenarios: dict[int, str] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
    at: datetime | None = None

    def questions(self) -> list[int]:
        """Every question number that the record mentions."""
        by_number = (self.answers, self.responses, self.iterations, self.completed, self.scenarios)
        return sorted({number for entries in by_number for number in entries})

    def counts_of(self, question: int) -> dict[str, int]:
        return {
            "answers": len(self.answers.get(question, [])),
            "nova_responses": len(self.responses.get(question, [])),
            "iteration_count": int(question in self.iterations),
            "question_completed": int(question in self.completed),
            "scenario": int(question in self.scenarios),
        }

    def counts(self) -> Counter[str]:
        found = Counter({"states": 1, "choices": len(self.choices)})
        for question in self.questions():
            found.update(self.counts_of(question))
        return found


@dataclass(frozen=True)
class BotRow:
    """A row of the bot's database. `key` is unique within its table."""

    key: str
    place: str
    values: dict[str, Any]


@dataclass
class BotSession:
    """The rows of one session, by table, in stored order."""

    legacy_id: str
    session: BotRow | None = None
    messages: list[BotRow] = field(default_factory=list)
    responses: list[BotRow] = field(default_factory=list)
    detections: list[BotRow] = field(default_factory=list)
    summaries: list[BotRow] = field(default_factory=list)
    intents: list[BotRow] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {
            "chat_history": len(self.messages),
            "sessions": int(self.session is not None),
            "user_responses": len(self.responses),
            "risk_detections": len(self.detections),
            "session_summaries": len(self.summaries),
            "intent_classifications": len(self.intents),
        }


@dataclass
class BotRecords:
    sessions: dict[str, BotSession] = field(default_factory=dict)
    analytics: list[BotRow] = field(default_factory=list)

    def of(self, legacy_id: str) -> BotSession:
        return self.sessions.setdefault(legacy_id, BotSession(legacy_id))
