"""Transcripts of records made here: nobody's words become markup, and a screen reader finds its way."""

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pypdf import PageObject, PdfReader

from chat_service.programs.records import markdown, pdf
from chat_service.programs.records.errors import TranscriptBusy, TranscriptTooLong
from chat_service.programs.records.record import RecordedMessage, RecordedWeek, SessionRecord
from chat_service.programs.records.transcript import build_transcript
from chat_service.programs.records.ui_texts import ui_texts

BEGUN = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
HOSTILE = [
    "# heading",
    "[link](javascript:alert(1))",
    "![image](https://evil.test/x.png)",
    "<script>alert(1)</script>",
    "<https://evil.test>",
    "https://evil.test and www.evil.test and me@evil.test",
    "*stars* _lines_ ~~gone~~ `code`",
    "```\nfence\n```",
    "    indented",
    "> quote",
    "- item\n+ item\n* item\n1. item\n2) item",
    "title\n=====\nor\n-----",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "&lt;b&gt; &amp; &copy; &#35;",
    "[ref]: https://evil.test\n\n[ref]",
    "$x^2$ and \\(y\\) and \\\\",
    "a\\\nb  \nc",
    "#strong[typst] $ x $ @ref <label> #sys.inputs",
    "{name} {Answer to question 1}",
    "***\n---\n___",
    "- [ ] task",
    ":---",
    "text\x1b[31mred\x00\x07",
]
MARKDOWN = MarkdownIt("gfm-like").enable(["table", "strikethrough", "linkify"])


def said(text: str, minutes: int = 0, **fields) -> RecordedMessage:
    values = {
        "sender": "user",
        "text": text,
        "message_type": "text",
        "recording_ref": None,
        "week_number": 1,
        "week_title": "Goals",
        "run": 1,
        "question_number": 1,
        "scenario": None,
        "iteration": 1,
        "created_at": BEGUN + timedelta(minutes=minutes),
    }
    return RecordedMessage(**values | fields)


def session(*messages: RecordedMessage, **fields) -> SessionRecord:
    runs = dict.fromkeys((message.week_number, message.run) for message in messages)
    values = {
        "session_id": UUID("0199a1c3-0a00-7b11-9c22-3d44e55f6666"),
        "program": "driven",
        "program_version": 1,
        "title": "DRIVEN",
        "coach": "NOVA",
        "participant": "Maja",
        "locale": "en",
        "started_at": BEGUN,
        "completed_at": None,
        "weeks": tuple(RecordedWeek(number, "Goals", run, BEGUN, None) for number, run in runs),
        "messages": messages,
        "answers": (),
    }
    return SessionRecord(**values | fields)


def as_markdown(record: SessionRecord, timezone: str = "UTC") -> str:
    return markdown.render(build_transcript(record, timezone))


def as_pdf(record: SessionRecord, timezone: str = "UTC") -> PdfReader:
    return PdfReader(io.BytesIO(pdf.render(build_transcript(record, timezone))))


def words(text: str) -> list[str]:
    """What is visible of a text, apart from how its white space is laid out."""
    return "".join(character for character in text if character.isspace() or character.isprintable()).split()


def words_in(reader: PdfReader) -> list[str]:
    return words("\n".join(page.extract_text() for page in reader.pages))


def tags(reader: PdfReader) -> list[str]:
    """The types of all structure elements, in reading order."""
    found: list[str] = []

    def walk(node) -> None:
        node = node.get_object()
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict):
            if "/S" in node:
                found.append(node["/S"])
            if "/K" in node:
                walk(node["/K"])

    walk(reader.trailer["/Root"]["/StructTreeRoot"])
    return found


def shown(source: str) -> tuple[str, set[str]]:
    """The text of rendered Markdown, and the kinds of everything in it that is more than text."""
    kinds, text = set(), []
    for block in MARKDOWN.parse(source):
        kinds.add(block.type)
        for child in block.children or []:
            kinds.add(child.type)
            text.append("\n" if child.type in ("softbreak", "hardbreak") else child.content)
        text.append("\n")
    return "".join(text), kinds


PLAIN = {"paragraph_open", "paragraph_close", "inline", "text", "text_special", "hardbreak", "softbreak"}


@pytest.mark.parametrize("text", HOSTILE)
def test_in_markdown_a_learners_words_stay_text(text):
    source = markdown.escape(text)
    rendered, kinds = shown(source)
    assert kinds <= PLAIN
    assert words(rendered) == words(text)


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("#*_[]()<>!`\\&|~-+=.:/@$ \n1")))
def test_no_text_at_all_becomes_markup(text):
    rendered, kinds = shown(markdown.escape(text))
    assert kinds <= PLAIN
    assert words(rendered) == words(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_names_titles_and_choices_stay_text_too(text):
    choices = {"selected_problem": text}
    record = session(
        replace(said("ok", message_type="voice", recording_ref=text), week_title=text),
        participant=text,
        title=text,
        weeks=(RecordedWeek(1, text, 1, BEGUN, None, choices),),
    )
    source = as_markdown(record)
    _, kinds = shown(source)
    structure = {f"{kind}_{side}" for kind in ("heading", "bullet_list", "list_item", "strong")
                 for side in ("open", "close")}  # fmt: skip
    assert kinds <= PLAIN | structure
    headings = [token.tag for token in MARKDOWN.parse(source) if token.type == "heading_open"]
    assert headings == ["h1", "h2", "h3"]


def test_in_a_pdf_a_learners_words_stay_text():
    record = session(*(said(text, number) for number, text in enumerate(HOSTILE)))
    reader = as_pdf(record)
    found = " ".join(words_in(reader))
    for text in HOSTILE:
        assert " ".join(words(text)) in found
    assert not any("/Annots" in page for page in reader.pages)


def test_a_session_without_messages_says_so():
    record = session()
    assert ui_texts("en")["empty"] in shown(as_markdown(record))[0]
    assert words(ui_texts("en")["empty"])[-1] in words_in(as_pdf(record))


def test_weeks_and_questions_are_headings_in_order():
    record = session(
        said("What happened?", sender="nova"),
        said("A meeting."),
        said("What now?", sender="nova", question_number=2),
        said("Tuesday", question_number=2, message_type="voice", recording_ref="recordings/7.ogg"),
        said("A new week", sender="nova", week_number=2, week_title="Habits"),
    )
    headings = [line for line in as_markdown(record).splitlines() if line.startswith("#")]
    assert headings == [
        "# DRIVEN: Transcript",
        "## Week 1: Goals",
        "### Question 1",
        "### Question 2",
        "## Week 2: Habits",
        "### Question 1",
    ]
    assert "voice message, recording recordings/7.ogg" in as_markdown(record)
    assert [tag for tag in tags(as_pdf(record)) if tag in ("/Title", "/H1", "/H2")] == [
        "/Title", "/H1", "/H2", "/H2", "/H1", "/H2",
    ]  # fmt: skip


def test_both_runs_of_a_restarted_week_are_there_in_order():
    record = session(said("first"), said("second", run=2), said("third", week_number=2))
    text = as_markdown(record)
    order = ["Week 1: Goals (run 1)", "first", "Week 1: Goals (run 2)", "second", "Week 2: Goals\n", "third"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)


def test_choices_and_completion_are_told_by_week():
    weeks = (RecordedWeek(1, "Goals", 1, BEGUN, BEGUN, {"selected_problem": "too little *time*"}),)
    text = as_markdown(session(said("hello"), weeks=weeks))
    assert "- **Completed:** 2026-03-29 00:30" in text
    assert r"- **Selected problem:** too little \*time\*" in text


def test_times_are_in_the_participants_zone_across_a_change_of_the_clock():
    record = session(said("before", 0), said("after", 60))
    text = as_markdown(record, "Europe/Zurich")
    assert "2026-03-29 01:30" in text
    assert "2026-03-29 03:30" in text
    assert "Europe/Zurich" in text


def test_labels_come_in_the_sessions_language():
    record = session(said("hallo"), locale="de-CH")
    assert "# DRIVEN: Gesprächsprotokoll" in as_markdown(record)
    reader = as_pdf(record)
    assert reader.trailer["/Root"]["/Lang"] == "de-CH"
    assert reader.metadata.title == "DRIVEN: Gesprächsprotokoll"


def test_every_language_has_every_label():
    english = ui_texts("en")
    for language in ("de", "fr", "es"):
        assert ui_texts(language).keys() == english.keys()
        assert ui_texts(language) != english
    assert ui_texts("xx") == english


@pytest.mark.parametrize("locale", ["zh-Hant-TW", "xx", "", "e", "ar", "pt_BR", "english", "de-1996"])
def test_an_odd_locale_is_no_obstacle(locale):
    assert as_pdf(session(said("hello"), locale=locale)).trailer["/Root"]["/Lang"]


def test_the_pdf_is_tagged_titled_and_claims_pdf_ua():
    reader = as_pdf(session(said("hello", sender="nova"), said("one\ntwo\n\nthree")))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value
    assert reader.metadata.title == "DRIVEN: Transcript"
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
    assert tags(reader).count("/P") == 5  # two speakers, three paragraphs


def heights(page: PageObject) -> list[float]:
    """Where each piece of text stands, in points above the lower edge."""
    found: list[float] = []

    def visit(text, page_matrix, text_matrix, _font, _size) -> None:
        if text.strip():
            across, up = text_matrix[4:]
            found.append(across * page_matrix[1] + up * page_matrix[3] + page_matrix[5])

    page.extract_text(visitor_text=visit)
    return found


def test_an_a4_page_fits_a_letter_sheet():
    record = session(*(said("x " * 400, minutes) for minutes in range(10)))
    for page in as_pdf(record).pages:
        assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
        blank_pt = (842 - 792) / 2 + 18  # half of what Letter lacks, and what printers can't reach
        assert min(heights(page)) > blank_pt
        assert max(heights(page)) < 842 - blank_pt


def test_a_word_that_is_too_long_for_a_line_is_broken():
    voice = said("a" * 4000, message_type="voice", recording_ref="https://example.test/" + "r" * 400)
    reader = as_pdf(session(voice))
    lines = {height for page in reader.pages for height in heights(page)}
    assert len(lines) > 45
    found = "".join(words_in(reader)).replace("\u200b", "")
    assert found.count("a") >= 4000
    assert found.count("r" * 400) == 1


@pytest.mark.parametrize(
    "text", ["Ελληνικά: Καλημέρα κόσμε", "Кириллица: Здравствуй, мир", "Ünïçødé ßšžćđ €", "שלום", "→ ✓ …"]
)
def test_scripts_of_europe_are_printed_as_they_are(text):
    assert set(words(text)) <= set(words_in(as_pdf(session(said(text)))))


@pytest.mark.parametrize(
    "text", ["😀", "👩‍👩‍👧", "你好", "ไทย", "مرحبا", "\U000f0000", "漢\u0301", "a\u0361\U000f0001"]
)
def test_what_no_font_has_is_named_rather_than_lost(text):
    """Whatever fonts this machine has: the PDF is accessible, and nothing is an empty box."""
    reader = as_pdf(session(said(f"before {text} after")))
    found = "".join(page.extract_text() for page in reader.pages)
    assert "before" in found
    assert "after" in found
    assert "\x00" not in found
    assert b"pdfuaid:part" in reader.trailer["/Root"]["/Metadata"].get_data()


def test_a_sign_that_nobody_draws_is_named_by_its_number():
    assert "[U+F0000]" in words_in(as_pdf(session(said("see \U000f0000 there"))))


def test_five_hundred_messages_come_in_order():
    record = session(*(said(f"message-{number} " + "word " * 60, number) for number in range(500)))
    numbers = [word for word in words_in(as_pdf(record)) if word.startswith("message-")]
    assert numbers == [f"message-{number}" for number in range(500)]


@pytest.mark.parametrize(
    "text",
    ["word " * 900, "\n\n".join("a" * 1000), "".join(map(chr, range(0xF0000, 0xF0000 + 6000)))],
    ids=["words", "paragraphs", "signs"],
)
def test_what_is_too_long_for_a_pdf_is_refused(text):
    with pytest.raises(TranscriptTooLong):
        pdf.render(build_transcript(session(*(said(text, number) for number in range(100))), "UTC"))


def test_one_is_made_at_a_time_and_few_may_wait(monkeypatch):
    document = build_transcript(session(said("hello")), "UTC")
    monkeypatch.setattr(pdf, "_WAIT_S", 0.01)
    with pdf._acquired(pdf._typesetter, wait_s=0), pytest.raises(TranscriptBusy):
        pdf.render(document)
    monkeypatch.setattr(pdf, "_WAIT_S", 60)
    with ExitStack() as waiting:
        for _ in range(4):
            waiting.enter_context(pdf._acquired(pdf._waiting_room, wait_s=0))
        with pytest.raises(TranscriptBusy):
            pdf.render(document)
    assert pdf.render(document)


def test_one_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(pdf, "_TIMEOUT_S", 0.001)
    with pytest.raises(TranscriptBusy):
        pdf.render(build_transcript(session(said("hello")), "UTC"))


def test_ten_at_once_all_get_theirs_or_a_refusal():
    document = build_transcript(session(*(said("word " * 100, number) for number in range(50))), "UTC")

    def render(_: int) -> bool:
        try:
            return pdf.render(document).startswith(b"%PDF-")
        except TranscriptBusy:
            return False

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(render, range(10))) >= 4


def test_one_week_alone_can_be_asked_for():
    record = session(said("one"), said("two", week_number=2))
    assert [message.text for message in record.of_week(2).messages] == ["two"]
    assert [week.number for week in record.of_week(2).weeks] == [2]


def test_typesetting_knows_nothing_of_the_services_environment(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "secret")
    assert pdf._ENVIRONMENT.keys() == {"RAYON_NUM_THREADS", "MALLOC_ARENA_MAX"}
    assert as_pdf(session(said("hello"))).pages
