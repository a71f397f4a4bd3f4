"""What else may happen to a session while its turns wait, and to its turns."""

import hashlib
import json
import time
from contextlib import contextmanager
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.schemas import Answer
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.turns.model import Message
from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.sql.database import Database

SAID = [
    "In Monday's meeting my proposal was rejected in front of everybody and I thought I'm not good enough.",
    "Maybe they had no time to read it before the meeting, which has happened to others as well.",
    "It still stings a little, so perhaps a 6.",
]
DANGER = "I want to kill myself tonight."


@pytest.fixture
def begun(api, as_maja):
    session = api.post("/api/programs/driven/start", headers=as_maja).json()
    path = f"/api/programs/sessions/{session['id']}"
    assert say(api, path, SAID[0], "one", as_maja)["status"] == "completed"
    return path


@pytest.fixture
def own(lonely):
    """A connection of the test's own to that PostgreSQL."""
    database = Database(lonely.database_url.get_secret_value(), application="tests")
    yield database
    database.close()


def say(api, path, words, name, as_who):
    body = {"text": words, "client_message_id": name}
    answer = api.post(f"{path}/answer", json=body, headers=as_who)
    assert answer.status_code == 200, answer.text
    return answer.json()


@contextmanager
def frozen(postgres):
    postgres.freeze()
    try:
        yield
    finally:
        postgres.thaw()


def wait_until_stored(api, path, as_who, version, within_s=15.0):
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        session = api.get(path, headers=as_who).json()
        if session["stored"] and not any(message["queued"] for message in session["messages"]):
            assert session["version"] == version
            return session
        time.sleep(0.1)
    raise AssertionError("the turns were not stored")


def test_every_waiting_message_can_be_repeated(api, postgres, begun, as_maja):
    with frozen(postgres):
        second = say(api, begun, SAID[1], "two", as_maja)
        third = say(api, begun, SAID[2], "three", as_maja)
        assert say(api, begun, SAID[1], "two", as_maja) == second
        assert say(api, begun, SAID[2], "three", as_maja) == third
        body = {"text": "Other words.", "client_message_id": "two"}
        reused = api.post(f"{begun}/answer", json=body, headers=as_maja)
        assert (reused.status_code, reused.json()["code"]) == (409, "message_id_reused")
    wait_until_stored(api, begun, as_maja, version=4)


def test_a_claim_of_the_same_message_need_not_run_out(api, postgres, begun, as_maja, maja, tokens, own, rows):
    """PostgreSQL went away between the claim and the answer: the lease of 30 s is our own."""
    session_id = UUID(begun.rpartition("/")[2])
    said = Answer(text=SAID[1], client_message_id="two").model_dump_json(exclude={"client_message_id"})
    fingerprint = hashlib.sha256(said.encode()).hexdigest()
    message = Message(tokens.id_of(maja), session_id, "two", fingerprint, SAID[1])
    store = SqlTurnStore(own, Catalog(own))
    program_session = store.view(message).conversation
    assert store.claim_turn(message, program_session, 2, CoachEngine().analyze(message, program_session))
    with frozen(postgres):
        assert say(api, begun, SAID[1], "two", as_maja)["status"] == "queued"
    wait_until_stored(api, begun, as_maja, version=3, within_s=10)
    found = rows(
        "SELECT status, epoch, queued FROM turns WHERE session_id = :id AND sequence = 2", id=session_id
    )
    assert found == [("completed", 2, True)]


def test_turns_that_do_not_fit_are_set_aside(api, postgres, begun, as_maja, spool_dir, rows, own):
    """Somebody else changed the session: nothing of it is written over, nothing of the spool is lost."""
    with frozen(postgres):
        say(api, begun, SAID[1], "two", as_maja)
        say(api, begun, SAID[2], "three", as_maja)
        (path,) = spool_dir.glob("*.jsonl")
        # The other one's change can't be made while it is frozen, so the spool is told of an older state.
        path.write_text(path.read_text().replace('"base":2', '"base":1').replace('"base":3', '"base":2'))
    deadline = time.monotonic() + 10
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    (aside,) = spool_dir.glob("*.jsonl.diverged-*")
    kept = [json.loads(line)["message"]["text"] for line in aside.read_text().splitlines()]
    assert kept == SAID[1:]
    assert api.get(begun, headers=as_maja).json()["version"] == 2
    assert say(api, begun, SAID[1], "four", as_maja)["version"] == 3, "the session goes on"


def test_others_turns_do_not_wait_for_one_that_does_not_fit(api, postgres, begun, as_maja, tokens, spool_dir):
    other = headers(tokens.user())
    path = f"/api/programs/sessions/{api.post('/api/programs/driven/start', headers=other).json()['id']}"
    say(api, path, SAID[0], "one", other)
    with frozen(postgres):
        say(api, begun, SAID[1], "two", as_maja)
        (file,) = spool_dir.glob("*.jsonl")
        file.write_bytes(b"x" * (file.stat().st_size - 1) + b"\n")
        say(api, path, SAID[1], "two", other)
    wait_until_stored(api, path, other, version=3)


def test_a_session_with_waiting_turns_is_changed_by_turns_alone(
    api, postgres, as_maja, tokens, own, spool_dir
):
    start = api.post("/api/programs/support-intake/start-anonymously", json={}).json()
    anonymous = {"X-Session-Key": start["session_key"]}
    path = f"/api/programs/sessions/{start['session']['id']}"
    say(api, path, "Yes, I am ready.", "one", anonymous)
    with frozen(postgres):
        queued = say(api, path, "My sister Ana helps me most.", "two", anonymous)
        assert queued["status"] == "queued"
        both = {**as_maja, **anonymous}
        for refused in (
            api.post(f"{path}/pause", headers=anonymous),
            api.post(f"{path}/claim", headers=both),
        ):
            assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
    wait_until_stored(api, path, anonymous, version=3)
    claimed = api.post(f"{path}/claim", headers=both)
    assert (claimed.status_code, claimed.json()["version"]) == (200, 3)
    with frozen(postgres):
        assert say(api, path, "I also have a good friend.", "three", as_maja)["status"] == "queued"
        stranger = {"text": "Mine?", "client_message_id": "four"}
        assert api.post(f"{path}/answer", json=stranger, headers=anonymous).status_code == 404
    wait_until_stored(api, path, as_maja, version=4)


def test_a_paused_session_stays_paused(api, postgres, begun, as_maja):
    api.post(f"{begun}/pause", headers=as_maja)
    with frozen(postgres):
        body = {"text": SAID[1], "client_message_id": "two"}
        answer = api.post(f"{begun}/answer", json=body, headers=as_maja)
        assert (answer.status_code, answer.json()["code"]) == (409, "session_paused")


def test_waiting_turns_are_handed_out_and_erased(api, postgres, begun, as_maja, maja, tokens, spool_dir):
    def service(scope):
        return headers(tokens.service("users-service", "chat-service", scope))

    person = f"/internal/people/{tokens.id_of(maja)}"
    stranger = f"/internal/people/{uuid4()}"
    with frozen(postgres):
        say(api, begun, SAID[1], "two", as_maja)
        (path,) = spool_dir.glob("*.jsonl")
        old = spool_dir / f"{uuid4()}.jsonl.unreadable-1"
        old.write_text(f'{{"message": {{"user_id":"{tokens.id_of(maja)}", "text": "long ago"}}}}\n')
        # All that is in PostgreSQL is erased when it is back; what is on disk goes at once.
        answer = api.post(f"{person}/erase", headers=service("people:erase"), timeout=20)
        assert answer.status_code == 503
    assert not path.exists()
    assert api.post(f"{person}/erase", headers=service("people:erase")).status_code == 200
    assert not old.exists()
    assert api.get(f"{stranger}/export", headers=service("people:export")).json()["items"] == []


def test_set_aside_turns_are_handed_out(api, maja, tokens, spool_dir):
    export = headers(tokens.service("users-service", "chat-service", "people:export"))
    line = {"message": {"user_id": str(tokens.id_of(maja)), "text": "long ago"}}
    (spool_dir / f"{uuid4()}.jsonl.unreadable-1").write_text(json.dumps(line, separators=(",", ":")) + "\n")
    items = api.get(f"/internal/people/{tokens.id_of(maja)}/export", headers=export).json()["items"]
    assert [item["record"] for item in items if item["store"] == "files.spool"] == [line]


def test_help_is_shown_whatever_is_away(api, postgres, begun, as_maja, serve, tokens):
    unknown = f"/api/programs/sessions/{uuid4()}/answer"
    body = {"text": DANGER, "client_message_id": "x"}
    with frozen(postgres):
        in_session = say(api, begun, DANGER, "danger", as_maja)
        assert in_session["resources"]
        for language, known in (("en-GB", "Samaritans"), ("de-DE,de;q=0.9", "TelefonSeelsorge")):
            answer = api.post(unknown, json=body, headers={**as_maja, "Accept-Language": language})
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert known in answer.json()["resources"][0]["name"] + answer.json()["resources"][1]["name"]
        harmless = api.post(unknown, json={**body, "text": "I am fine."}, headers=as_maja)
        assert "resources" not in harmless.json()
    wait_until_stored(api, begun, as_maja, version=3)


def test_help_is_shown_with_everything_away(serve, postgres, as_maja, mongo):
    nowhere = "127.0.0.1:9"

    away = {
        "mongo_url": SecretStr(f"mongodb://{nowhere}/cogniflow_chat?directConnection=true"),
        "redis_url": SecretStr(f"redis://{nowhere}/0"),
        "database_url": SecretStr(f"postgresql+psycopg2://chat@{nowhere}/cogniflow"),
    }

    with serve(**away) as url, httpx.Client(base_url=url, timeout=30) as client:
        listed = client.get("/api/safety/resources", params={"locale": "de-AT"})
        assert (listed.status_code, bool(listed.json()["resources"])) == (200, True)
        said = {"text": DANGER, "client_message_id": "x"}
        coached = client.post(f"/api/programs/sessions/{uuid4()}/answer", json=said, headers=as_maja)
        asked = {"message": DANGER, "course_id": str(uuid4()), "client_message_id": "x"}
        tutored = client.post("/api/chat/message", json=asked, headers=as_maja)
        for answer in (coached, tutored):
            assert (answer.status_code, bool(answer.json()["resources"])) == (503, True)


def test_with_mongodb_and_redis_away_the_coach_shows_help(serve, as_maja, mongo):

    away = {
        "mongo_url": SecretStr("mongodb://127.0.0.1:9/cogniflow_chat?directConnection=true"),
        "redis_url": SecretStr("redis://127.0.0.1:9/0"),
    }
    with serve(**away) as url, httpx.Client(base_url=url, timeout=30) as client:
        session = client.post("/api/programs/driven/start", headers=as_maja).json()
        found = say(client, f"/api/programs/sessions/{session['id']}", DANGER, "one", as_maja)
        assert (found["status"], bool(found["resources"])) == ("completed", True)


def test_it_shows_how_many_turns_wait(api, postgres, begun, as_maja):
    def shown():
        metrics = api.get("/metrics").text.splitlines()
        (gauge,) = [line for line in metrics if line.startswith("chat_spooled_turns ")]
        return float(gauge.split()[1]), api.get("/health/ready").json()["spooled_turns"]

    assert shown() == (0, 0)
    with frozen(postgres):
        say(api, begun, SAID[1], "two", as_maja)
        say(api, begun, SAID[2], "three", as_maja)
        assert shown() == (2, 2)
    wait_until_stored(api, begun, as_maja, version=4)
    assert shown() == (0, 0)


def test_what_is_away_refuses_in_time(api, postgres, begun, as_maja):
    """New sessions, lists and records need PostgreSQL; nobody waits for it for long."""
    with frozen(postgres):
        for method, path in (
            ("POST", "/api/programs/support-intake/start"),
            ("POST", "/api/programs/support-intake/start-anonymously"),
            ("GET", "/api/programs"),
            ("GET", "/api/programs/sessions"),
            ("GET", f"{begun}/transcript"),
            ("GET", f"{begun}/summary"),
            ("POST", f"{begun}/pause"),
        ):
            since = time.monotonic()
            answer = api.request(method, path, headers=as_maja)
            assert time.monotonic() - since < 2, path
            assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True), path


def test_turns_of_a_deleted_session_go_with_it(api, postgres, begun, as_maja, spool_dir, rows, own):
    held = api.get(begun, headers=as_maja).json()["id"]
    with own.engine.connect() as connection:
        connection.execute(text("DELETE FROM sessions WHERE session_id = :id"), {"id": held})
        with frozen(postgres):
            say(api, begun, SAID[1], "two", as_maja)
            assert list(spool_dir.glob("*.jsonl"))
        connection.commit()
    deadline = time.monotonic() + 10
    while list(spool_dir.glob("*.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [path.name for path in spool_dir.iterdir()] == ["owner"]
    assert api.get(begun, headers=as_maja).status_code == 404
