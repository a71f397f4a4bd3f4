"""Refuses a program that could lose its way while somebody is talking: at publishing, never later."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from chat_service.programs.content.model import Program, Prompt, Question, Week
from chat_service.programs.content.placeholders import RESERVED, Known
from chat_service.programs.content.placeholders import problems as placeholder_problems
from chat_service.programs.content.reachability import answered_before, kept_by
from chat_service.programs.content.rules import Checklist, Rule

SPOKEN_WITHOUT_ANSWER = ("skip_respond", "clarify_respond")
NEVER_SPOKEN = ("classifier", "validation")


class InvalidProgram(ValueError):
    """Says every problem with its week and question."""

    def __init__(self, source: str, found: list[str]) -> None:
        super().__init__("\n".join(f"{source}: {problem}" for problem in found))
        self.problems = found


@dataclass(frozen=True)
class _Scope:
    """What the weeks before leave behind."""

    blocks: frozenset[str]
    kept: frozenset[str]


def check_program(program: Program, source: str) -> None:
    """Raise InvalidProgram unless every conversation can be led to its end."""
    found = list(_program_problems(program))
    if found:
        raise InvalidProgram(source, found)


def _program_problems(program: Program) -> Iterator[str]:
    yield from _gaps("week", [week.week_number for week in program.weeks])
    yield from _repeated(
        "content block", (block.block_name for week in program.weeks for block in week.content_blocks)
    )
    yield from _repeated("step", _of_questions(program, "step"))
    yield from _repeated("keeps", _of_questions(program, "keeps"))
    if not program.weeks[0].is_active:
        yield "week 1: the first week must be active"
    scope = _Scope(frozenset(), frozenset())
    for week in program.weeks:
        blocks = scope.blocks | {block.block_name for block in week.content_blocks}
        scope = replace(scope, blocks=blocks)
        for problem in _week_problems(week, scope):
            yield f"week {week.week_number}, {problem}"
        if week.is_active:
            at_its_end = answered_before(week).get(len(week.questions) + 1, frozenset())
            scope = replace(scope, kept=scope.kept | kept_by(week, at_its_end))


def _of_questions(program: Program, name: str) -> list[str]:
    found = (getattr(question, name) for week in program.weeks for question in week.questions)
    return [value for value in found if value is not None]


def _week_problems(week: Week, scope: _Scope) -> Iterator[str]:
    gaps = list(_gaps("question", [question.question_number for question in week.questions]))
    yield from gaps
    for block in week.content_blocks:
        if set("{}") & set(block.content_text):
            yield f"content block {block.block_name}: braces; placeholders are not resolved inside a block"
    before = {} if gaps else answered_before(week)
    for question in week.questions:
        number = question.question_number
        answered = before.get(number)
        if answered is None and not gaps:
            yield f"question {number}: no way leads to it"
        for problem in _question_problems(question, len(week.questions)):
            yield f"question {number}: {problem}"
        if answered is not None:
            known = Known(answered, scope.blocks, scope.kept | kept_by(week, answered))
            for problem in text_problems(question, known):
                yield f"question {number}: {problem}"


def _question_problems(question: Question, last: int) -> Iterator[str]:
    yield from _repeated("prompt", (prompt.prompt_type for prompt in question.prompts))
    yield from _scenario_problems(question)
    yield from _jump_problems(question, last)
    yield from _choice_problems(question)
    for needed in ("followup", "followup_respond"):
        if question.requires_followup != (question.prompt(needed) is not None):
            yield f"requires_followup is {question.requires_followup}, which does not fit the prompt {needed}"
    if question.prompt("skip_respond") is not None and not question.skippable:
        yield "prompt skip_respond: the question is not skippable"
    if question.keeps in RESERVED:
        yield f"keeps {question.keeps}: this name stands for something else"
    for prompt in question.prompts:
        yield from _prompt_problems(prompt)


def text_problems(question: Question, known: Known) -> Iterator[str]:
    """What in the question's texts can't be resolved by what is known when it is asked."""
    yield from placeholder_problems(question.question_text, known)
    own_key = set() if question.keeps is None else {question.keeps}
    answered = Known({*known.answers, question.question_number}, known.blocks, {*known.kept, *own_key})
    for prompt in question.prompts:
        scope = known if prompt.prompt_type in SPOKEN_WITHOUT_ANSWER else answered
        for text in _texts(prompt):
            for problem in placeholder_problems(text, scope):
                yield f"prompt {prompt.prompt_type}: {problem}"


def _scenario_problems(question: Question) -> Iterator[str]:
    scenarios = question.scenarios
    if not scenarios:
        yield "the prompt scenario_1_respond is missing"
        return
    yield from _gaps("scenario", [prompt.scenario_number or 0 for prompt in scenarios])
    if len(scenarios) > 1 and question.prompt("classifier") is None:
        yield "the prompt classifier is missing, with more than one scenario to choose from"
    if scenarios[-1].conditions is not None:
        yield "the last scenario has conditions; without them it takes every answer that fits no other"
    for prompt in scenarios[:-1]:
        if prompt.conditions == Rule() or (prompt.conditions is None and not prompt.examples):
            yield f"prompt {prompt.prompt_type}: without conditions, the scenarios after it are never reached"


def _jump_problems(question: Question, last: int) -> Iterator[str]:
    for prompt in question.prompts:
        target = prompt.next_question
        if target is None:
            continue
        if prompt.scenario_number is None and prompt.prompt_type != "skip_respond":
            yield f"prompt {prompt.prompt_type}: only scenarios and skip_respond have a next_question"
        elif target <= question.question_number:
            yield f"prompt {prompt.prompt_type}: next_question {target} leads back, which makes a loop"
        elif target > last:
            yield f"prompt {prompt.prompt_type}: there is no question {target}; the last one is {last}"


def _choice_problems(question: Question) -> Iterator[str]:
    if question.question_type == "multiple_choice":
        if len(question.choices) < 2:
            yield "multiple_choice needs at least two choices"
        yield from _repeated("choice", (choice.casefold() for choice in question.choices))
    elif question.choices:
        yield f"choices do not belong to a question of type {question.question_type}"


def _prompt_problems(prompt: Prompt) -> Iterator[str]:
    if prompt.prompt_type == "validation":
        if not isinstance(prompt.conditions, Checklist):
            yield "prompt validation: the conditions must list items"
    elif prompt.scenario_number is not None:
        if prompt.conditions is not None and not isinstance(prompt.conditions, Rule):
            yield f"prompt {prompt.prompt_type}: the conditions must be a rule"
    elif prompt.conditions is not None:
        yield f"prompt {prompt.prompt_type}: takes no conditions"
    if prompt.examples and prompt.scenario_number is None:
        yield f"prompt {prompt.prompt_type}: only scenarios have examples"
    if prompt.prompt_type not in NEVER_SPOKEN and not prompt.response_text:
        yield f"prompt {prompt.prompt_type}: the response_text is missing"


def _texts(prompt: Prompt) -> Iterator[str]:
    yield prompt.prompt_text
    yield prompt.response_text
    if isinstance(prompt.conditions, Checklist):
        yield from (item.ask for item in prompt.conditions.items)


def _gaps(what: str, numbers: list[int]) -> Iterator[str]:
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{what} numbers are {', '.join(map(str, numbers))}; they must count from 1 without a gap"


def _repeated(what: str, names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{what} {name} occurs {count} times"
