"""What the coach says to an answer: a function of the programme, the state and the answer alone.

Validation asks for what is missing, twice at most; then, or when nothing is
missing, the answer is classified, the scenario's text answers it, a follow-up
may ask one thing more, and the next question comes.
"""

from dataclasses import dataclass

from chat_service.programs.content import Programme, Prompt, Question, Week
from chat_service.programs.placeholders import resolve
from chat_service.programs.rules import Checklist, Rule
from chat_service.programs.state import ConversationData
from chat_service.safety.check import supportive_answer

MAX_ITERATIONS = 3


@dataclass(frozen=True)
class Standing:
    """Where the conversation is before an answer."""

    programme: Programme
    week: Week
    question: Question
    state: ConversationData
    name: str

    @property
    def iteration(self) -> int:
        """The number of the attempt that comes next; a follow-up counts as one."""
        return self.state.iterations(self.question.question_number) + 1

    def text(self, raw: str, state: ConversationData | None = None) -> str:
        """A text of the programme with its placeholders resolved."""
        answers = (state or self.state).spoken_answers()
        return resolve(raw, name=self.name, answers=answers, blocks=self.programme.blocks)


@dataclass(frozen=True)
class Validation:
    complete: bool
    missing: list[str]


@dataclass(frozen=True)
class Step:
    """What one answer leads to. `is_answer` is false when the coaching paused and nothing advanced."""

    answer: str
    iteration: int
    state: ConversationData
    response: str
    prompt: Prompt | None = None
    validation: Validation | None = None
    is_answer: bool = True

    def completes(self, question: Question) -> bool:
        return self.state.is_completed(question.question_number)

    def scenario(self, question: Question) -> str | None:
        return self.state.scenario_of(question.question_number)


def respond(standing: Standing, answer: str) -> Step:
    """The coach's step from here."""
    question, number = standing.question, standing.question.question_number
    if standing.state.awaits_followup(number):
        return _close_followup(standing, answer)
    state = standing.state.with_answer(number, answer)
    validation, ask = _validate(question, _attempts(state, number))
    if ask is None or state.iterations(number) == MAX_ITERATIONS:
        return _answer_by_scenario(standing, state, answer, validation)
    response = standing.text(ask, state)
    return Step(
        answer=answer,
        iteration=standing.iteration,
        state=state.with_response(number, response, completed=False),
        response=response,
        prompt=question.prompt("validation"),
        validation=validation,
    )


def pause(standing: Standing, answer: str) -> Step:
    """A supportive answer while somebody may be in danger; the question stays where it is."""
    return Step(
        answer=answer,
        iteration=standing.iteration,
        state=standing.state,
        response=supportive_answer(),
        is_answer=False,
    )


def _attempts(state: ConversationData, number: int) -> str:
    return " ".join(state.answers_to(number))


def _validate(question: Question, answered: str) -> tuple[Validation | None, str | None]:
    """What the answers so far lack, and how to ask for the most important of it."""
    prompt = question.prompt("validation")
    if prompt is None or not isinstance(prompt.conditions, Checklist):
        return None, None
    missing = prompt.conditions.missing(answered)
    return Validation(not missing, [item.name for item in missing]), missing[0].ask if missing else None


def _answer_by_scenario(
    standing: Standing, state: ConversationData, answer: str, validation: Validation | None
) -> Step:
    question, number = standing.question, standing.question.question_number
    prompt = _classify(question, _attempts(state, number))
    state = state.with_scenario(number, prompt.scenario_name or "")
    followup = question.prompt("followup")
    texts = [prompt.response_text, *([followup.response_text] if followup else [])]
    response = "\n\n".join(standing.text(raw, state) for raw in texts)
    return Step(
        answer=answer,
        iteration=standing.iteration,
        state=state.with_response(number, response, completed=followup is None),
        response=response,
        prompt=prompt,
        validation=validation,
    )


def _classify(question: Question, answered: str) -> Prompt:
    """The first scenario whose conditions hold; the last has none."""
    return next(
        prompt
        for prompt in question.scenarios
        if not isinstance(prompt.conditions, Rule) or prompt.conditions.holds(answered)
    )


def _close_followup(standing: Standing, answer: str) -> Step:
    number = standing.question.question_number
    prompt = standing.question.prompt("followup_respond")
    assert prompt is not None, "publishing checks that a follow-up has its response"
    state = standing.state.with_followup(number, answer)
    response = standing.text(prompt.response_text, state)
    return Step(
        answer=answer,
        iteration=standing.iteration,
        state=state.with_response(number, response, completed=True),
        response=response,
        prompt=prompt,
    )
