"""Formats summaries as Markdown, in the language of the program session."""

from collections.abc import Iterable

from chat_service.programs.records.markdown import escape, escape_line, facts
from chat_service.programs.records.transcript import readable
from chat_service.programs.records.ui_texts import ui_texts
from chat_service.programs.sessions.summary import SummarizedAnswer, SummarizedWeek, Summary


def render(summary: Summary) -> str:
    """Return the summary as Markdown with `\\n` line ends."""
    return "\n\n".join(_blocks(summary, ui_texts(summary.locale))) + "\n"


def _blocks(summary: Summary, words: dict[str, str]) -> Iterable[str]:
    yield f"# {escape_line(summary.title)}: {words['summary']}"
    yield from facts([(words["participant"], summary.name)])
    if summary.summary_type == "partial":
        yield f"*{words['partial']}*"
    for week in summary.weeks:
        yield from _week(week, words)


def _week(week: SummarizedWeek, words: dict[str, str]) -> Iterable[str]:
    yield f"## {words['week'].format(number=week.week)}: {escape_line(week.title)}"
    yield from facts((readable(key), value) for key, value in week.kept.items())
    for answer in week.answers:
        yield from _answer(answer, words)
    for skipped in week.skipped:
        yield f"### {_heading(skipped.question, skipped.step, words)}: {words['skipped']}"


def _answer(answer: SummarizedAnswer, words: dict[str, str]) -> Iterable[str]:
    yield f"### {_heading(answer.question, answer.step, words)}"
    yield f"*{escape_line(answer.asked)}*"
    yield from filter(None, (escape(answer.answer), escape(answer.followup or "")))


def _heading(question: int, step: str | None, words: dict[str, str]) -> str:
    return escape_line(readable(step)) if step else words["question"].format(number=question)
