"""Service tokens, and the storage of signing keys."""

import pytest
from jose import jwt
from sqlalchemy import select

from cogniflow_kit.sql.database import Database
from users_service.tables import SigningKey


def ask(client, settings, **changes: str):
    form = {
        "grant_type": "client_credentials",
        "client_id": "chat-service",
        "client_secret": settings.chat_client_secret.get_secret_value(),
        "audience": "courses-service",
        "scope": "lessons:read",
    }
    return client.post("/internal/tokens", data={**form, **changes})


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"client_secret": "guess"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "courses-service"}, 401, "invalid_client"),
        ({"scope": "users:write"}, 403, "invalid_scope"),
        ({"audience": "users-service"}, 403, "invalid_scope"),
        ({"grant_type": "password"}, 422, "validation_failed"),
    ],
)
def test_token_requests_are_refused(client, settings, changes, status, code):
    answer = ask(client, settings, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_service_token_has_its_audience_and_lives_a_minute(client, settings):
    claims = jwt.get_unverified_claims(ask(client, settings).json()["access_token"])
    assert (claims["sub"], claims["aud"], claims["typ"]) == ("chat-service", "courses-service", "svc")
    assert 59 < claims["exp"] - claims["iat"] <= 60


def test_a_service_token_is_not_accepted_as_a_users_token(client, settings):
    token = ask(client, settings).json()["access_token"]
    assert client.get("/api/users/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_the_private_key_is_encrypted_and_never_published(client, database: Database):
    with database.transaction() as db:
        key = db.scalars(select(SigningKey)).one()
    assert "PRIVATE KEY" not in key.encrypted_private_key
    (published,) = client.get("/.well-known/jwks.json").json()["keys"]
    assert published["kid"] == key.kid
    assert "d" not in published
