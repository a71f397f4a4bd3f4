"""What the service tells of a person, and that nothing of them is left after an erasure."""

import json
from uuid import uuid4

import pytest
from sqlalchemy import text

from chat_service import tables
from chat_service.indexes import AI_CONVERSATIONS
from chat_service.personal_data import TABLES_WITHOUT_PERSONAL_DATA
from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.personal_data import ERASE_SCOPE, EXPORT_SCOPE

CANARY = "canary-quince-marmalade"
WORDS = f"In Monday's meeting my proposal was rejected and I thought I'm not good enough. {CANARY}"


@pytest.fixture
def users_service(tokens):
    return headers(tokens.service("users-service", "chat-service", f"{EXPORT_SCOPE} {ERASE_SCOPE}"))


@pytest.fixture
def talk(client, question, platform):
    """Somebody asks the tutor and answers a coach, with the canary in both."""

    def do(as_person, token, words=CANARY):
        platform.every_course = next(iter(platform.courses.values()), None)
        asked = question(f"What is the forgetting curve? {words}")
        assert client.post("/api/chat/message", json=asked, headers=as_person).status_code == 200
        session_id = client.post("/api/programs/driven/start", headers=as_person).json()["id"]
        body = {"text": WORDS.replace(CANARY, words), "client_message_id": str(uuid4())}
        path = f"/api/programs/sessions/{session_id}/answer"
        assert client.post(path, json=body, headers=as_person).status_code == 200

    return do


def test_people_and_the_wrong_services_may_not(client, maja, as_maja, tokens):
    for method, path, scope in (("GET", "export", ERASE_SCOPE), ("POST", "erase", EXPORT_SCOPE)):
        address = f"/internal/people/{tokens.id_of(maja)}/{path}"
        assert client.request(method, address).status_code == 401
        assert client.request(method, address, headers=as_maja).status_code == 401
        wrong = headers(tokens.service("courses-service", "chat-service", scope))
        assert client.request(method, address, headers=wrong).status_code == 403


def test_every_table_and_collection_is_covered(client, mongo):
    covered = set(client.app.state.personal_data.stores)
    names = {table.name for table in tables.metadata.tables.values()}
    assert {f"postgresql.{name}" for name in names - TABLES_WITHOUT_PERSONAL_DATA} | {
        f"mongodb.{AI_CONVERSATIONS}"
    } == covered
    assert names >= TABLES_WITHOUT_PERSONAL_DATA
    assert {f"mongodb.{name}" for name in mongo.database.list_collection_names()} <= covered


def test_everything_is_exported_and_erased_of_one_person_only(
    client, talk, maja, as_maja, tokens, users_service, database, mongo
):
    other = tokens.user()
    talk(as_maja, maja), talk(headers(other), other, "another one's words")
    maja_id, other_id = tokens.id_of(maja), tokens.id_of(other)

    def exported(user_id):
        answer = client.get(f"/internal/people/{user_id}/export", headers=users_service)
        return answer.json()["items"]

    def kept():
        """Every row and document, as text."""
        with database.transaction() as session:
            rows = [
                session.scalar(text(f"SELECT json_agg(t)::text FROM {table.fullname} t"))
                for table in tables.metadata.tables.values()
            ]
        return f"{rows} {list(mongo.collection(AI_CONVERSATIONS).find())}"

    before, found = exported(other_id), exported(maja_id)
    by_store = {item["store"]: json.dumps(item["record"]) for item in found}
    assert CANARY in by_store["mongodb.ai_conversations"]
    assert CANARY in by_store["postgresql.user_answers"]
    assert {"postgresql.sessions", "postgresql.turns", "postgresql.outbox"} <= by_store.keys()
    assert str(other_id) not in str(found)
    assert CANARY in kept()

    address = f"/internal/people/{maja_id}/erase"
    receipt = client.post(address, headers=users_service).json()["erased"]
    assert {store for store, count in receipt.items() if count} == by_store.keys()
    assert CANARY not in kept()
    assert str(maja_id) not in kept()
    assert set(client.post(address, headers=users_service).json()["erased"].values()) == {0}
    assert exported(maja_id) == []
    assert exported(other_id) == before


def test_the_activity_counts_ones_own(client, talk, maja, as_maja, as_stranger):
    assert client.get("/api/chat/activity").status_code == 401
    talk(as_maja, maja)
    assert client.get("/api/chat/activity", headers=as_maja).json() == {"conversations": 1}
    assert client.get("/api/chat/activity", headers=as_stranger).json() == {"conversations": 0}
