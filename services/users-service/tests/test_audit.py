"""The audit log: complete, append-only, readable by admins only."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError


def events(client, headers, **wanted):
    return client.get("/api/admin/security-events", headers=headers, params=wanted).json()["items"]


@pytest.mark.parametrize("role", ["student", "instructor", "researcher"])
def test_only_admins_may_read_security_events(client, headers_of, role):
    assert client.get("/api/admin/security-events").status_code == 401
    assert client.get("/api/admin/security-events", headers=headers_of(role)).status_code == 403


def test_logins_failures_and_reuse_are_recorded_without_secrets(
    client, make_user, log_in, headers_of, database
):
    user = make_user("maja")
    log_in(client, "maja", "my wrong guess")
    first = log_in(client, "maja").json()["refresh_token"]
    second = client.post("/api/auth/refresh", json={"refresh_token": first}).json()["refresh_token"]
    client.post("/api/auth/refresh", json={"refresh_token": second})
    client.post("/api/auth/refresh", json={"refresh_token": first})
    found = events(client, headers_of("admin"), user_id=str(user.id))
    assert [event["type"] for event in found] == ["refresh_token_reused", "login", "login_failed"]
    assert all(event["address"] == "testclient" for event in found)
    assert not any(secret in str(found) for secret in ("my wrong guess", first, second))


@pytest.mark.parametrize(
    ("role", "method", "path", "route"),
    [
        ("researcher", "GET", "/api/admin/security-events", "/api/admin/security-events"),
        ("instructor", "GET", "/api/admin/mails", "/api/admin/mails"),
        ("student", "POST", "/api/admin/keys/rotate", "/api/admin/keys/rotate"),
        ("student", "POST", "/api/auth/introspect", "/api/auth/introspect"),
        ("student", "GET", "/api/users/", "/api/users/"),
        ("student", "POST", "/api/users/%00%22/lock", "/api/users/{user_id}/lock"),
    ],
)
def test_role_refusals_are_recorded(client, headers_of, role, method, path, route):
    headers = headers_of(role)
    assert client.request(method, path, headers=headers, data={"token": "x"}).status_code == 403
    own = client.get("/api/users/me", headers=headers).json()["id"]
    (event, _login) = events(client, headers_of("admin"), user_id=own)
    assert event["type"] == "access_refused"
    assert event["session_id"] is not None
    assert event["data"] == {"role": role, "route": f"{method} {route}"}


def test_key_rotations_are_recorded_without_the_key(client, headers_of, database):
    admin = headers_of("admin")
    kid = client.post("/api/admin/keys/rotate", headers=admin).json()["kid"]
    (event,) = events(client, admin, type="key_rotated")
    assert event["actor_id"] == client.get("/api/users/me", headers=admin).json()["id"]
    assert event["data"] == {"kid": kid}


def test_refused_service_tokens_are_recorded_without_secrets(client, headers_of):
    form = {"grant_type": "client_credentials", "client_id": "chat-service", "client_secret": "my guess"}
    asked = {"audience": "courses-service", "scope": "lessons:read"}
    assert client.post("/internal/tokens", data={**form, **asked}).status_code == 401
    (event,) = events(client, headers_of("admin"), type="service_token_refused")
    assert event["data"] == {"client_id": "chat-service", **asked}


def test_search_filters_by_type_and_time(client, make_user, log_in, headers_of):
    make_user("maja")
    log_in(client, "maja", "wrong")
    admin = headers_of("admin")
    assert {event["type"] for event in events(client, admin, type="login_failed")} == {"login_failed"}
    assert events(client, admin, since="2999-01-01T00:00:00Z") == []
    assert events(client, admin, until="2000-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM security_events",
        "TRUNCATE security_events",
        "UPDATE security_events SET data = '{}'",
        "UPDATE security_events SET type = 'login'",
        "UPDATE security_events SET user_id = gen_random_uuid()",
        "UPDATE security_events SET occurred_at = now() - interval '1 day'",
    ],
)
def test_events_cannot_be_changed_or_deleted(client, log_in, database, change):
    log_in(client, "nobody")
    with pytest.raises(DBAPIError, match="append-only"), database.transaction() as db:
        db.execute(text(change))


def test_events_can_only_be_anonymized(client, make_user, log_in, database):
    make_user("maja")
    log_in(client, "maja")
    with database.transaction() as db:
        db.execute(text("UPDATE security_events SET user_id = NULL, session_id = NULL, address = NULL"))
