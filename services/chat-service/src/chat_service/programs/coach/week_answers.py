"""Answers and coach replies of one run of one week."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class WeekAnswers:
    """Answers, reply counts and decisions by question number; the keys are numbers as text, as in the JSON.

    `answers` holds all attempts at a question, `nova_responses` the number of
    coach replies to it, `followups` the answer to its follow-up, `chosen` the
    choice that an answer named. `choices` holds the texts kept for later
    questions, by the key that the program gives them.
    """

    answers: Mapping[str, list[str]] = field(default_factory=dict)
    nova_responses: Mapping[str, int] = field(default_factory=dict)
    iteration_count: Mapping[str, int] = field(default_factory=dict)
    question_completed: Mapping[str, bool] = field(default_factory=dict)
    scenario: Mapping[str, str] = field(default_factory=dict)
    followups: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)

    def answers_to(self, question: int) -> list[str]:
        return self.answers.get(str(question), [])

    def iterations(self, question: int) -> int:
        return self.iteration_count.get(str(question), 0)

    def is_completed(self, question: int) -> bool:
        return self.question_completed.get(str(question), False)

    def scenario_of(self, question: int) -> str | None:
        return self.scenario.get(str(question))

    def awaits_followup(self, question: int) -> bool:
        """Whether the question is answered and its follow-up is not."""
        return self.scenario_of(question) is not None and not self.is_completed(question)

    def answer_texts(self) -> dict[int, str]:
        """The text for `{Answer to question N}` by question: the chosen option, else all attempts."""
        joined = {number: _as_sentences(attempts) for number, attempts in self.answers.items()}
        return {int(number): text for number, text in {**joined, **self.chosen}.items()}

    def with_answer(self, question: int, text: str) -> "WeekAnswers":
        attempts = [*self.answers_to(question), text]
        return replace(
            self,
            answers={**self.answers, str(question): attempts},
            iteration_count={**self.iteration_count, str(question): len(attempts)},
        )

    def with_followup(self, question: int, text: str) -> "WeekAnswers":
        return replace(self, followups={**self.followups, str(question): text})

    def with_chosen(self, question: int, choice: str) -> "WeekAnswers":
        return replace(self, chosen={**self.chosen, str(question): choice})

    def with_choice(self, key: str, text: str) -> "WeekAnswers":
        return replace(self, choices={**self.choices, key: text})

    def with_scenario(self, question: int, scenario: str) -> "WeekAnswers":
        return replace(self, scenario={**self.scenario, str(question): scenario})

    def with_response(self, question: int, *, completed: bool) -> "WeekAnswers":
        count = self.nova_responses.get(str(question), 0) + 1
        return replace(
            self,
            nova_responses={**self.nova_responses, str(question): count},
            question_completed={**self.question_completed, str(question): completed},
        )


def _as_sentences(attempts: list[str]) -> str:
    """Join the attempts as sentences; without the stop, "I don't know" and "Tom" would read as one."""
    ended = [text if text.endswith((".", "!", "?", "…")) else f"{text}." for text in attempts[:-1]]
    return " ".join([*ended, *attempts[-1:]])
