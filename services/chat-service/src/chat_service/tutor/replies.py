"""Words the tutor's answer: statements with the number of their passage, or an honest no."""

from collections.abc import Sequence

from chat_service.safety.detection.risk import Risk
from chat_service.safety.help.places import help_text, resources
from chat_service.tutor.answering import Statement
from chat_service.tutor.courses import Course
from chat_service.tutor.schemas import Citation, TutorReply
from chat_service.tutor.search import Found

_SUGGESTIONS = 3


def reply(course: Course, found: Sequence[Found], said: Sequence[Statement], risk: Risk | None) -> TutorReply:
    """With a risk, places to find help come first; the question is answered all the same."""
    sources = list(dict.fromkeys(statement.source for statement in said))
    answer = _cited(said, sources) if said else _decline(course, found)
    return TutorReply(
        resources=resources() if risk else [],
        answer=f"{help_text()}\n\n{answer}" if risk else answer,
        answered=bool(said),
        citations=[
            Citation(
                number=number,
                lesson_id=source.lesson_id,
                lesson_title=source.lesson_title,
                passage=source.passage,
            )
            for number, source in enumerate(sources, start=1)
        ],
    )


def _cited(said: Sequence[Statement], sources: list[Found]) -> str:
    return " ".join(f"{statement.sentence} [{sources.index(statement.source) + 1}]" for statement in said)


def _decline(course: Course, found: Sequence[Found]) -> str:
    titles = list(dict.fromkeys(passage.lesson_title for passage in found))[:_SUGGESTIONS]
    sorry = f"I find no answer to that in the lessons of “{course.title}”, and I don't guess."
    if not titles:
        return f"{sorry} The course has no lessons with text yet."
    examples = ", ".join(f"“{title}”" for title in titles)
    return f"{sorry} You can ask me about anything they cover, for example {examples}."
