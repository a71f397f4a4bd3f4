"""Where a conversation is before an answer, and how texts read there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chat_service.phrase_matching import shorten
from chat_service.programs.coach.phrases import Phrases, phrases
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.model import SKIPPED, Program, Question, Week
from chat_service.programs.content.placeholders import QUOTED_CHARACTERS, Values, resolve


@dataclass(frozen=True)
class CoachContext:
    """`state` is the open week's, `others` what the other weeks' states are, by week number."""

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
        """The coach's own words, in the program's language; the locale is for places to find help."""
        return phrases(self.program.locale)

    def text(self, raw: str, state: WeekAnswers | None = None) -> str:
        """A text of the program, its placeholders resolved, in this or another state of the open week."""
        week = state or self.state
        weeks = {**self.others, self.week.week_number: week}
        kept = {key: value for number in sorted(weeks) for key, value in weeks[number].choices.items()}
        return resolve(
            raw,
            Values(
                name=self.name,
                answers=week.spoken_answers(),
                blocks=self.program.blocks,
                kept=kept,
                summary=self._summary(weeks, kept) if "{summary}" in raw else "",
            ),
        )

    def _summary(self, weeks: Mapping[int, WeekAnswers], kept: Mapping[str, str]) -> str:
        """What was said to each step, or what was kept where a program has no steps; one a line."""
        told = {
            question.step: said
            for week in self.program.weeks
            for question in week.questions
            if question.step and question.question_type != "yes_no"
            if (said := _told(weeks.get(week.week_number), question))
        }
        listed = told or kept
        lines = [
            f"- {name.replace('_', ' ').capitalize()}: {shorten(said, QUOTED_CHARACTERS)}"
            for name, said in listed.items()
        ]
        return "\n".join(lines) or f"- {self.phrases.says['nothing_yet']}"


def _told(state: WeekAnswers | None, question: Question) -> str | None:
    number = question.question_number
    if state is None or not state.is_completed(number) or state.scenario_of(number) == SKIPPED:
        return None
    return state.spoken_answers().get(number)
