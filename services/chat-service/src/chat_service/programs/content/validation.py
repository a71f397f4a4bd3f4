"""Validates a program as a whole before it is published: numbering, reachability, placeholders, prompts."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from chat_service.programs.content.model import Program, Prompt, Question, Week
from chat_service.programs.content.placeholders import RESERVED, Known
from chat_service.programs.content.placeholders import problems as placeholder_problems
from chat_service.programs.content.reachability import answered_before, kept_by
from chat_service.programs.content.rules import Checklist, Rule
from chat_service.programs.content.validation_messages import ValidationMessage

SPOKEN_WITHOUT_ANSWER = ("skip_respond", "clarify_respond")
NEVER_SPOKEN = ("classifier", "validation")


class InvalidProgram(ValueError):
    """`messages` are all problems of the program; the text has one line for each."""

    def __init__(self, source: str, messages: list[ValidationMessage]) -> None:
        super().__init__("\n".join(f"{source}: {message}" for message in messages))
        self.messages = messages


@dataclass(frozen=True)
class _Scope:
    """Content blocks and kept texts of the weeks so far."""

    blocks: frozenset[str]
    kept: frozenset[str]


def check_program(program: Program, source: str) -> None:
    """Raises: InvalidProgram (a conversation could reach a text or question that doesn't exist)."""
    found = list(_program_problems(program))
    if found:
        raise InvalidProgram(source, found)


def _program_problems(program: Program) -> Iterator[ValidationMessage]:
    yield from _gaps("week", [week.week_number for week in program.weeks])
    yield from _repeated(
        "content block", (block.block_name for week in program.weeks for block in week.content_blocks)
    )
    yield from _repeated("step", _of_questions(program, "step"))
    yield from _repeated("keeps", _of_questions(program, "keeps"))
    if not program.weeks[0].is_active:
        yield ValidationMessage(week=1, message="the first week must be active")
    scope = _Scope(frozenset(), frozenset())
    for week in program.weeks:
        blocks = scope.blocks | {block.block_name for block in week.content_blocks}
        scope = replace(scope, blocks=blocks)
        for problem in _week_problems(week, scope):
            yield replace(problem, week=week.week_number)
        if week.is_active:
            at_its_end = answered_before(week).get(len(week.questions) + 1, frozenset())
            scope = replace(scope, kept=scope.kept | kept_by(week, at_its_end))


def _of_questions(program: Program, name: str) -> list[str]:
    found = (getattr(question, name) for week in program.weeks for question in week.questions)
    return [value for value in found if value is not None]


def _week_problems(week: Week, scope: _Scope) -> Iterator[ValidationMessage]:
    gaps = list(_gaps("question", [question.question_number for question in week.questions]))
    yield from gaps
    for block in week.content_blocks:
        if set("{}") & set(block.content_text):
            text = f"content block {block.block_name}: braces; placeholders are not resolved inside a block"
            yield ValidationMessage(message=text)
    before = {} if gaps else answered_before(week)
    for question in week.questions:
        number = question.question_number
        answered = before.get(number)
        if answered is None and not gaps:
            yield ValidationMessage(question=number, message="no way leads to it")
        for problem in _question_problems(question, len(week.questions)):
            yield replace(problem, question=number)
        if answered is not None:
            known = Known(answered, scope.blocks, scope.kept | kept_by(week, answered))
            for problem in text_problems(question, known):
                yield replace(problem, question=number)


def _question_problems(question: Question, last: int) -> Iterator[ValidationMessage]:
    yield from _repeated("prompt", (prompt.prompt_type for prompt in question.prompts))
    yield from _scenario_problems(question)
    yield from _jump_problems(question, last)
    yield from _choice_problems(question)
    for needed in ("followup", "followup_respond"):
        if question.requires_followup != (question.prompt(needed) is not None):
            required = question.requires_followup
            text = f"requires_followup is {required}, which does not fit the prompt {needed}"
            yield ValidationMessage(message=text)
    if question.prompt("skip_respond") is not None and not question.skippable:
        yield ValidationMessage(prompt="skip_respond", message="the question is not skippable")
    if question.keeps in RESERVED:
        yield ValidationMessage(message=f"keeps {question.keeps}: this name stands for something else")
    for prompt in question.prompts:
        yield from _prompt_problems(prompt)


def text_problems(question: Question, known: Known) -> Iterator[ValidationMessage]:
    """What in the question's texts can't be resolved by what is known when it is asked."""
    for problem in placeholder_problems(question.question_text, known):
        yield ValidationMessage(message=problem)
    own_key = set() if question.keeps is None else {question.keeps}
    answered = Known({*known.answers, question.question_number}, known.blocks, {*known.kept, *own_key})
    for prompt in question.prompts:
        scope = known if prompt.prompt_type in SPOKEN_WITHOUT_ANSWER else answered
        for text in _texts(prompt):
            for problem in placeholder_problems(text, scope):
                yield ValidationMessage(prompt=prompt.prompt_type, message=problem)


def _scenario_problems(question: Question) -> Iterator[ValidationMessage]:
    scenarios = question.scenarios
    if not scenarios:
        yield ValidationMessage(message="the prompt scenario_1_respond is missing")
        return
    yield from _gaps("scenario", [prompt.scenario_number or 0 for prompt in scenarios])
    if len(scenarios) > 1 and question.prompt("classifier") is None:
        yield ValidationMessage(
            message="the prompt classifier is missing, with more than one scenario to choose from"
        )
    if scenarios[-1].conditions is not None:
        yield ValidationMessage(
            message="the last scenario has conditions; without them it takes every answer that fits no other"
        )
    for prompt in scenarios[:-1]:
        if prompt.conditions == Rule() or (prompt.conditions is None and not prompt.examples):
            yield ValidationMessage(
                prompt=prompt.prompt_type,
                message="without conditions, the scenarios after it are never reached",
            )


def _jump_problems(question: Question, last: int) -> Iterator[ValidationMessage]:
    for prompt in question.prompts:
        target = prompt.next_question
        if target is None:
            continue
        if prompt.scenario_number is None and prompt.prompt_type != "skip_respond":
            yield ValidationMessage(
                prompt=prompt.prompt_type, message="only scenarios and skip_respond have a next_question"
            )
        elif target <= question.question_number:
            yield ValidationMessage(
                prompt=prompt.prompt_type, message=f"next_question {target} leads back, which makes a loop"
            )
        elif target > last:
            yield ValidationMessage(
                prompt=prompt.prompt_type, message=f"there is no question {target}; the last one is {last}"
            )


def _choice_problems(question: Question) -> Iterator[ValidationMessage]:
    if question.question_type == "multiple_choice":
        if len(question.choices) < 2:
            yield ValidationMessage(message="multiple_choice needs at least two choices")
        yield from _repeated("choice", (choice.casefold() for choice in question.choices))
    elif question.choices:
        yield ValidationMessage(
            message=f"choices do not belong to a question of type {question.question_type}"
        )


def _prompt_problems(prompt: Prompt) -> Iterator[ValidationMessage]:
    if prompt.prompt_type == "validation":
        if not isinstance(prompt.conditions, Checklist):
            yield ValidationMessage(prompt="validation", message="the conditions must list items")
    elif prompt.scenario_number is not None:
        if prompt.conditions is not None and not isinstance(prompt.conditions, Rule):
            yield ValidationMessage(prompt=prompt.prompt_type, message="the conditions must be a rule")
    elif prompt.conditions is not None:
        yield ValidationMessage(prompt=prompt.prompt_type, message="takes no conditions")
    if prompt.examples and prompt.scenario_number is None:
        yield ValidationMessage(prompt=prompt.prompt_type, message="only scenarios have examples")
    if prompt.prompt_type not in NEVER_SPOKEN and not prompt.response_text:
        yield ValidationMessage(prompt=prompt.prompt_type, message="the response_text is missing")


def _texts(prompt: Prompt) -> Iterator[str]:
    yield prompt.prompt_text
    yield prompt.response_text
    if isinstance(prompt.conditions, Checklist):
        yield from (item.ask for item in prompt.conditions.items)


def _gaps(what: str, numbers: list[int]) -> Iterator[ValidationMessage]:
    if numbers != list(range(1, len(numbers) + 1)):
        yield ValidationMessage(
            message=f"{what} numbers are {', '.join(map(str, numbers))}; they must count from 1 without a gap"
        )


def _repeated(what: str, names: Iterable[str]) -> Iterator[ValidationMessage]:
    for name, count in Counter(names).items():
        if count > 1:
            yield ValidationMessage(message=f"{what} {name} occurs {count} times")
