"""Presence over HTTP: who is online, and who may see it."""

from datetime import UTC, datetime, timedelta

import pytest

from cogniflow_dev.testing.tokens import headers

URL = "/api/presence"


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_requests_without_token_are_unauthorized(client, method):
    assert client.request(method, URL).status_code == 401


def test_service_tokens_are_refused(client, tokens):
    token = tokens.service("chat-service", "analytics-service", "events:write")
    assert client.put(URL, headers=headers(token)).status_code == 401


@pytest.mark.parametrize("limit", ["0", "1001", "many", ""])
def test_invalid_limits_are_refused(client, tokens, limit):
    answer = client.get(URL, params={"limit": limit}, headers=headers(tokens.user("admin")))
    assert answer.status_code == 422


def test_user_is_online_after_a_heartbeat(client, tokens):
    token = tokens.user("instructor")
    assert client.put(URL, headers=headers(token)).status_code == 204
    online = client.get(URL, headers=headers(token)).json()
    assert online["online"] == 1
    assert online["window_seconds"] == 120
    [user] = online["users"]
    assert user["user_id"] == str(tokens.id_of(token))
    assert datetime.now(UTC) - datetime.fromisoformat(user["last_seen_at"]) < timedelta(seconds=10)


@pytest.mark.parametrize("role", ["student", "researcher"])
def test_other_roles_see_the_number_and_themselves(client, tokens, role):
    token = tokens.user(role)
    client.put(URL, headers=headers(tokens.user()))
    assert client.get(URL, headers=headers(token)).json() == {
        "online": 1,
        "window_seconds": 120,
        "users": [],
    }
    client.put(URL, headers=headers(token))
    online = client.get(URL, headers=headers(token)).json()
    assert online["online"] == 2
    assert [user["user_id"] for user in online["users"]] == [str(tokens.id_of(token))]


@pytest.mark.parametrize("role", ["instructor", "admin"])
def test_teaching_roles_see_all_users_latest_first(client, tokens, role):
    learners = [tokens.user() for _ in range(3)]
    for learner in learners:
        client.put(URL, headers=headers(learner))
    client.put(URL, headers=headers(learners[0]))
    reader = headers(tokens.user(role))
    seen = [user["user_id"] for user in client.get(URL, headers=reader).json()["users"]]
    assert set(seen) == {str(tokens.id_of(learner)) for learner in learners}
    first = client.get(URL, params={"limit": 1}, headers=reader).json()
    assert first["online"] == 3
    assert [user["user_id"] for user in first["users"]] == seen[:1]


def test_events_mark_their_actors_as_seen_at_event_time(client, tokens, deliver, make_event):
    now = datetime.now(UTC)
    acted = now - timedelta(seconds=100)
    recent = make_event(occurred_at=acted)
    deliver(recent, make_event(occurred_at=now - timedelta(minutes=3)), make_event(actor_id=None))
    online = client.get(URL, headers=headers(tokens.user("admin"))).json()
    assert online["online"] == 1
    [user] = online["users"]
    assert user["user_id"] == recent["actor_id"]
    assert abs(datetime.fromisoformat(user["last_seen_at"]) - acted) < timedelta(milliseconds=1)


def test_old_events_do_not_replace_a_later_time(client, tokens, deliver, make_event):
    now = datetime.now(UTC)
    actor = tokens.id_of(tokens.user())
    deliver(make_event(actor_id=actor, occurred_at=now))
    deliver(make_event(actor_id=actor, occurred_at=now - timedelta(seconds=90)))
    [user] = client.get(URL, headers=headers(tokens.user("admin"))).json()["users"]
    assert datetime.fromisoformat(user["last_seen_at"]) > now - timedelta(seconds=1)


def test_event_from_the_future_does_not_extend_presence(client, tokens, deliver, make_event):
    deliver(make_event(occurred_at=datetime.now(UTC) + timedelta(minutes=5)))
    [user] = client.get(URL, headers=headers(tokens.user("admin"))).json()["users"]
    assert datetime.fromisoformat(user["last_seen_at"]) <= datetime.now(UTC)


def test_presence_expires(client, tokens):
    client.put(URL, headers=headers(tokens.user()))
    redis = client.app.state.redis
    key = redis.key("presence")
    assert 0 < redis.client.ttl(key) <= 120
    long_ago = int((datetime.now(UTC) - timedelta(seconds=121)).timestamp() * 1000)
    for member in redis.client.zrange(key, 0, -1):
        redis.client.zadd(key, {member: long_ago})
    reader = headers(tokens.user("admin"))
    assert client.get(URL, headers=reader).json()["online"] == 0
    client.put(URL, headers=reader)
    assert redis.client.zcard(key) == 1
