"""Parsing course archives: content, and the report of skipped elements."""

import io
import tarfile
from collections import Counter
from xml.etree import ElementTree

import pytest
from course_archives import DEMO_COURSE, DEMO_COURSE_MISSING, SMALL, targz, with_vertical

from courses_service.olx import blocks
from courses_service.olx.errors import ArchiveTooLarge, MalformedArchive, NothingToImport
from courses_service.olx.reader import ParsedCourse, read_olx
from courses_service.olx.report import SkippedElement

BLOCK_FOLDERS = {
    *("course", "chapter", "sequential", "vertical", "library_content"),
    *("annotatable", "html", "lti", "problem", "video"),
}


def read(files: dict[str, str]) -> ParsedCourse:
    return read_olx(io.BytesIO(targz(files)))


def reasons(course: ParsedCourse, kind: str) -> list[str]:
    return [entry.reason for entry in course.report.skipped if entry.kind == kind]


def test_small_course_is_parsed_completely() -> None:
    course = read(SMALL)
    assert (course.content.title, course.content.language) == ("Small course", "en")
    assert course.source == "Acme+CS1+2026"
    (lesson,) = course.content.lessons()
    assert (lesson.title, lesson.subsection) == ("Hello", "First steps")
    assert lesson.html == "<p>Hello <b>there</b>.</p>"
    (quiz,) = lesson.quizzes
    (question,) = quiz.questions
    assert (quiz.title, question.kind, question.prompt) == ("Check", "single", "1 + 1?")
    assert [(choice.html, choice.is_correct) for choice in question.choices] == [("1", False), ("2", True)]


def test_report_lists_every_skipped_element() -> None:
    entries = set(read(SMALL).report.skipped)
    place = "Basics / First steps / Hello"
    assert entries == {
        SkippedElement("markup", "Greeting", place, "removed or replaced: 1 script"),
        SkippedElement("video", "x1", place, "video blocks aren't supported"),
        SkippedElement("wiki", "wiki", "", "wiki blocks aren't supported here"),
        SkippedElement("static file", "static/logo.png", "", "files beside the lessons aren't stored"),
    }


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ('visible_to_staff_only="true"', "only staff could see it"),
        ('hide_from_toc="true"', "it was hidden from the table of contents"),
        ('group_access="{&quot;1&quot;: [2]}"', "only some groups of learners could see it"),
    ],
)
def test_hidden_blocks_are_skipped_with_their_children(attribute: str, reason: str) -> None:
    files = {
        **SMALL,
        "sequential/s1.xml": (
            '<sequential display_name="S"><vertical url_name="v1"/><vertical url_name="v2"/></sequential>'
        ),
        "vertical/v2.xml": f'<vertical display_name="Secret" {attribute}><html url_name="h2"/></vertical>',
        "html/h2.xml": '<html filename="h2" display_name="Answers"/>',
        "html/h2.html": "<p>The answers.</p>",
    }
    course = read(files)
    assert reasons(course, "vertical") == [reason]
    assert reasons(course, "html") == ["it is inside a vertical that wasn't taken over"]
    assert "The answers" not in str(course.content)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        ("<stringresponse answer='x'><label>?</label></stringresponse>", "stringresponse"),
        ("<p>Just text</p>", "no answer"),
        ("<script>x=1</script><choiceresponse><label>?</label></choiceresponse>", "program"),
        ("<choiceresponse><label>?</label></choiceresponse>", "no list of choices"),
        (
            (
                "<multiplechoiceresponse><label>?</label><choicegroup><choice correct='true'>a</choice>"
                "<choice correct='true'>b</choice></choicegroup></multiplechoiceresponse>"
            ),
            "no right choice, or several",
        ),
        (
            (
                "<multiplechoiceresponse><choicegroup><choice correct='true'>a</choice>"
                "<choice correct='false'>b</choice></choicegroup></multiplechoiceresponse>"
            ),
            "no text of its own",
        ),
        (
            (
                "<multiplechoiceresponse><label>?</label><choicegroup><choice correct='true'>a</choice>"
                "<choice correct='false'><img src='/b.png'/></choice></choicegroup></multiplechoiceresponse>"
            ),
            "a choice has no text",
        ),
        (
            (
                "<choiceresponse><label>?</label><checkboxgroup><choice correct='partial'>a</choice>"
                "<choice correct='false'>b</choice></checkboxgroup></choiceresponse>"
            ),
            "neither right nor wrong",
        ),
        (
            "<div><multiplechoiceresponse><label>?</label></multiplechoiceresponse></div>",
            "laid out inside other markup",
        ),
        (
            (
                "<multiplechoiceresponse><div><label>?</label><solution>42</solution></div><choicegroup>"
                "<choice correct='true'>a</choice><choice correct='false'>b</choice></choicegroup>"
                "</multiplechoiceresponse>"
            ),
            "laid out inside other markup",
        ),
    ],
)
def test_unsupported_problem_is_skipped_completely(problem: str, reason: str) -> None:
    course = read(with_vertical(f'<html>Text</html><problem url_name="q">{problem}</problem>'))
    assert list(course.content.quizzes()) == []
    (found,) = reasons(course, "problem")[:1]
    assert reason in found


def test_problem_with_several_questions_becomes_one_quiz() -> None:
    course = read(
        with_vertical(
            """<problem display_name="Two">
            <p>First: x &lt; 2?</p>
            <choiceresponse><checkboxgroup>
              <choice correct="true">0 <choicehint selected="true">Yes, 0.</choicehint>
                <choicehint selected="false">0 too.</choicehint></choice>
              <choice correct="true">1</choice><choice correct="false">2</choice>
              <compoundhint value="A B">both</compoundhint>
            </checkboxgroup></choiceresponse>
            <solution><p>0 and 1.</p></solution>
            <p>Second:</p>
            <optionresponse><optioninput><option correct="True">a</option><option correct="False">b</option>
            </optioninput></optionresponse>
            <demandhint><hint>Think.</hint></demandhint></problem>"""
        )
    )
    (quiz,) = course.content.quizzes()
    first, second = quiz.questions
    assert (first.kind, first.prompt, first.explanation) == (
        "multiple",
        "<p>First: x &lt; 2?</p>",
        "<p>0 and 1.</p>",
    )
    assert [choice.feedback for choice in first.choices] == ["Yes, 0.", "", ""]
    assert (second.kind, second.prompt, second.explanation) == ("single", "<p>Second:</p>", "")
    assert reasons(course, "problem detail") == [
        "1 hints on demand, 1 feedback on combinations, 1 feedback on what wasn't chosen"
    ]


def test_all_problems_of_a_problem_bank_are_imported() -> None:
    course = read(with_vertical('<library_content max_count="1"><problem url_name="p1"/></library_content>'))
    assert len(list(course.content.quizzes())) == 1
    assert reasons(course, "library_content") == [
        "learners get all of its problems instead of a random selection"
    ]


def test_repeated_and_circular_references_are_visited_once() -> None:
    loop = '<conditional><problem url_name="p1"/><conditional url_name="loop"/></conditional>'
    course = read(
        with_vertical(
            '<html url_name="h1"/><html url_name="h1"/><conditional url_name="loop"/>', conditional__loop=loop
        )
    )
    assert reasons(course, "html") == ["the course has it in another place already"]
    assert len(reasons(course, "conditional")) == 2
    assert reasons(course, "problem") == ["it is inside a conditional that wasn't taken over"]


def test_report_lists_missing_blocks() -> None:
    course = read(with_vertical('<html url_name="h1"/><problem url_name="gone"/>'))
    assert reasons(course, "problem")[0] == "the file that should hold it is missing"


def test_report_lists_drafts_and_unused_blocks() -> None:
    course = read({**SMALL, "drafts/vertical/d.xml": "<vertical/>", "html/unused.xml": "<html/>"})
    assert reasons(course, "draft") == ["it wasn't published"]
    assert reasons(course, "html") == ["no part of the course refers to it"]


def test_url_name_cannot_refer_outside_the_archive() -> None:
    course = read(with_vertical('<html url_name="h1"/><problem url_name="../../../../etc/passwd"/>'))
    assert reasons(course, "problem")[0] == "the file that should hold it is missing"


@pytest.mark.parametrize(
    "xml",
    [
        pytest.param('<!DOCTYPE v [<!ENTITY a "b">]><vertical>&a;</vertical>', id="entity"),
        pytest.param('<!DOCTYPE v SYSTEM "file:///etc/passwd"><vertical/>', id="external"),
        pytest.param("<vertical>" + "<a>" * 100 + "</a>" * 100 + "</vertical>", id="deep"),
        pytest.param("<vertical>" + "<a/>" * 60_000 + "</vertical>", id="wide"),
        pytest.param("<vertical>", id="unclosed"),
        pytest.param("", id="empty"),
        pytest.param('<?xml version="1.0" encoding="no-such"?><vertical/>', id="unknown encoding"),
        pytest.param('<?xml version="1.0" encoding="ascii"?><vertical a="é"/>', id="wrong encoding"),
        pytest.param("<html/>", id="another block"),
    ],
)
def test_unsafe_or_malformed_xml_is_refused(xml: str) -> None:
    with pytest.raises(MalformedArchive, match=r"vertical/v1\.xml"):
        read({**SMALL, "vertical/v1.xml": xml})


def test_html_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(MalformedArchive, match=r"html/h1\.html"):
        read_olx(io.BytesIO(targz({**SMALL, "html/h1.html": "é".encode("latin-1")})))


def test_course_without_lessons_is_refused() -> None:
    with pytest.raises(NothingToImport):
        read(with_vertical('<video url_name="x"/>'))


def test_number_of_blocks_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MAX_BLOCKS", 10)
    with pytest.raises(ArchiveTooLarge):
        read(with_vertical("<html>x</html>" * 10))


@pytest.fixture(scope="module")
def demo_course() -> ParsedCourse:
    if not DEMO_COURSE.exists():
        pytest.skip(DEMO_COURSE_MISSING)
    with DEMO_COURSE.open("rb") as archive:
        return read_olx(archive)


def test_open_edx_demo_course_is_parsed(demo_course: ParsedCourse) -> None:
    content = demo_course.content
    assert content.title == "Open edX Demo Course"
    assert len(content.sections) == 6
    assert len(list(content.lessons())) == 58
    assert len(list(content.quizzes())) == 12
    assert "alveoli" in str(content)


def test_every_block_of_the_demo_course_is_imported_or_reported(demo_course: ParsedCourse) -> None:
    """Count the archive's blocks independently and find each among imported or skipped ones."""
    blocks_there: Counter[str] = Counter()
    with tarfile.open(DEMO_COURSE) as archive:
        for member in archive:
            folder = member.name.split("/")[1] if "/" in member.name else ""
            if folder not in BLOCK_FOLDERS or not member.name.endswith(".xml"):
                continue
            file = archive.extractfile(member)
            assert file is not None
            root = ElementTree.parse(file).getroot()
            blocks_there[root.tag] += 1
            if root.tag in ("course", "chapter", "sequential", "vertical", "library_content"):
                blocks_there.update(child.tag for child in root if set(child.attrib) != {"url_name"})
    accounted = Counter(name.split("/")[0] for name in demo_course.report.imported)
    accounted += Counter(
        entry.kind
        for entry in demo_course.report.skipped
        if entry.kind in blocks_there and entry.kind != "settings"
    )
    assert sum(blocks_there.values()) > 400
    assert accounted == blocks_there


def test_every_other_file_of_the_demo_course_is_used_or_reported(demo_course: ParsedCourse) -> None:
    """Each file outside block folders is used by a block or listed in the report."""
    named = {entry.name for entry in demo_course.report.skipped}
    with tarfile.open(DEMO_COURSE) as archive:
        files = [member.name.split("/", 1)[1] for member in archive if member.isfile()]
    beside = [
        path
        for path in files
        if path.split("/")[0] not in BLOCK_FOLDERS
        and path not in ("course.xml", "about/short_description.html")
    ]
    assert len(beside) > 130
    assert [path for path in beside if path not in named] == []
