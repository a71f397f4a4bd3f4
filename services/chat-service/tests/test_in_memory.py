"""Programs in memory alone answer every route as with PostgreSQL, and say that they don't last."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from taking import Taking

from chat_service.bootstrap import bootstrap
from chat_service.settings import Settings
from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.sql.database import Database

DATA = Path(__file__).parent / "data"
NOWHERE = "postgresql+psycopg2://chat@127.0.0.1:9/cogniflow"
MOVING = {"id", "turn_id", "session_id", "client_message_id", "latency_ms"}


@pytest.fixture
def in_memory(make_client, mongo):
    """PostgreSQL isn't there at all."""
    gone = Database(NOWHERE, application="tests")
    with make_client(gone, use_db_persistence="false", content_dir=DATA) as client:
        yield client


def taking(client, who, slug="practice"):
    return Taking(client, who, client.post(f"/api/programs/{slug}/start", headers=who).json())


def shape(found):
    """Without what is another each time: ids and moments."""
    if isinstance(found, dict):
        return {
            key: shape(value)
            for key, value in found.items()
            if key not in MOVING and not key.endswith("_at") and key != "last_activity"
        }
    return [shape(one) for one in found] if isinstance(found, list) else found


def walk(client, who):
    """A way with everything in it, and what every route says of it then."""
    told = taking(client, who)
    replies = told.go(6)
    replies.append(told.reply("skip"))
    replies.append(told.restart(1).json())
    replies += told.go(2)
    told.post("pause")
    refused = told.say("Too early.")
    told.post("resume")
    reads = [told.read(what) for what in ("", "/weeks/1", "/weeks/2", "/transcript?format=json", "/summary")]
    listed = [
        client.get(path, headers=who).json()["items"] for path in ("/api/programs/sessions", "/api/programs")
    ]
    programs = [one for one in listed[1] if one["slug"] in ("practice", "open-door")]
    return shape(
        [replies, refused.json()["code"], reads, listed[0], sorted(programs, key=lambda one: one["slug"])]
    )


def test_every_route_says_the_same(client, in_memory, as_maja):
    stored, kept = walk(client, as_maja), walk(in_memory, as_maja)
    for one, other in zip(kept, stored, strict=True):
        assert one == other


def test_a_start_is_repeated_and_another_session_is_not_begun(in_memory, as_maja):
    keyed = {**as_maja, "Idempotency-Key": "start-1"}
    first = in_memory.post("/api/programs/practice/start", headers=keyed)
    again = in_memory.post("/api/programs/practice/start", headers=keyed)
    open_one = in_memory.post("/api/programs/practice/start", headers=as_maja)
    assert [first.status_code, again.status_code, open_one.status_code] == [201, 201, 200]
    assert first.json()["id"] == again.json()["id"] == open_one.json()["id"]
    other = in_memory.post("/api/programs/open-door/start", headers=keyed)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_an_anonymous_session_can_be_claimed(in_memory, as_maja, as_stranger):
    begun = in_memory.post("/api/programs/open-door/start-anonymously", json={}).json()
    key, path = {"X-Session-Key": begun["session_key"]}, f"/api/programs/sessions/{begun['session']['id']}"
    assert in_memory.get(path, headers=as_maja).status_code == 404
    assert in_memory.post(f"{path}/claim", headers={**as_maja, **key}).status_code == 200
    assert in_memory.get(path, headers=as_maja).json()["anonymous"] is False
    for other in (key, as_stranger):
        assert in_memory.get(path, headers=other).status_code == 404
    second = in_memory.post("/api/programs/open-door/start-anonymously", json={}).json()
    refused = in_memory.post(
        f"/api/programs/sessions/{second['session']['id']}/claim",
        headers={**as_maja, "X-Session-Key": second["session_key"]},
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "already_taking_part")


def test_help_comes_first_here_too(in_memory, as_maja):
    found = taking(in_memory, as_maja).reply("I want to kill myself tonight.")
    assert found["resources"]
    assert found["question_completed"] is False


def test_sessions_are_handed_out_and_erased(make_client, database, mongo, tokens, maja, as_maja):
    def service(scope):
        return headers(tokens.service("users-service", "chat-service", scope))

    with make_client(database, use_db_persistence="false", content_dir=DATA) as client:
        told = taking(client, as_maja)
        told.go(1)
        person = f"/internal/people/{tokens.id_of(maja)}"
        items = client.get(f"{person}/export", headers=service("people:export")).json()["items"]
        (held,) = [item["record"] for item in items if item["store"] == "memory.sessions"]
        assert held["messages"][1]["sender"] == "user"
        erased = client.post(f"{person}/erase", headers=service("people:erase")).json()["erased"]
        assert erased["memory.sessions"] == 1
        assert told.get().status_code == 404


def test_it_is_said_loudly(in_memory, make_client, database, capsys):
    with make_client(database, use_db_persistence="false"):
        assert "KEPT IN MEMORY ALONE" in capsys.readouterr().out
    assert "memory" in in_memory.get("/health/ready").json()["persistence"]


def test_in_production_it_takes_a_plain_word(settings):
    values = settings.model_dump() | {"cogniflow_env": "production"}
    for name, value in values.items():
        if isinstance(value, SecretStr):
            values[name] = SecretStr(value.get_secret_value().replace("development-only", "own"))
    with pytest.raises(ValidationError, match="lose-sessions"):
        Settings(**values | {"use_db_persistence": "false"})
    assert Settings(**values | {"use_db_persistence": "lose-sessions"}).in_memory
    assert not Settings(**values | {"use_db_persistence": "True"}).in_memory


def test_it_starts_without_postgresql(settings, mongo):
    gone = {"database_url": SecretStr(NOWHERE)}
    bootstrap(settings.model_copy(update=gone | {"use_db_persistence": "false"}))
    with pytest.raises(Exception, match="refused"):
        bootstrap(settings.model_copy(update=gone))
