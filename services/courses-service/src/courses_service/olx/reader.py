"""Walks a course archive: chapter → section, sequential → subsection, vertical → lesson."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from courses_service.content import CourseContent, LessonContent, QuizContent, SectionContent
from courses_service.markup import TooComplex, plain_text, removed_by_sanitizing, sanitize
from courses_service.olx.archive import Archive, read_archive
from courses_service.olx.blocks import Block, Blocks
from courses_service.olx.errors import NothingToImport
from courses_service.olx.problems import NotAQuiz, lost_details, read_problem
from courses_service.olx.report import Report
from courses_service.olx.skipped_elements import report_files

DESCRIPTION_LENGTH = 4000
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")
_ABOUT = ("about/short_description.html", "about/overview.html")


@dataclass(frozen=True)
class ReadCourse:
    """`source` names the course as Open edX does: organization+number+run."""

    content: CourseContent
    report: Report
    source: str


def _language(course: Block) -> str:
    given = course.element.get("language", "")
    return given if _LANGUAGE.fullmatch(given) else "und"


@dataclass
class _Unit:
    """What a vertical's blocks have given so far."""

    location: str
    texts: list[str] = field(default_factory=list)
    quizzes: list[QuizContent] = field(default_factory=list)


def read_olx(packed: BinaryIO) -> ReadCourse:
    """Raises MalformedArchive, ArchiveTooLarge or NothingToImport; stores nothing."""
    return _Reader(read_archive(packed)).read()


class _Reader:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._report = Report()
        self._blocks = Blocks(archive, self._report)

    def read(self) -> ReadCourse:
        course = self._blocks.course()
        sections = tuple(self._sections(course))
        if not sections:
            raise NothingToImport("The archive holds no lesson or quiz that could be taken over.")
        self._blocks.take(course, "")
        description = self._description()
        content = CourseContent(
            title=course.title,
            description=description,
            language=_language(course),
            sections=sections,
        )
        report_files(self._archive, self._blocks.used, self._report)
        return ReadCourse(content, self._report, self._blocks.source)

    def _description(self) -> str:
        for path in _ABOUT:
            if text := plain_text(sanitize(self._blocks.text(path))):
                self._blocks.used.add(path)
                return text[:DESCRIPTION_LENGTH]
        return ""

    def _sections(self, course: Block) -> Iterator[SectionContent]:
        for chapter in self._blocks.children(course, "", expected="chapter"):
            lessons = tuple(self._lessons_of_chapter(chapter))
            if lessons:
                self._blocks.take(chapter, chapter.title)
                yield SectionContent(chapter.title, lessons)
            else:
                self._blocks.leave_empty(chapter, chapter.title)

    def _lessons_of_chapter(self, chapter: Block) -> Iterator[LessonContent]:
        for sequential in self._blocks.children(chapter, chapter.title, expected="sequential"):
            location = f"{chapter.title} / {sequential.title}"
            lessons = tuple(self._lessons(sequential, location))
            if lessons:
                self._blocks.take(sequential, location)
                yield from lessons
            else:
                self._blocks.leave_empty(sequential, location)

    def _lessons(self, sequential: Block, place: str) -> Iterator[LessonContent]:
        for vertical in self._blocks.children(sequential, place, expected="vertical"):
            unit = _Unit(f"{place} / {vertical.title}")
            self._fill(unit, vertical)
            if unit.texts or unit.quizzes:
                self._blocks.take(vertical, unit.location)
                html, quizzes = "\n".join(unit.texts), tuple(unit.quizzes)
                yield LessonContent(vertical.title, html, sequential.title, quizzes)
            else:
                self._blocks.leave_empty(vertical, unit.location)

    def _fill(self, unit: _Unit, parent: Block) -> None:
        for block in self._blocks.children(parent, unit.location):
            if block.kind == "html":
                self._add_html(unit, block)
            elif block.kind == "problem":
                self._add_quiz(unit, block)
            elif block.kind == "library_content" and parent.kind == "vertical":
                reason = "learners get all of its problems instead of a random selection"
                self._report.leave_out(block.kind, block.title, reason, unit.location)
                self._fill(unit, block)
            else:
                self._blocks.leave_out(block, f"{block.kind} blocks aren't supported", unit.location)

    def _add_html(self, unit: _Unit, block: Block) -> None:
        source = self._blocks.html(block)
        try:
            html = sanitize(source)
        except TooComplex as error:
            self._blocks.leave_out(block, f"its markup is too complex: {error}", unit.location)
            return
        lost = ", ".join(f"{n} {what}" for what, n in sorted(removed_by_sanitizing(source).items()))
        if not plain_text(html):
            reason = f"it has no text of its own ({lost})" if lost else "it is empty"
            self._blocks.leave_out(block, reason, unit.location)
            return
        unit.texts.append(html)
        self._blocks.take(block, unit.location)
        if lost:
            self._report.leave_out("markup", block.title, f"removed or replaced: {lost}", unit.location)

    def _add_quiz(self, unit: _Unit, block: Block) -> None:
        try:
            quiz = read_problem(block.element, block.title)
        except (NotAQuiz, TooComplex) as reason:
            self._blocks.leave_out(block, str(reason), unit.location)
            return
        unit.quizzes.append(quiz)
        self._blocks.take(block, unit.location)
        if lost := lost_details(block.element):
            self._report.leave_out("problem detail", block.title, ", ".join(lost), unit.location)
