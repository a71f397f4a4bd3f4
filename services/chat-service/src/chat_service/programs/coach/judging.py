"""Judges an answer by rules: what is missing, which scenario it belongs to, how the coach responds."""

from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol

from chat_service.embedding import embed, similarity
from chat_service.phrase_matching import has_any, has_phrase, tokens
from chat_service.programs.coach.context import CoachContext
from chat_service.programs.coach.intents import Method
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.model import Prompt, Question
from chat_service.programs.content.rules import Checklist, Rule

ALIKE = 0.6
"""Cosine above which an answer counts as like an example of a scenario."""


@dataclass(frozen=True)
class Validation:
    """`missing` names what the answers lack; `ask` is the coach's question for the first of it."""

    missing: list[str]
    ask: str | None = None

    @property
    def complete(self) -> bool:
        return not self.missing


ClassificationMethod = Method | Literal["model"]


@dataclass(frozen=True)
class Classification:
    """The scenario of an answer, as the prompt that responds to it.

    `confidence`: 1 for a rule that holds, the cosine for an example, 0 for
    the last scenario, None from a language model.
    """

    prompt: Prompt
    method: ClassificationMethod
    confidence: float | None


class Judge(Protocol):
    """Judges an answer. `state` contains the answer already."""

    def validate(self, context: CoachContext, state: WeekAnswers) -> Validation | None:
        """What the answer lacks; None when the question has no requirements."""

    def classify(self, context: CoachContext, state: WeekAnswers) -> Classification: ...

    def speak(self, context: CoachContext, state: WeekAnswers, prompt: Prompt) -> str:
        """The coach's response."""


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
        missing = prompt.conditions.missing(_answer_text(state, question))
        ask = context.text(missing[0].ask, state) if missing else None
        return Validation(missing=[item.name for item in missing], ask=ask)

    def classify(self, context: CoachContext, state: WeekAnswers) -> Classification:
        answer = _answer_text(state, context.question)
        scenarios = context.question.scenarios
        for prompt in scenarios:
            if isinstance(prompt.conditions, Rule) and prompt.conditions.holds(answer):
                return Classification(prompt=prompt, method="rule_based", confidence=1.0)
        return _by_example(answer, scenarios) or Classification(
            prompt=scenarios[-1], method="rule_based", confidence=0.0
        )

    def speak(self, context: CoachContext, state: WeekAnswers, prompt: Prompt) -> str:
        return context.text(prompt.response_text, state)


def choice_in(question: Question, answer: str) -> str | None:
    """The choice that an answer names by number or by words; None when it names none or several."""
    words = tokens(answer)
    numbered = [choice for number, choice in enumerate(question.choices, 1) if words == [str(number)]]
    named = [choice for choice in question.choices if has_phrase(words, choice)]
    found = numbered or named
    return found[0] if len(found) == 1 else None


def _answer_text(state: WeekAnswers, question: Question) -> str:
    """The chosen option, else all attempts joined."""
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
    words = tokens(_answer_text(state, context.question))
    if has_any(words, language.yes) or has_any(words, language.no):
        return Validation(missing=[])
    return Validation(missing=[language.missing["yes_or_no"]], ask=language.says["yes_or_no"])


def _by_example(answer: str, scenarios: list[Prompt]) -> Classification | None:
    with_examples = [prompt for prompt in scenarios if prompt.examples]
    if not with_examples:
        return None
    (vector,) = embed([answer])
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
