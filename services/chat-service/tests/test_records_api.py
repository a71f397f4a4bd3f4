"""Transcripts and summaries through the API: refusals first, then a whole program with a restarted week."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from pypdf import PdfReader
from sqlalchemy import text

from chat_service.programs.content.loader import publish
from chat_service.programs.records import pdf
from cogniflow_dev.testing.tokens import headers

SOMEWHERE = "0199a1c3-0a00-7b11-9c22-3d44e55f6666"
SMALL = Path(__file__).parent / "data" / "small-program.yaml"
ANSWERS = ["My *evenings*", "For a year", "Reading more", "My sister Ana", "Skip"]


@pytest.fixture
def small(database) -> str:
    with database.transaction() as session:
        publish(session, SMALL.read_text(encoding="utf-8"), SMALL.name)
    return "/api/programs/small"


@pytest.fixture
def path(client: TestClient, as_maja, small) -> str:
    """The address of Maja's session."""
    answer = client.post(f"{small}/start", headers=as_maja)
    assert answer.status_code == 201, answer.text
    return f"/api/programs/sessions/{answer.json()['id']}"


@pytest.fixture
def say(client: TestClient, as_maja, path) -> Callable[..., dict[str, Any]]:
    def answer(words: str, **fields: Any) -> dict[str, Any]:
        body = {"text": words, "client_message_id": str(uuid4()), **fields}
        reply = client.post(f"{path}/answer", json=body, headers=as_maja)
        assert reply.status_code == 200, reply.text
        return reply.json()

    return answer


@pytest.fixture
def get(client: TestClient, as_maja, path):
    """A part of Maja's session that must be there."""

    def read(part: str, accept: str | None = None, **query: Any):
        more = {"Accept": accept} if accept is not None else {}
        answer = client.get(f"{path}/{part}", params=query, headers={**as_maja, **more})
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "private, no-store"
        return answer

    return read


@pytest.fixture
def completed(say) -> None:
    for words in ANSWERS:
        last = say(words)
    assert last["session_completed"]


PARTS = [("GET", "transcript"), ("GET", "summary"), ("POST", "summary")]


@pytest.mark.parametrize(("method", "part"), PARTS)
def test_without_a_token_nobody_gets_in(client, method, part):
    assert client.request(method, f"/api/programs/sessions/{SOMEWHERE}/{part}").status_code == 401


@pytest.mark.parametrize(("method", "part"), PARTS)
def test_another_learners_session_is_not_there(client, path, completed, as_stranger, method, part):
    answer = client.request(method, f"{path}/{part}", headers=as_stranger)
    assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")


@pytest.mark.parametrize(("method", "part"), PARTS)
def test_a_key_of_another_anonymous_session_opens_nothing(client, path, method, part):
    answer = client.request(method, f"{path}/{part}", headers={"X-Session-Key": "x" * 43})
    assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")


@pytest.mark.parametrize(
    ("part", "query"),
    [
        ("transcript", {"format": "docx"}),
        ("transcript", {"format": ""}),
        ("transcript", {"timezone": "Mars/Olympus"}),
        ("transcript", {"timezone": "../../etc/passwd"}),
        ("transcript", {"timezone": "Europe/" + "x" * 5000}),
        ("transcript", {"week": 0}),
        ("transcript", {"week": "one"}),
        ("summary", {"format": "pdf"}),
    ],
)
def test_what_nobody_offers_is_refused(client, as_maja, path, part, query):
    answer = client.get(f"{path}/{part}", params=query, headers=as_maja)
    assert answer.status_code == 422
    assert "passwd" not in answer.text


def test_a_transcript_too_long_for_a_pdf_is_refused_and_others_offered(client, as_maja, path, monkeypatch):
    monkeypatch.setattr(pdf, "MAX_CHARACTERS", 100)
    answer = client.get(f"{path}/transcript", params={"format": "pdf"}, headers=as_maja)
    assert (answer.status_code, answer.json()["code"]) == (413, "transcript_too_long")


def test_a_session_whose_messages_are_gone_has_a_transcript_all_the_same(get, database):
    with database.transaction() as session:
        session.execute(text("DELETE FROM conversation_messages"))
    assert "No messages are kept" in get("transcript").text
    assert get("transcript", format="json").json()["messages"] == []
    assert get("transcript", format="pdf").content.startswith(b"%PDF-")


def test_a_transcript_has_every_word_in_order(get, completed):
    answer = get("transcript", timezone="Europe/Zurich")
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="small-20')
    assert answer.headers["Content-Disposition"].endswith('.md"')
    spoken = [
        "# Small steps: Transcript", "Maja", "Europe/Zurich",
        "## Week 1: Goals", "Selected problem", "### Question 1", "**Iris**", "Hello Maja, what",
        "**Maja**", r"My \*evenings\*", "Thank you.", "Since when?", "For a year", "I see.",
        "### Question 2", r"You want to change: My \*evenings\*", "Reading more", "Good.",
        "## Week 2: Support", "Who is there for you?", "My sister Ana", "What is your next goal?", "Skip",
    ]  # fmt: skip
    found = answer.text
    for words in spoken:
        assert words in found
        found = found[found.index(words) :]


def test_a_transcript_as_data_keeps_its_form(get, completed):
    transcript = get("transcript", format="json", timezone="Asia/Kolkata").json()
    assert (transcript["format"], transcript["format_version"]) == ("cogniflow-transcript", 1)
    assert transcript["program"] == "small"
    assert (transcript["coach"], transcript["participant"]) == ("Iris", "Maja")
    assert transcript["started_at"].endswith("+05:30")
    assert transcript["completed_at"].endswith("+05:30")
    assert [week["choices"] for week in transcript["weeks"]] == [{"selected_problem": "My *evenings*"}, {}]
    assert [message["text"] for message in transcript["messages"] if message["sender"] == "user"] == ANSWERS
    told = [(one["question_text"], one["attempts"], one["skipped"]) for one in transcript["answers"]]
    assert told == [
        ("Hello Maja, what would you like to change?", ["My *evenings*", "For a year"], False),
        ("You want to change: My *evenings*. What have you tried?", ["Reading more"], False),
        ("Who is there for you?", ["My sister Ana"], False),
        ("What is your next goal?", [], True),
    ]
    assert all(one["completed"] for one in transcript["answers"])


def test_a_transcript_as_pdf(get, completed):
    answer = get("transcript", format="pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].endswith('.pdf"')
    reader = PdfReader(io.BytesIO(answer.content))
    assert reader.metadata.title == "Small steps: Transcript"
    assert "My sister Ana" in " ".join(page.extract_text() for page in reader.pages)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "text/markdown; charset=utf-8"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/markdown; charset=utf-8"),
        ("application/pdf", "application/pdf"),
        ("application/json, text/plain, */*", "application/json"),
        ("Text/Markdown;q=0.9", "text/markdown; charset=utf-8"),
    ],
)
def test_the_accept_header_chooses_where_no_format_is_given(get, accept, media_type):
    assert get("transcript", accept).headers["Content-Type"] == media_type
    assert get("transcript", accept, format="json").headers["Content-Type"] == "application/json"


def test_spoken_answers_name_their_recording(get, say):
    say("My evenings", message_type="voice", recording_ref="recordings/7.ogg")
    assert "voice message, recording recordings/7.ogg" in get("transcript").text
    (spoken,) = [
        one for one in get("transcript", format="json").json()["messages"] if one["sender"] == "user"
    ]
    assert (spoken["message_type"], spoken["recording_ref"]) == ("voice", "recordings/7.ogg")


def test_a_restarted_week_shows_both_runs_in_order(client, as_maja, path, get, say):
    for words in ANSWERS[:3]:
        say(words)
    restarted = client.post(f"{path}/weeks/1/restart", json={"client_message_id": "again"}, headers=as_maja)
    assert restarted.status_code == 200, restarted.text
    say("My mornings")
    found = get("transcript").text
    for words in ("(run 1)", r"My \*evenings\*", "Reading more", "(run 2)", "My mornings"):
        assert words in found
        found = found[found.index(words) :]
    transcript = get("transcript", format="json", week=1).json()
    assert {message["week_number"] for message in transcript["messages"]} == {1}
    assert [(week["number"], week["run"]) for week in transcript["weeks"]] == [(1, 1), (1, 2)]
    questions = {(one["run"], one["question_number"]) for one in transcript["answers"]}
    assert questions == {(1, 1), (1, 2), (2, 1)}


def test_an_anonymous_participant_reads_their_own(client, small):
    begun = client.post(f"{small}/start-anonymously", json={"name": "Kim"})
    assert begun.status_code == 201, begun.text
    key = {"X-Session-Key": begun.json()["session_key"]}
    own = f"/api/programs/sessions/{begun.json()['session']['id']}"
    assert "Hello Kim" in client.get(f"{own}/transcript", headers=key).text
    assert client.get(f"{own}/summary", headers=key).json()["summary"]["name"] == "Kim"
    assert client.get(f"{own}/transcript").status_code == 401


def test_a_summary_says_how_far_the_session_is(get, say):
    before = get("summary").json()
    assert (before["generated_at"], before["summary"]["summary_type"]) == (None, "partial")
    say("My *evenings*")
    (week,) = get("summary").json()["summary"]["weeks"]
    assert week["is_completed"] is False
    assert [(one["answer"], one["is_completed"]) for one in week["answers"]] == [("My *evenings*", False)]


def test_storing_a_summary_again_changes_nothing_until_the_session_does(client, as_maja, path, say, database):
    def store() -> tuple[int, dict[str, Any]]:
        answer = client.post(f"{path}/summary", headers=as_maja)
        return answer.status_code, answer.json()

    status, first = store()
    assert (status, first["summary"]["summary_type"]) == (201, "partial")
    assert first["generated_at"] is not None
    assert store() == (200, first)
    say("My evenings")
    status, second = store()
    assert status == 201
    assert second["summary"]["session_version"] > first["summary"]["session_version"]
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM session_summaries")) == 2


def test_ending_the_session_stores_the_complete_summary(get, completed, database):
    with database.transaction() as session:
        (kind,) = session.scalars(text("SELECT summary_type FROM session_summaries"))
    assert kind == "complete"
    found = get("summary").json()
    assert found["generated_at"] is not None
    summary = found["summary"]
    assert summary["summary_type"] == "complete"
    assert [week["is_completed"] for week in summary["weeks"]] == [True, True]
    assert summary["weeks"][0]["kept"] == {"selected_problem": "My *evenings*"}
    assert summary["weeks"][0]["answers"][0]["followup"] == "For a year"
    assert summary["steps"] == {
        "support_people": {"answer": "My sister Ana", "attempts": 1, "skipped": False},
        "goals": {"answer": None, "attempts": 0, "skipped": True},
    }


def test_storing_a_summary_of_an_ended_session_gives_the_complete_one(client, as_maja, path, completed):
    answer = client.post(f"{path}/summary", headers=as_maja)
    assert (answer.status_code, answer.json()["summary"]["summary_type"]) == (200, "complete")


def test_a_summary_as_markdown(get, completed):
    answer = get("summary", format="markdown")
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert r"- **Selected problem:** My \*evenings\*" in answer.text
    assert "### Goals: skipped" in answer.text
    assert get("summary", "text/markdown").text == answer.text


def test_while_a_pdf_is_made_no_connection_is_held(make_client, committing, mongo, as_maja, monkeypatch):
    held: list[int] = []
    typeset = pdf._typeset

    def watched(data: bytes) -> bytes:
        held.append(committing.engine.pool.checkedout())
        return typeset(data)

    monkeypatch.setattr(pdf, "_typeset", watched)
    with make_client(committing) as client:
        begun = client.post("/api/programs/driven/start", headers=as_maja)
        own = f"/api/programs/sessions/{begun.json()['id']}"
        answer = client.get(f"{own}/transcript", params={"format": "pdf"}, headers=as_maja)
    assert answer.status_code == 200
    assert held == [0]


def test_a_stranger_with_an_account_learns_nothing_of_the_size(client, path, tokens, completed):
    known = client.get(f"{path}/transcript", headers=headers(tokens.user()))
    unknown = client.get(f"/api/programs/sessions/{SOMEWHERE}/transcript", headers=headers(tokens.user()))
    assert {**known.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
