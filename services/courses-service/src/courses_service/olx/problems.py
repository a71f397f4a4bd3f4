"""Turns a `<problem>` whose every response is a choice into a quiz."""

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from courses_service.content import ChoiceContent, QuestionContent, QuestionKind, QuizContent
from courses_service.markup import plain_text, sanitize
from courses_service.olx.xml import inner_html, outer_html, text_html

MAX_QUESTIONS = 100
MAX_CHOICES = 50

_GROUPS: dict[str, tuple[str, str, QuestionKind]] = {
    "multiplechoiceresponse": ("choicegroup", "choice", "single"),
    "choiceresponse": ("checkboxgroup", "choice", "multiple"),
    "optionresponse": ("optioninput", "option", "single"),
}
_HINTS = frozenset({"choicehint", "compoundhint", "optionhint"})
_NOT_PROMPT = frozenset({"checkboxgroup", "choicegroup", "demandhint", "optioninput", "solution"}) | _HINTS


_LAYOUT = "its questions are laid out inside other markup"


class NotAQuiz(Exception):
    """The problem can't be taken over; the message is the reason for the report."""


@dataclass
class _Draft:
    """A response, the HTML that introduces it, and what is said after it."""

    response: Element
    lead: str
    solutions: list[Element] = field(default_factory=list)


def read_problem(problem: Element, title: str) -> QuizContent:
    """A problem is taken over whole or not at all: half of one would be graded wrongly."""
    kinds = {element.tag for element in problem.iter() if _is_response(element)}
    if not kinds:
        raise NotAQuiz("it asks for no answer that can be graded")
    if unknown := sorted(kinds - _GROUPS.keys()):
        raise NotAQuiz(f"its answers aren't multiple choice ({', '.join(unknown)})")
    if problem.find(".//script") is not None:
        raise NotAQuiz("it is made by a program of its own")
    drafts = _drafts(problem)
    if not 1 <= len(drafts) <= MAX_QUESTIONS:
        raise NotAQuiz(_LAYOUT if not drafts else f"it has more than {MAX_QUESTIONS} questions")
    return QuizContent(title, tuple(map(_question, drafts)))


def lost_details(problem: Element) -> list[str]:
    """Parts of a problem that is taken over which have no place in a quiz."""
    hints = len(problem.findall(".//demandhint/hint"))
    compound = len(problem.findall(".//compoundhint"))
    unselected = [hint for hint in problem.iter("choicehint") if hint.get("selected") == "false"]
    found = [
        (hints, "hints on demand"),
        (compound, "feedback on combinations"),
        (len(unselected), "feedback on what wasn't chosen"),
    ]
    return [f"{count} {what}" for count, what in found if count]


def _is_response(element: Element) -> bool:
    return element.tag.endswith("response")


def _drafts(problem: Element) -> list[_Draft]:
    """Text between two responses introduces the second; a solution belongs to the one before it."""
    drafts: list[_Draft] = []
    lead = text_html(problem.text)
    for element in problem:
        if _is_response(element):
            drafts.append(_Draft(element, lead))
            lead = text_html(element.tail)
        elif element.tag == "solution" and drafts:
            drafts[-1].solutions.append(element)
        else:
            lead += _prompt_part(element)
    if drafts:
        drafts[-1].lead += lead
    return drafts


def _prompt_part(element: Element) -> str:
    if element.tag == "demandhint":
        return text_html(element.tail)
    if any(inner.tag in _NOT_PROMPT or _is_response(inner) for inner in element.iter()):
        raise NotAQuiz(_LAYOUT)
    return outer_html(element)


def _question(draft: _Draft) -> QuestionContent:
    group_tag, choice_tag, kind = _GROUPS[draft.response.tag]
    group: Element | None = None
    explained: list[Element] = []
    prompt = draft.lead + text_html(draft.response.text)
    for element in draft.response:
        if element.tag == group_tag and group is None:
            group = element
        elif element.tag == "solution":
            explained.append(element)
        elif element.tag != "compoundhint":
            prompt += _prompt_part(element)
    if group is None:
        raise NotAQuiz("it has no list of choices")
    prompt = sanitize(prompt)
    if not plain_text(prompt):
        raise NotAQuiz("a question has no text of its own")
    choices = tuple(_choice(choice) for choice in group.findall(choice_tag))
    _check(choices, kind)
    explanation = sanitize("".join(map(inner_html, explained + draft.solutions)))
    return QuestionContent(kind, prompt, choices, explanation)


def _choice(choice: Element) -> ChoiceContent:
    correct = choice.get("correct", "").lower()
    if correct not in ("true", "false"):
        raise NotAQuiz("a choice is neither right nor wrong")
    feedback = [inner_html(hint) for hint in choice if hint.tag in _HINTS and hint.get("selected") != "false"]
    html = sanitize(
        text_html(choice.text)
        + "".join(text_html(part.tail) if part.tag in _HINTS else outer_html(part) for part in choice)
    )
    if not plain_text(html):
        raise NotAQuiz("a choice has no text")
    return ChoiceContent(html, correct == "true", sanitize(" ".join(feedback)))


def _check(choices: tuple[ChoiceContent, ...], kind: QuestionKind) -> None:
    right = sum(choice.is_correct for choice in choices)
    if not 2 <= len(choices) <= MAX_CHOICES:
        raise NotAQuiz(f"a question has fewer than 2 or more than {MAX_CHOICES} choices")
    if kind == "single" and right != 1:
        raise NotAQuiz("a question with one answer has no right choice, or several")
