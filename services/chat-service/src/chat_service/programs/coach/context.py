"""What the coach needs to answer one message, and placeholder resolution against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chat_service.phrase_matching import shorten
from chat_service.programs.coach.phrases import Phrases, phrases
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.model import SKIPPED, Program, Question, Week
from chat_service.programs.content.placeholders import QUOTED_CHARACTERS, Values, resolve


@dataclass(frozen=True)
class CoachContext:
    """`state` holds the answers of the open week, `others` those of the other weeks by week number."""

    program: Program
    week: Week
    question: Question
    state: WeekAnswers
    name: str
    locale: str = "en"
    others: Mapping[int, WeekAnswers] = field(default_factory=dict)

    @property
    def iteration(self) -> int:
        """The number of the attempt that comes next; a follow-up counts as one."""
        return self.state.iterations(self.question.question_number) + 1

    @property
    def phrases(self) -> Phrases:
        """Fixed phrases in the program's language; `locale` selects places to find help only."""
        return phrases(self.program.locale)

    def text(self, raw: str, state: WeekAnswers | None = None) -> str:
        """Resolve the placeholders of a program text, against `state` or the open week's answers."""
        week = state or self.state
        weeks = {**self.others, self.week.week_number: week}
        kept = {key: value for number in sorted(weeks) for key, value in weeks[number].choices.items()}
        return resolve(
            raw,
            Values(
                name=self.name,
                answers=week.answer_texts(),
                blocks=self.program.blocks,
                kept=kept,
                summary=self._summary(weeks, kept) if "{summary}" in raw else "",
            ),
        )

    def _summary(self, weeks: Mapping[int, WeekAnswers], kept: Mapping[str, str]) -> str:
        """One line for the answer to each step; for a program without steps, one for each kept text."""
        by_step = {
            question.step: answer
            for week in self.program.weeks
            for question in week.questions
            if question.step and question.question_type != "yes_no"
            if (answer := _step_answer(weeks.get(week.week_number), question))
        }
        listed = by_step or kept
        lines = [
            f"- {name.replace('_', ' ').capitalize()}: {shorten(text, QUOTED_CHARACTERS)}"
            for name, text in listed.items()
        ]
        return "\n".join(lines) or f"- {self.phrases.says['nothing_yet']}"


def _step_answer(state: WeekAnswers | None, question: Question) -> str | None:
    number = question.question_number
    if state is None or not state.is_completed(number) or state.scenario_of(number) == SKIPPED:
        return None
    return state.answer_texts().get(number)
