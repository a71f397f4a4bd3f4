"""Refuses a programme that could lose its way while somebody is talking: at publishing, never later."""

from collections import Counter
from collections.abc import Iterable, Iterator

from chat_service.programs.content import Programme, Prompt, Question, Week
from chat_service.programs.placeholders import problems as placeholder_problems
from chat_service.programs.rules import Checklist, Rule


class InvalidProgramme(ValueError):
    """Says every problem with its week and question."""

    def __init__(self, source: str, found: list[str]) -> None:
        super().__init__("\n".join(f"{source}: {problem}" for problem in found))
        self.problems = found


def check_programme(programme: Programme, source: str) -> None:
    """Raise InvalidProgramme unless every conversation can be led to its end."""
    found = list(_programme_problems(programme))
    if found:
        raise InvalidProgramme(source, found)


def _programme_problems(programme: Programme) -> Iterator[str]:
    yield from _gaps("week", [week.week_number for week in programme.weeks])
    yield from _repeated(
        "content block", (block.block_name for week in programme.weeks for block in week.content_blocks)
    )
    if not programme.weeks[0].is_active:
        yield "week 1: the first week must be active"
    blocks: set[str] = set()
    for week in programme.weeks:
        blocks |= {block.block_name for block in week.content_blocks}
        for problem in _week_problems(week, blocks):
            yield f"week {week.week_number}, {problem}"


def _week_problems(week: Week, blocks: set[str]) -> Iterator[str]:
    yield from _gaps("question", [question.question_number for question in week.questions])
    for block in week.content_blocks:
        if set("{}") & set(block.content_text):
            yield f"content block {block.block_name}: braces; placeholders are not resolved inside a block"
    for question in week.questions:
        for problem in _question_problems(question, blocks):
            yield f"question {question.question_number}: {problem}"


def _question_problems(question: Question, blocks: set[str]) -> Iterator[str]:
    number = question.question_number
    yield from _repeated("prompt", (prompt.prompt_type for prompt in question.prompts))
    yield from _scenario_problems(question)
    for needed in ("followup", "followup_respond"):
        if question.requires_followup != (question.prompt(needed) is not None):
            yield f"requires_followup is {question.requires_followup}, which does not fit the prompt {needed}"
    yield from placeholder_problems(question.question_text, last_answer=number - 1, blocks=blocks)
    for prompt in question.prompts:
        for text in _texts(prompt):
            for problem in placeholder_problems(text, last_answer=number, blocks=blocks):
                yield f"prompt {prompt.prompt_type}: {problem}"
        yield from _prompt_problems(prompt)


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
        if prompt.conditions in (None, Rule()):
            yield f"prompt {prompt.prompt_type}: without conditions, the scenarios after it are never reached"


def _prompt_problems(prompt: Prompt) -> Iterator[str]:
    if prompt.prompt_type == "validation":
        if not isinstance(prompt.conditions, Checklist):
            yield "prompt validation: the conditions must list items"
    elif prompt.scenario_number is not None:
        if prompt.conditions is not None and not isinstance(prompt.conditions, Rule):
            yield f"prompt {prompt.prompt_type}: the conditions must be a rule"
    elif prompt.conditions is not None:
        yield f"prompt {prompt.prompt_type}: takes no conditions"
    if prompt.prompt_type not in ("classifier", "validation") and not prompt.response_text:
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
