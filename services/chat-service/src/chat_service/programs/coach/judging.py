"""Judging an answer without a language model: what is missing, which scenario it is, what is said to it."""

from functools import cache
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from chat_service.embedding import embed, similarity
from chat_service.phrase_matching import has_any, has_phrase, tokens
from chat_service.programs.coach.context import CoachContext
from chat_service.programs.coach.intents import Method
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.model import Prompt, Question
from chat_service.programs.content.rules import Checklist, Rule

ALIKE = 0.6
"""Cosine above which an answer counts as like an example of a scenario."""


class Validation(BaseModel):
    """`missing` names what the answers so far lack; `ask` is how the coach asks for the first of it."""

    model_config = ConfigDict(frozen=True)

    missing: list[str]
    ask: str | None = None

    @property
    def complete(self) -> bool:
        return not self.missing


class Classification(BaseModel):
    """`confidence`: 1 for a rule that holds, the cosine for an example, 0 for the last scenario.

    A language model gives none.
    """

    model_config = ConfigDict(frozen=True)

    prompt: Prompt
    method: Method | Literal["model"]
    confidence: float | None


class Judge(Protocol):
    """What an answer is measured by. The state has the answer in it already."""

    def validate(self, context: CoachContext, state: WeekAnswers) -> Validation | None:
        """None when the question asks for nothing in particular."""

    def classify(self, context: CoachContext, state: WeekAnswers) -> Classification: ...

    def speak(self, context: CoachContext, state: WeekAnswers, prompt: Prompt) -> str:
        """The coach's words to it."""


class Rules:
    """The program's own rules, examples and texts."""

    def validate(self, context: CoachContext, state: WeekAnswers) -> Validation | None:
        question = context.question
        if question.choices:
            return _choice(context, state)
        if question.question_type == "yes_no":
            found = _yes_or_no(context, state)
            if not found.complete:
                return found
        prompt = question.prompt("validation")
        if prompt is None or not isinstance(prompt.conditions, Checklist):
            return found if question.question_type == "yes_no" else None
        missing = prompt.conditions.missing(_said(state, question))
        ask = context.text(missing[0].ask, state) if missing else None
        return Validation(missing=[item.name for item in missing], ask=ask)

    def classify(self, context: CoachContext, state: WeekAnswers) -> Classification:
        said = _said(state, context.question)
        scenarios = context.question.scenarios
        for prompt in scenarios:
            if isinstance(prompt.conditions, Rule) and prompt.conditions.holds(said):
                return Classification(prompt=prompt, method="rule_based", confidence=1.0)
        return _by_example(said, scenarios) or Classification(
            prompt=scenarios[-1], method="rule_based", confidence=0.0
        )

    def speak(self, context: CoachContext, state: WeekAnswers, prompt: Prompt) -> str:
        return context.text(prompt.response_text, state)


def choice_in(question: Question, answer: str) -> str | None:
    """The choice that an answer names, by its number or its words; None when it is none or several."""
    words = tokens(answer)
    numbered = [choice for number, choice in enumerate(question.choices, 1) if words == [str(number)]]
    named = [choice for choice in question.choices if has_phrase(words, choice)]
    found = numbered or named
    return found[0] if len(found) == 1 else None


def _said(state: WeekAnswers, question: Question) -> str:
    """The choice that was named, else all attempts together."""
    chosen = state.chosen.get(str(question.question_number))
    return chosen or " ".join(state.answers_to(question.question_number))


def _choice(context: CoachContext, state: WeekAnswers) -> Validation:
    question, language = context.question, context.phrases
    if str(question.question_number) in state.chosen:
        return Validation(missing=[])
    listed = "\n".join(f"{number}. {choice}" for number, choice in enumerate(question.choices, 1))
    return Validation(missing=[language.missing["choice"]], ask=f"{language.says['choose']}\n{listed}")


def _yes_or_no(context: CoachContext, state: WeekAnswers) -> Validation:
    language = context.phrases
    words = tokens(_said(state, context.question))
    if has_any(words, language.yes) or has_any(words, language.no):
        return Validation(missing=[])
    return Validation(missing=[language.missing["yes_or_no"]], ask=language.says["yes_or_no"])


def _by_example(said: str, scenarios: list[Prompt]) -> Classification | None:
    with_examples = [prompt for prompt in scenarios if prompt.examples]
    if not with_examples:
        return None
    (vector,) = embed([said])
    best, index = max(
        (similarity(vector, example), index)
        for index, prompt in enumerate(with_examples)
        for example in _vectors(tuple(prompt.examples))
    )
    if best < ALIKE:
        return None
    return Classification(prompt=with_examples[index], method="hybrid", confidence=round(min(best, 1.0), 3))


@cache
def _vectors(examples: tuple[str, ...]) -> list[list[float]]:
    return embed(examples)
