"""A creating POST that is repeated has its effect once and gives its first answer again."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Annotated
from uuid import UUID

import pytest
from fastapi import APIRouter, File, Request, UploadFile
from sqlalchemy import text

from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.ids import new_id
from cogniflow_kit.schemas import RequestBody, ResponseBody
from cogniflow_kit.sql.database import DatabaseSession
from cogniflow_kit.sql.idempotency import AnonymousIdempotency, UserIdempotency

router = APIRouter()
ADD = text("INSERT INTO things (id, name) VALUES (:id, :name) RETURNING id")


class NewThing(RequestBody):
    name: str


class Thing(ResponseBody):
    id: UUID
    name: str


def add(session: DatabaseSession, name: str) -> Thing:
    return Thing(id=session.scalar(ADD, {"id": new_id(), "name": name}), name=name)


@router.post("/things", status_code=201)
def create(body: NewThing, session: DatabaseSession, idempotency: UserIdempotency, request: Request) -> Thing:
    thing = add(session, body.name)
    idempotency.store(thing)
    request.app.state.before_commit(session)
    return thing


@router.post("/public-things", status_code=201)
def create_anonymously(body: NewThing, session: DatabaseSession, idempotency: AnonymousIdempotency) -> Thing:
    return idempotency.store(add(session, body.name))


@router.post("/files", status_code=202)
def upload(
    session: DatabaseSession, idempotency: UserIdempotency, file: Annotated[UploadFile, File()]
) -> Thing:
    return idempotency.store(add(session, str(len(file.file.read()))), status=202)


@pytest.fixture
def client(make_client, database):
    client = make_client(router, stores=(database,))
    client.app.state.before_commit = lambda session: None
    return client


@pytest.fixture
def caller(tokens):
    return headers(tokens.user())


@pytest.fixture
def count(database):
    def things() -> int:
        with database.transaction() as session:
            return session.scalar(text("SELECT count(*) FROM things"))

    return things


def post(client, caller, name, key=None, path="/things"):
    keyed = caller | ({"Idempotency-Key": key} if key else {})
    return client.post(path, json={"name": name}, headers=keyed)


def test_without_a_key_every_post_counts(client, caller, count):
    assert [post(client, caller, name).status_code for name in ("a", "b")] == [201, 201]
    assert count() == 2


def test_same_key_same_body_gives_the_first_answer_again(client, caller, count):
    first = post(client, caller, "a", "k1")
    again = post(client, caller, "a", "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert count() == 1


def test_same_key_another_body_is_refused(client, caller, count):
    post(client, caller, "a", "k1")
    answer = post(client, caller, "b", "k1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert count() == 1


def test_same_key_another_route_is_refused(client, caller, count):
    post(client, caller, "a", "k1")
    files = {"file": b"abc"}
    answer = client.post("/files", files=files, headers=caller | {"Idempotency-Key": "k1"})
    assert answer.json()["code"] == "idempotency_key_reused"
    assert count() == 1


def test_keys_of_two_people_have_nothing_to_do_with_each_other(client, caller, tokens, count):
    assert post(client, caller, "a", "k1").status_code == 201
    assert post(client, headers(tokens.user()), "b", "k1").status_code == 201
    assert count() == 2


def test_callers_without_an_account_have_keys_too(client, count):
    first = post(client, {}, "a", "k1", "/public-things")
    assert post(client, {}, "a", "k1", "/public-things").content == first.content
    assert count() == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\x00", "ümlaut".encode()])
def test_a_malformed_key_is_refused(client, caller, count, key):
    answer = client.post("/things", json={"name": "a"}, headers=caller | {"Idempotency-Key": key})
    assert answer.status_code == 422
    assert count() == 0


def test_in_flight_it_is_a_conflict(client, caller, count):
    entered, leave = Event(), Event()

    def wait(_):
        entered.set()
        leave.wait(10)

    client.app.state.before_commit = wait
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, client, caller, "a", "k1")
        assert entered.wait(10)
        client.app.state.before_commit = lambda session: None
        second = post(client, caller, "a", "k1")
        assert (second.status_code, second.json()["code"]) == (409, "request_in_flight")
        assert post(client, caller, "b", "k2").status_code == 201
        leave.set()
        assert first.result().status_code == 201
    assert post(client, caller, "a", "k1").content == first.result().content
    assert count() == 2


def test_of_many_at_once_one_has_an_effect(client, caller, count):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(client, caller, "a", "k1"), range(16)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert count() == 1


def test_a_failure_after_the_effect_leaves_nothing(client, caller, count):
    def fail(_):
        raise RuntimeError("the process dies here")

    client.app.state.before_commit = fail
    assert post(client, caller, "a", "k1").status_code == 500
    assert count() == 0
    client.app.state.before_commit = lambda session: None
    answer = post(client, caller, "a", "k1")
    assert answer.status_code == 201
    assert "idempotency-replayed" not in answer.headers
    assert count() == 1


def test_a_commit_that_fails_is_no_success(client, caller, count, database):
    """The connection dies between the last statement and the commit."""

    def cut(session):
        backend = session.scalar(text("SELECT pg_backend_pid()"))
        with database.transaction() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})

    client.app.state.before_commit = cut
    answer = post(client, caller, "a", "k1")
    assert answer.status_code == 503
    assert answer.json()["code"] == "service_unavailable"
    assert count() == 0
    client.app.state.before_commit = lambda session: None
    assert post(client, caller, "a", "k1").status_code == 201
    assert count() == 1


def test_after_a_day_a_key_is_free_again(client, caller, count, database):
    post(client, caller, "a", "k1")
    with database.transaction() as session:
        session.execute(text("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'"))
    answer = post(client, caller, "b", "k1")
    assert answer.status_code == 201
    assert post(client, caller, "b", "k1").content == answer.content
    assert count() == 2


def test_uploads_are_told_apart_by_their_content(client, caller, count):
    keyed = caller | {"Idempotency-Key": "k1"}
    first = client.post("/files", files={"file": b"x" * 100}, headers=keyed)
    assert (first.status_code, first.json()["name"]) == (202, "100")
    again = client.post("/files", files={"file": b"x" * 100}, headers=keyed)
    assert (again.status_code, again.content) == (202, first.content)
    other = client.post("/files", files={"file": b"y" * 100}, headers=keyed)
    assert other.json()["code"] == "idempotency_key_reused"
    assert count() == 1
