"""Registration, and reading accounts."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, func, select, text

from cogniflow_kit.sql.database import Database
from users_service.accounts.schemas import UserOut
from users_service.accounts.service import own_account
from users_service.tables import User

PASSWORD = "correct horse battery"
MAJA = {
    "username": "maja",
    "email": "maja@example.org",
    "full_name": "Maja Novak",
    "password": PASSWORD,
}


def register(client: TestClient, **changes: object):
    return client.post("/api/auth/register", json={**MAJA, **changes})


def count_users(database: Database) -> int:
    with database.transaction() as db:
        return db.scalar(select(func.count()).select_from(User))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": "ab"}, "body.username"),
        ({"username": "a" * 65}, "body.username"),
        ({"username": "with space"}, "body.username"),
        ({"email": "no-address"}, "body.email"),
        ({"full_name": ""}, "body.full_name"),
        ({"full_name": "nul\x00"}, "body.full_name"),
        ({"password": "too short"}, "body.password"),
        ({"password": "x" * 129}, "body.password"),
        ({"role": "admin"}, "body.role"),
    ],
)
def test_registration_refuses_invalid_fields(client, database, changes, field):
    before = count_users(database)
    answer = register(client, **changes)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "validation_failed"
    assert [error["field"] for error in problem["errors"]] == [field]
    assert count_users(database) == before


@pytest.mark.parametrize("password", ["ö7Kq,2vX!z", "🜁7Kq,2vX!z" * 12 + "🜂" * 8])
def test_registration_accepts_passwords_of_minimum_and_maximum_length(client, log_in, password):
    assert len(password) in (10, 128)
    assert register(client, password=password).status_code == 201
    assert log_in(client, "maja", password).status_code == 200
    assert log_in(client, "maja", password[:-1]).status_code == 401


def test_registration_refuses_a_lone_surrogate(client):
    """JSON may contain a lone surrogate (half of a UTF-16 pair); UTF-8 and PostgreSQL can't store it."""
    for field in MAJA:
        body = json.dumps({**MAJA, field: "quiet morning \ud800"})
        answer = client.post("/api/auth/register", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422


def test_an_error_does_not_contain_the_refused_password(client):
    answer = register(client, password="my-secret")
    assert answer.status_code == 422
    assert "my-secret" not in answer.text


def test_registration_refuses_a_body_that_is_not_json(client):
    answer = client.post("/api/auth/register", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_registration_refuses_an_oversize_body(client):
    answer = register(client, full_name="x" * 2_000_000)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"email": "other@example.org"}, "username_taken"),
        ({"username": "MAJA", "email": "other@example.org"}, "username_taken"),
        ({"username": "other"}, "email_taken"),
        ({"username": "other", "email": "Maja@Example.org"}, "email_taken"),
    ],
)
def test_usernames_and_addresses_are_unique_ignoring_case(client, changes, code):
    assert register(client).status_code == 201
    answer = register(client, **changes)
    assert answer.status_code == 409
    assert answer.json()["code"] == code


def test_of_ten_concurrent_registrations_of_one_name_one_succeeds(committing_client):
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(
                lambda n: register(committing_client, email=f"maja{n}@example.org").status_code,
                range(10),
            )
        )
    assert sorted(answers) == [201] + [409] * 9


def test_registration_opens_a_students_account_that_can_log_in(client, database, log_in):
    answer = register(client)
    assert answer.status_code == 201
    account = answer.json()
    assert account["role"] == "student"
    assert "password" not in answer.text
    assert log_in(client, "maja").status_code == 200
    with database.transaction() as db:
        kinds = db.scalars(text("SELECT event->>'type' FROM outbox ORDER BY id")).all()
    assert kinds == ["user.registered", "user.logged_in"]


def test_a_registration_repeated_with_its_idempotency_key_returns_the_first_response(client, database):
    key = {"Idempotency-Key": "one"}
    first = client.post("/api/auth/register", json=MAJA, headers=key)
    before = count_users(database)
    second = client.post("/api/auth/register", json=MAJA, headers=key)
    assert (second.status_code, second.text) == (201, first.text)
    assert second.headers["Idempotency-Replayed"] == "true"
    other = client.post("/api/auth/register", json={**MAJA, "username": "other"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert count_users(database) == before


def test_me_needs_a_token(client):
    answer = client.get("/api/users/me")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_me_returns_the_callers_account(client, headers_of):
    assert client.get("/api/users/me", headers=headers_of("student")).json()["username"] == "some-student"


@pytest.mark.parametrize("role", ["student", "researcher"])
def test_students_and_researchers_may_not_list_users(client, headers_of, role):
    answer = client.get("/api/users/", headers=headers_of(role))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("role", ["instructor", "admin"])
def test_instructors_and_admins_list_users_in_pages(client, make_user, headers_of, role):
    headers = headers_of(role)
    for name in ("ana", "ben", "cem"):
        make_user(name)
    seen, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = client.get("/api/users/", headers=headers, params=params).json()
        seen += [user["username"] for user in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert {"ana", "ben", "cem", f"some-{role}"} <= set(seen)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=!", "cursor=" + "A" * 65])
def test_user_list_refuses_invalid_limits_and_cursors(client, headers_of, query):
    assert client.get(f"/api/users/?{query}", headers=headers_of("admin")).status_code == 422


@pytest.mark.parametrize(
    "columns",
    [
        {"locked_at": None, "last_login": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)},
        {
            "email_verified_at": datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC),
            "email": 'šárka "s" \\ 🎓\n',
        },
    ],
)
def test_me_returns_the_json_of_its_schema(client, database, make_user, columns):
    """PostgreSQL builds the JSON; the OpenAPI document promises `UserOut`."""
    user = make_user(**columns)
    with database.transaction() as db:
        row = db.get_one(User, user.id)
    found = asyncio.run(own_account(database, user.id))
    assert found == UserOut.model_validate(row).model_dump_json().encode()


def test_me_of_an_erased_account_is_not_found(client, database, headers_of):
    headers = headers_of()
    with database.transaction() as db:
        db.execute(delete(User))
    answer = client.get("/api/users/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")
