"""Token introspection, for admins."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from cogniflow_kit.ids import utc_now
from users_service.tables import RefreshToken

PATH = "/api/auth/introspect"
INACTIVE = (200, {"active": False})


def ask(client, headers, token):
    answer = client.post(PATH, data={"token": token}, headers=headers)
    return answer.status_code, answer.json()


@pytest.fixture
def admin(headers_of):
    return headers_of("admin")


@pytest.mark.parametrize("role", ["student", "instructor", "researcher"])
def test_only_admins_may_introspect(client, headers_of, role):
    assert client.post(PATH, data={"token": "x"}).status_code == 401
    headers = headers_of(role)
    own = headers["Authorization"].removeprefix("Bearer ")
    assert client.post(PATH, data={"token": own}, headers=headers).status_code == 403


@pytest.mark.parametrize("form", [{}, {"token": ""}, {"token": "x" * 4097}, {"token": "x", "more": "y"}])
def test_introspection_refuses_invalid_forms(client, admin, form):
    assert client.post(PATH, data=form, headers=admin).status_code == 422


@pytest.mark.parametrize("token", ["x", "a.b.c", "e30.e30.", "eyJhbGciOiJub25lIn0.eyJ0eXAiOiJhY2Nlc3MifQ."])
def test_an_invalid_token_is_only_described_as_inactive(client, admin, token):
    assert ask(client, admin, token) == INACTIVE


def test_an_altered_token_is_not_active(client, admin, make_user, log_in):
    make_user("maja")
    head, claims, signature = log_in(client, "maja").json()["access_token"].split(".")
    assert ask(client, admin, f"{head}.{claims}.{signature[::-1]}") == INACTIVE


def test_access_and_refresh_tokens_are_active_until_the_session_ends(client, admin, make_user, log_in):
    user = make_user("maja")
    pair = log_in(client, "maja").json()
    for kind in ("access", "refresh"):
        status, found = ask(client, admin, pair[f"{kind}_token"])
        assert (status, found["active"], found["kind"]) == (200, True, kind)
        assert (found["sub"], found["username"], found["role"]) == (str(user.id), "maja", "student")
        assert found["exp"] > found["iat"]
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    assert client.post("/api/auth/logout", headers=bearer).status_code == 204
    for kind in ("access", "refresh"):
        assert ask(client, admin, pair[f"{kind}_token"]) == INACTIVE


def test_spent_and_expired_refresh_tokens_are_not_active(client, admin, make_user, log_in, database):
    make_user("maja")
    first = log_in(client, "maja").json()["refresh_token"]
    second = client.post("/api/auth/refresh", json={"refresh_token": first}).json()["refresh_token"]
    assert ask(client, admin, first) == INACTIVE
    assert ask(client, admin, second)[1]["active"] is True
    with database.transaction() as db:
        db.execute(update(RefreshToken).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert ask(client, admin, second) == INACTIVE


def test_a_services_token_is_active_for_its_audience(client, admin, settings):
    form = {
        "grant_type": "client_credentials",
        "client_id": "chat-service",
        "client_secret": settings.chat_client_secret.get_secret_value(),
        "audience": "courses-service",
        "scope": "lessons:read",
    }
    token = client.post("/internal/tokens", data=form).json()["access_token"]
    _, found = ask(client, admin, token)
    assert (found["active"], found["kind"], found["sub"]) == (True, "service", "chat-service")
    assert (found["aud"], found["scope"]) == ("courses-service", "lessons:read")
