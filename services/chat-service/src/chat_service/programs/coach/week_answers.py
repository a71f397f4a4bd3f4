"""Where somebody stands in a week: the JSON of `conversation_states`, with typed access.

Question numbers are strings in JSON; here they are numbers.
"""

from pydantic import BaseModel, ConfigDict


class WeekAnswers(BaseModel):
    """`answers` hold the attempts at a question, `followups` the answer to its follow-up.

    `chosen` is the choice that an answer named, by question; `choices` what
    is kept for later texts, by key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    answers: dict[str, list[str]] = {}
    nova_responses: dict[str, list[str]] = {}
    iteration_count: dict[str, int] = {}
    question_completed: dict[str, bool] = {}
    scenario: dict[str, str] = {}
    followups: dict[str, str] = {}
    chosen: dict[str, str] = {}
    choices: dict[str, str] = {}

    def answers_to(self, question: int) -> list[str]:
        return self.answers.get(str(question), [])

    def iterations(self, question: int) -> int:
        return self.iteration_count.get(str(question), 0)

    def is_completed(self, question: int) -> bool:
        return self.question_completed.get(str(question), False)

    def scenario_of(self, question: int) -> str | None:
        return self.scenario.get(str(question))

    def awaits_followup(self, question: int) -> bool:
        """Whether the answer is in and the coach has asked one thing more."""
        return self.scenario_of(question) is not None and not self.is_completed(question)

    def spoken_answers(self) -> dict[int, str]:
        """What was answered to each question, for `{Answer to question N}`: the choice, or all attempts."""
        joined = {number: _as_sentences(attempts) for number, attempts in self.answers.items()}
        return {int(number): said for number, said in {**joined, **self.chosen}.items()}

    def with_answer(self, question: int, text: str) -> "WeekAnswers":
        attempts = [*self.answers_to(question), text]
        return self.model_copy(
            update={
                "answers": {**self.answers, str(question): attempts},
                "iteration_count": {**self.iteration_count, str(question): len(attempts)},
            }
        )

    def with_followup(self, question: int, text: str) -> "WeekAnswers":
        return self.model_copy(update={"followups": {**self.followups, str(question): text}})

    def with_chosen(self, question: int, choice: str) -> "WeekAnswers":
        return self.model_copy(update={"chosen": {**self.chosen, str(question): choice}})

    def with_choice(self, key: str, text: str) -> "WeekAnswers":
        return self.model_copy(update={"choices": {**self.choices, key: text}})

    def with_scenario(self, question: int, scenario: str) -> "WeekAnswers":
        return self.model_copy(update={"scenario": {**self.scenario, str(question): scenario}})

    def with_response(self, question: int, text: str, *, completed: bool) -> "WeekAnswers":
        said = [*self.nova_responses.get(str(question), []), text]
        return self.model_copy(
            update={
                "nova_responses": {**self.nova_responses, str(question): said},
                "question_completed": {**self.question_completed, str(question): completed},
            }
        )


def _as_sentences(attempts: list[str]) -> str:
    """One after the other. Run together, "I don't know" and "Tom" would say that Tom is unknown."""
    ended = [text if text.endswith((".", "!", "?", "…")) else f"{text}." for text in attempts[:-1]]
    return " ".join([*ended, *attempts[-1:]])
