"""Verification keys are read from users-service, and go on working without it."""

import asyncio
import socket
import time

import pytest
from jose import jwk

from cogniflow_dev.testing.servers import json_server
from cogniflow_dev.testing.tokens import TokenMint
from cogniflow_kit import jwks
from cogniflow_kit.jwks import PublishedKeys


class Users:
    """The published keys of users-service."""

    def __init__(self) -> None:
        self.calls = 0
        self.status = 200
        self.body: object = {"keys": []}

    def answer(self, call):
        assert call.path == "/.well-known/jwks.json"
        self.calls += 1
        return self.status, self.body

    def publish(self, *kids: str) -> None:
        pem = TokenMint().keys.public_pem
        self.body = {"keys": [jwk.construct(pem, "ES256").to_dict() | {"kid": kid} for kid in kids]}


@pytest.fixture
def users():
    users = Users()
    users.publish("first")
    return users


@pytest.fixture
def url(users):
    with json_server(users.answer) as url:
        yield url


def ask(keys: PublishedKeys, *kids: str) -> list[bool]:
    """Whether each of these keys is known, asked one after the other."""

    async def run() -> list[bool]:
        return [await keys.pem(kid) is not None for kid in kids]

    return asyncio.run(run())


@pytest.fixture
def impatient(monkeypatch):
    """As if the pause between two refreshes had passed."""
    monkeypatch.setattr(jwks, "_MIN_INTERVAL_S", 0.0)


def test_a_key_is_fetched_once(users, url):
    assert ask(PublishedKeys(url), "first", "first", "first") == [True, True, True]
    assert users.calls == 1


def test_forged_key_ids_do_not_flood_users_service(users, url):
    assert ask(PublishedKeys(url), "first", *(f"forged-{n}" for n in range(50))) == [True] + [False] * 50
    assert users.calls == 1


def test_many_at_once_fetch_once(users, url):
    keys = PublishedKeys(url)

    async def run() -> list[str | None]:
        return await asyncio.gather(*(keys.pem("first") for _ in range(20)))

    assert None not in asyncio.run(run())
    assert users.calls == 1


@pytest.mark.usefixtures("impatient")
def test_a_new_key_is_found_and_an_old_one_forgotten(users, url):
    keys = PublishedKeys(url)
    assert ask(keys, "first") == [True]
    users.publish("second")
    assert ask(keys, "second", "first") == [True, False]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {}),
        (404, {"code": "not_found"}),
        (200, {}),
        (200, []),
        (200, {"keys": [{}]}),
        (200, {"keys": [{"kid": "first", "kty": "EC", "alg": "ES256"}]}),
        (200, {"keys": None}),
    ],
)
def test_known_keys_go_on_working_whatever_users_service_says(users, url, status, body):
    keys = PublishedKeys(url)
    assert ask(keys, "first") == [True]
    users.status, users.body = status, body
    assert ask(keys, "unknown", "first") == [False, True]


@pytest.mark.usefixtures("impatient")
def test_known_keys_go_on_working_while_users_service_is_away(users):
    with json_server(users.answer) as url:
        keys = PublishedKeys(url)
        assert ask(keys, "first") == [True]
    assert ask(keys, "unknown", "first") == [False, True]


@pytest.mark.usefixtures("impatient")
def test_old_keys_are_looked_up_again(users, url, monkeypatch):
    keys = PublishedKeys(url)
    ask(keys, "first")
    monkeypatch.setattr(jwks, "_REFRESH_S", 0.0)
    users.publish("second")
    assert ask(keys, "first") == [False]


def test_nobody_with_a_known_key_waits_for_a_refresh(users, monkeypatch):
    """Nor for the next, while users-service takes the connection and says nothing."""
    monkeypatch.setattr(jwks, "_REFRESH_S", 0.0)
    with json_server(users.answer) as url:
        keys = PublishedKeys(url)
        ask(keys, "first")

    async def run(silent_url: str) -> float:
        keys._url = f"{silent_url}/.well-known/jwks.json"
        keys._tried_at = float("-inf")
        refreshing = asyncio.create_task(keys.pem("first"))
        await asyncio.sleep(0.1)
        started = time.monotonic()
        assert await keys.pem("first") is not None
        waited = time.monotonic() - started
        assert await refreshing is not None
        return waited

    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert asyncio.run(run(f"http://127.0.0.1:{silent.getsockname()[1]}")) < 0.5
