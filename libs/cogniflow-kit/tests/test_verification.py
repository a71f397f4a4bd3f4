"""Keys and revocations are polled from users-service, and stay in force while it is away."""

import asyncio
import time
from uuid import UUID, uuid4

import pytest
from fastapi import APIRouter
from jose import jwk

from cogniflow_dev.testing.servers import json_server
from cogniflow_dev.testing.tokens import TokenMint
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.ids import utc_now
from cogniflow_kit.verification import INTERVAL_S, VerificationFeed, polling_feed


class Users:
    """users-service as the contract says it: a token for the caller, and the state."""

    def __init__(self, mint: TokenMint) -> None:
        self._jwk = jwk.construct(mint.keys.public_pem, "ES256").to_dict()
        self.status = 200
        self.kids = ["first"]
        self.revocations: list[dict[str, str]] = []

    def answer(self, call):
        if call.path == "/internal/tokens":
            return 200, {"access_token": "its own", "expires_in": 60}
        assert call.path == "/internal/verification"
        assert call.headers["authorization"] == "Bearer its own"
        keys = [{**self._jwk, "kid": kid, "use": "sig"} for kid in self.kids]
        return self.status, {"keys": keys, "revocations": self.revocations}


@pytest.fixture
def users(tokens):
    return Users(tokens)


@pytest.fixture
def feed(users, settings):
    with json_server(users.answer) as url:
        feed = polling_feed(settings.model_copy(update={"users_url": url}))
        yield feed
        feed.stop()


def knows(feed: VerificationFeed, kid: str) -> bool:
    return asyncio.run(feed.pem(kid)) is not None


def test_before_the_first_answer_nothing_is_refused_as_if_it_were_wrong(settings):
    feed = polling_feed(settings)
    feed.refresh()
    with pytest.raises(Unavailable):
        asyncio.run(feed.pem("first"))


def test_only_published_keys_are_known(feed, users):
    feed.refresh()
    assert knows(feed, "first")
    assert not knows(feed, "forged")
    users.kids = ["second"]
    feed.refresh()
    assert not knows(feed, "first")
    assert knows(feed, "second")


@pytest.mark.parametrize("status", [500, 403])
def test_the_last_answer_stays_in_force_while_users_service_is_away(feed, users, status):
    session_id = uuid4()
    users.revocations = [{"session_id": str(session_id), "revoked_at": utc_now().isoformat()}]
    feed.refresh()
    users.status = status
    users.kids = []
    feed.refresh()
    assert knows(feed, "first")
    assert feed.revoked(session_id, uuid4(), time.time())


def test_an_ended_session_counts_no_more_whenever_its_token_was_issued(feed, users):
    ended, other = uuid4(), uuid4()
    users.revocations = [{"session_id": str(ended), "revoked_at": utc_now().isoformat()}]
    feed.refresh()
    assert feed.revoked(ended, uuid4(), time.time() + 1)
    assert not feed.revoked(other, uuid4(), time.time())


def test_a_changed_user_needs_a_token_from_after_the_change(feed, users):
    user, moment = uuid4(), utc_now()
    users.revocations = [{"user_id": str(user), "revoked_at": moment.isoformat()}]
    feed.refresh()
    assert feed.revoked(uuid4(), user, moment.timestamp() - 0.001)
    assert not feed.revoked(uuid4(), user, moment.timestamp() + 0.001)
    assert not feed.revoked(uuid4(), uuid4(), moment.timestamp() - 0.001)


def test_a_started_feed_follows_within_a_second(feed, users):
    feed.start()
    assert knows(feed, "first")
    session_id = uuid4()
    users.revocations = [{"session_id": str(session_id), "revoked_at": utc_now().isoformat()}]
    started = time.monotonic()
    while not feed.revoked(session_id, uuid4(), time.time()) and time.monotonic() - started < 5:
        time.sleep(0.01)
    assert feed.revoked(session_id, uuid4(), time.time())
    assert INTERVAL_S < 1


def test_a_remembered_token_of_an_ended_session_is_refused(make_client, tokens):
    router = APIRouter()

    @router.get("/who")
    async def who(user: CurrentUser) -> str:
        return str(user.session_id)

    client = make_client(router)
    headers = {"Authorization": f"Bearer {tokens.user()}"}
    session_id = client.get("/who", headers=headers).json()
    assert client.get("/who", headers=headers).status_code == 200
    tokens.keys.ended_sessions.add(UUID(session_id))
    assert client.get("/who", headers=headers).status_code == 401
