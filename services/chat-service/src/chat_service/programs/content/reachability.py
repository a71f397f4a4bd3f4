"""Which questions of a week can be reached, and which are answered on every path to them."""

from collections.abc import Iterator

from chat_service.programs.content.model import Question, Week


def leads_to(question: Question) -> Iterator[int]:
    """The numbers of the questions that can come next; one past the last means the week's end."""
    following = question.question_number + 1
    for prompt in question.scenarios:
        yield prompt.next_question or following
    if question.skippable:
        skip = question.prompt("skip_respond")
        yield (skip.next_question if skip else None) or following


def answered_before(
    week: Week, start: int = 1, answered: frozenset[int] = frozenset()
) -> dict[int, frozenset[int]]:
    """For each reachable question, and one past the last: the questions answered on every path to it.

    Paths begin at `start` with the questions `answered`. They only go
    forward, so one pass in the order of numbers is enough. A question that
    can be skipped doesn't count as answered.
    """
    before = {start: answered}
    for question in week.questions:
        number = question.question_number
        if number not in before:
            continue
        then = before[number] | (frozenset() if question.skippable else {number})
        for following in leads_to(question):
            before[following] = before[following] & then if following in before else then
    return before


def kept_by(week: Week, answered: frozenset[int]) -> set[str]:
    """The keys under which these questions keep their answers."""
    return {
        question.keeps
        for question in week.questions
        if question.keeps is not None and question.question_number in answered
    }
