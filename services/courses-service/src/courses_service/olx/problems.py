"""Converts a `<problem>` to a quiz if every response in it is a choice."""

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from courses_service.content.model import ChoiceContent, QuestionContent, QuestionKind, QuizContent
from courses_service.content.sanitizer import plain_text, sanitize
from courses_service.olx.xml import inner_html, outer_html, text_html

MAX_QUESTIONS = 100
MAX_CHOICES = 50

_RESPONSES: dict[str, tuple[str, str, QuestionKind]] = {
    "multiplechoiceresponse": ("choicegroup", "choice", "single"),
    "choiceresponse": ("checkboxgroup", "choice", "multiple"),
    "optionresponse": ("optioninput", "option", "single"),
}
_HINTS = frozenset({"choicehint", "compoundhint", "optionhint"})
_NOT_ALLOWED_IN_PROMPTS = (
    frozenset({"checkboxgroup", "choicegroup", "demandhint", "optioninput", "solution"}) | _HINTS
)

_UNSUPPORTED_LAYOUT = "its questions are laid out inside other markup"


class UnsupportedProblem(Exception):
    """The problem can't be converted; the message is the reason given in the import report."""


@dataclass
class _QuestionSource:
    """A response element, the HTML before it, and the solutions after it."""

    response: Element
    introduction: str
    solutions: list[Element] = field(default_factory=list)


def read_problem(problem: Element, title: str) -> QuizContent:
    """Convert a problem whole or not at all: a part of one would be graded wrongly.

    Raises: UnsupportedProblem, MarkupTooComplex.
    """
    kinds = {element.tag for element in problem.iter() if _is_response(element)}
    if not kinds:
        raise UnsupportedProblem("it asks for no answer that can be graded")
    if unknown := sorted(kinds - _RESPONSES.keys()):
        raise UnsupportedProblem(f"its answers aren't multiple choice ({', '.join(unknown)})")
    if problem.find(".//script") is not None:
        raise UnsupportedProblem("it is made by a program of its own")
    sources = _sources(problem)
    if not 1 <= len(sources) <= MAX_QUESTIONS:
        raise UnsupportedProblem(
            _UNSUPPORTED_LAYOUT if not sources else f"it has more than {MAX_QUESTIONS} questions"
        )
    return QuizContent(title, tuple(map(_question, sources)))


def unsupported_details(problem: Element) -> list[str]:
    """Parts of a converted problem that a quiz can't hold, as texts for the report."""
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


def _sources(problem: Element) -> list[_QuestionSource]:
    """Split a problem: text between two responses introduces the second, a solution belongs to the first."""
    sources: list[_QuestionSource] = []
    introduction = text_html(problem.text)
    for element in problem:
        if _is_response(element):
            sources.append(_QuestionSource(element, introduction))
            introduction = text_html(element.tail)
        elif element.tag == "solution" and sources:
            sources[-1].solutions.append(element)
        else:
            introduction += _prompt_part(element)
    if sources:
        sources[-1].introduction += introduction
    return sources


def _prompt_part(element: Element) -> str:
    if element.tag == "demandhint":
        return text_html(element.tail)
    if any(inner.tag in _NOT_ALLOWED_IN_PROMPTS or _is_response(inner) for inner in element.iter()):
        raise UnsupportedProblem(_UNSUPPORTED_LAYOUT)
    return outer_html(element)


def _question(source: _QuestionSource) -> QuestionContent:
    group_tag, choice_tag, kind = _RESPONSES[source.response.tag]
    group: Element | None = None
    explained: list[Element] = []
    prompt = source.introduction + text_html(source.response.text)
    for element in source.response:
        if element.tag == group_tag and group is None:
            group = element
        elif element.tag == "solution":
            explained.append(element)
        elif element.tag != "compoundhint":
            prompt += _prompt_part(element)
    if group is None:
        raise UnsupportedProblem("it has no list of choices")
    prompt = sanitize(prompt)
    if not plain_text(prompt):
        raise UnsupportedProblem("a question has no text of its own")
    choices = tuple(_choice(choice) for choice in group.findall(choice_tag))
    _check(choices, kind)
    explanation = sanitize("".join(map(inner_html, explained + source.solutions)))
    return QuestionContent(kind, prompt, choices, explanation)


def _choice(choice: Element) -> ChoiceContent:
    correct = choice.get("correct", "").lower()
    if correct not in ("true", "false"):
        raise UnsupportedProblem("a choice is neither right nor wrong")
    feedback = [inner_html(hint) for hint in choice if hint.tag in _HINTS and hint.get("selected") != "false"]
    html = sanitize(
        text_html(choice.text)
        + "".join(text_html(part.tail) if part.tag in _HINTS else outer_html(part) for part in choice)
    )
    if not plain_text(html):
        raise UnsupportedProblem("a choice has no text")
    return ChoiceContent(html, correct == "true", sanitize(" ".join(feedback)))


def _check(choices: tuple[ChoiceContent, ...], kind: QuestionKind) -> None:
    right = sum(choice.is_correct for choice in choices)
    if not 2 <= len(choices) <= MAX_CHOICES:
        raise UnsupportedProblem(f"a question has fewer than 2 or more than {MAX_CHOICES} choices")
    if kind == "single" and right != 1:
        raise UnsupportedProblem("a question with one answer has no right choice, or several")
