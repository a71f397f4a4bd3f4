"""Converts a course archive to course content.

chapter → section, sequential → subsection, vertical → lesson, problem → quiz.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from courses_service.content.model import CourseContent, LessonContent, QuizContent, SectionContent
from courses_service.content.sanitizer import MarkupTooComplex, plain_text, removed_by_sanitizing, sanitize
from courses_service.olx.archive import Archive, read_archive
from courses_service.olx.blocks import Block, BlockResolver
from courses_service.olx.errors import NothingToImport
from courses_service.olx.problems import UnsupportedProblem, read_problem, unsupported_details
from courses_service.olx.report import Report
from courses_service.olx.unused_files import report_unused_files

MAX_DESCRIPTION_LENGTH = 4000
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")
_DESCRIPTION_FILES = ("about/short_description.html", "about/overview.html")


@dataclass(frozen=True)
class ParsedCourse:
    """`source` identifies the course in Open edX: organization+number+run."""

    content: CourseContent
    report: Report
    source: str


def _language(course: Block) -> str:
    """The course's language tag, or `und` (undetermined) if it has none that is valid."""
    given = course.element.get("language", "")
    return given if _LANGUAGE.fullmatch(given) else "und"


@dataclass
class _Unit:
    """HTML and quizzes collected from the blocks of one vertical."""

    location: str
    html_parts: list[str] = field(default_factory=list)
    quizzes: list[QuizContent] = field(default_factory=list)


def read_olx(packed: BinaryIO) -> ParsedCourse:
    """Parse a course archive. Raises: MalformedArchive, ArchiveTooLarge, NothingToImport."""
    return _OlxReader(read_archive(packed)).read()


class _OlxReader:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._report = Report()
        self._blocks = BlockResolver(archive, self._report)

    def read(self) -> ParsedCourse:
        course = self._blocks.course()
        sections = tuple(self._sections(course))
        if not sections:
            raise NothingToImport
        self._blocks.mark_imported(course, "")
        description = self._description()
        content = CourseContent(
            title=course.title,
            description=description,
            language=_language(course),
            sections=sections,
        )
        report_unused_files(self._archive, self._blocks.used, self._report)
        return ParsedCourse(content, self._report, self._blocks.source)

    def _description(self) -> str:
        for path in _DESCRIPTION_FILES:
            if text := plain_text(sanitize(self._blocks.text(path))):
                self._blocks.used.add(path)
                return text[:MAX_DESCRIPTION_LENGTH]
        return ""

    def _sections(self, course: Block) -> Iterator[SectionContent]:
        for chapter in self._blocks.children(course, "", expected="chapter"):
            lessons = tuple(self._lessons_of_chapter(chapter))
            if lessons:
                self._blocks.mark_imported(chapter, chapter.title)
                yield SectionContent(chapter.title, lessons)
            else:
                self._blocks.skip_empty(chapter, chapter.title)

    def _lessons_of_chapter(self, chapter: Block) -> Iterator[LessonContent]:
        for sequential in self._blocks.children(chapter, chapter.title, expected="sequential"):
            location = f"{chapter.title} / {sequential.title}"
            lessons = tuple(self._lessons(sequential, location))
            if lessons:
                self._blocks.mark_imported(sequential, location)
                yield from lessons
            else:
                self._blocks.skip_empty(sequential, location)

    def _lessons(self, sequential: Block, location: str) -> Iterator[LessonContent]:
        for vertical in self._blocks.children(sequential, location, expected="vertical"):
            unit = _Unit(f"{location} / {vertical.title}")
            self._fill(unit, vertical)
            if unit.html_parts or unit.quizzes:
                self._blocks.mark_imported(vertical, unit.location)
                html, quizzes = "\n".join(unit.html_parts), tuple(unit.quizzes)
                yield LessonContent(vertical.title, html, sequential.title, quizzes)
            else:
                self._blocks.skip_empty(vertical, unit.location)

    def _fill(self, unit: _Unit, parent: Block) -> None:
        for block in self._blocks.children(parent, unit.location):
            if block.kind == "html":
                self._add_html(unit, block)
            elif block.kind == "problem":
                self._add_quiz(unit, block)
            elif block.kind == "library_content" and parent.kind == "vertical":
                reason = "learners get all of its problems instead of a random selection"
                self._report.skip(block.kind, block.title, reason, unit.location)
                self._fill(unit, block)
            else:
                self._blocks.skip(block, f"{block.kind} blocks aren't supported", unit.location)

    def _add_html(self, unit: _Unit, block: Block) -> None:
        source = self._blocks.html(block)
        try:
            html = sanitize(source)
        except MarkupTooComplex as error:
            self._blocks.skip(block, f"its markup is too complex: {error}", unit.location)
            return
        removed = ", ".join(f"{n} {what}" for what, n in sorted(removed_by_sanitizing(source).items()))
        if not plain_text(html):
            reason = f"it has no text of its own ({removed})" if removed else "it is empty"
            self._blocks.skip(block, reason, unit.location)
            return
        unit.html_parts.append(html)
        self._blocks.mark_imported(block, unit.location)
        if removed:
            self._report.skip("markup", block.title, f"removed or replaced: {removed}", unit.location)

    def _add_quiz(self, unit: _Unit, block: Block) -> None:
        try:
            quiz = read_problem(block.element, block.title)
        except (UnsupportedProblem, MarkupTooComplex) as reason:
            self._blocks.skip(block, str(reason), unit.location)
            return
        unit.quizzes.append(quiz)
        self._blocks.mark_imported(block, unit.location)
        if details := unsupported_details(block.element):
            self._report.skip("problem detail", block.title, ", ".join(details), unit.location)
