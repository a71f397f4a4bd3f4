"""Where a step leads: the same question again, the next one, the next week, or the end."""

from dataclasses import dataclass

from chat_service.programs.coach import Standing, Step
from chat_service.programs.content import Question, Week
from chat_service.programs.state import ConversationData


@dataclass(frozen=True)
class Next:
    """What comes after a step; no question means that the session is completed."""

    week: Week
    question: Question | None
    text: str | None
    week_completed: bool

    @property
    def session_completed(self) -> bool:
        return self.question is None


def after(standing: Standing, step: Step) -> Next:
    week, question = standing.week, standing.question
    if not step.completes(question):
        return Next(week, question, standing.text(question.question_text, step.state), week_completed=False)
    if question.question_number < len(week.questions):
        following = week.question(question.question_number + 1)
        return Next(week, following, standing.text(following.question_text, step.state), week_completed=False)
    return _after_week(standing)


def _after_week(standing: Standing) -> Next:
    week = standing.programme.week_after(standing.week)
    if week is None:
        return Next(standing.week, None, None, week_completed=True)
    first = week.question(1)
    return Next(week, first, standing.text(first.question_text, ConversationData()), week_completed=True)
