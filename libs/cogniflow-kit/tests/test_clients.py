"""Calls to other services carry a token and the request's id, and end in time."""

import time
from urllib.parse import parse_qs

import pytest

from cogniflow_dev.testing.servers import json_server
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.context import request_id
from cogniflow_kit.errors import Unavailable

SCOPE = "things:read"


class Neighbors:
    """users-service and the called service on one address; keeps what was asked."""

    def __init__(self) -> None:
        self.token_calls = []
        self.calls = []
        self.answers = []
        self.token_status = 200
        self.expires_in = 60

    def answer(self, call):
        if call.path == "/internal/tokens":
            self.token_calls.append(parse_qs(call.body.decode()))
            body = {"access_token": f"token-{len(self.token_calls)}", "expires_in": self.expires_in}
            return self.token_status, body
        self.calls.append(call)
        return self.answers.pop(0) if self.answers else (200, {"ok": True})


@pytest.fixture
def neighbors():
    return Neighbors()


@pytest.fixture
def client(neighbors, settings):
    with json_server(neighbors.answer) as url:
        client = ServiceClient(settings.model_copy(update={"users_url": url}), "things-service", url)
        yield client
        client.close()


def test_a_service_calls_with_its_own_token(client, neighbors, settings):
    answer = client.get("/internal/things", scope=SCOPE, params={"limit": 3})
    assert answer.json() == {"ok": True}
    [call] = neighbors.calls
    assert call.headers["authorization"] == "Bearer token-1"
    assert dict(call.query) == {"limit": "3"}
    assert neighbors.token_calls == [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["kit-service"],
            "client_secret": ["the secret of the tests"],
            "audience": ["things-service"],
            "scope": [SCOPE],
        }
    ]


def test_its_token_is_kept_while_it_lasts(client, neighbors):
    for _ in range(3):
        client.get("/internal/things", scope=SCOPE)
    client.get("/internal/things", scope="things:write")
    assert len(neighbors.token_calls) == 2


def test_its_token_is_renewed_before_it_ends(client, neighbors):
    neighbors.expires_in = 10
    for _ in range(2):
        client.get("/internal/things", scope=SCOPE)
    assert [call.headers["authorization"] for call in neighbors.calls] == ["Bearer token-1", "Bearer token-2"]


def test_acting_for_a_user_it_passes_their_token_on(client, neighbors):
    client.get_as_user("/api/things/1", "the user's")
    assert neighbors.calls[0].headers["authorization"] == "Bearer the user's"
    assert neighbors.token_calls == []


def test_the_request_id_travels_along(client, neighbors):
    token = request_id.set("the-request")
    try:
        client.get("/internal/things", scope=SCOPE)
    finally:
        request_id.reset(token)
    client.get("/internal/things", scope=SCOPE)
    assert neighbors.calls[0].headers["x-request-id"] == "the-request"
    assert "x-request-id" not in neighbors.calls[1].headers


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_handed_back_at_once(client, neighbors, status):
    neighbors.answers = [(status, {"code": "no"})]
    assert client.get("/internal/things", scope=SCOPE).status_code == status
    assert len(neighbors.calls) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_passing_fault_is_tried_again(client, neighbors, status):
    neighbors.answers = [(status, {}), (status, {})]
    assert client.post("/internal/things", scope=SCOPE, json={"n": 1}).json() == {"ok": True}
    assert [call.body for call in neighbors.calls] == [b'{"n":1}'] * 3


def test_three_times_at_most(client, neighbors):
    neighbors.answers = [(503, {})] * 9
    with pytest.raises(Unavailable, match="things-service is away"):
        client.get("/internal/things", scope=SCOPE)
    assert len(neighbors.calls) == 3


def test_a_bug_over_there_is_not_tried_again(client, neighbors):
    neighbors.answers = [(500, {})] * 9
    with pytest.raises(Unavailable):
        client.get("/internal/things", scope=SCOPE)
    assert len(neighbors.calls) == 1


def test_without_a_token_nobody_is_called(client, neighbors):
    neighbors.token_status = 401
    with pytest.raises(Unavailable):
        client.get("/internal/things", scope=SCOPE)
    assert neighbors.calls == []


def test_nobody_there(settings):
    client = ServiceClient(settings, "things-service", "http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(Unavailable, match="things-service is away"):
        client.get_as_user("/api/things/1", "token")
    assert time.monotonic() - started < 6


def test_a_proxy_of_the_environment_is_not_asked(neighbors, monkeypatch, settings):
    """Services talk to each other directly: a proxy would see their tokens."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with json_server(neighbors.answer) as url:
        direct = ServiceClient(settings.model_copy(update={"users_url": url}), "things-service", url)
        assert direct.get("/internal/things", scope=SCOPE).status_code == 200
        direct.close()
