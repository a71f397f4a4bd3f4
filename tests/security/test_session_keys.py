"""The key of an anonymous session opens that session alone, and nothing but it does."""

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from access_table import access_table
from asgi_call import status_of
from forged_tokens import Forger
from four_services import FourServices
from service_routes import Operation, every_operation
from whose import SESSION_KEY, begin_anonymously, body_of

from chat_service.programs.sessions.participant import participant_id

BY_KEY = [
    operation
    for operation in every_operation()
    if (rule := access_table().get(operation)) is not None and rule.by_key
]
CLAIM = "/api/programs/sessions/{session_id}/claim"


class Visit:
    """An anonymous session, as whoever tries keys finds it."""

    def __init__(self, platform: FourServices) -> None:
        begun = begin_anonymously(platform)
        self.platform = platform
        self.key: str = begun["session_key"]
        self.ids = {"session_id": str(begun["session"]["id"]), "number": "1"}

    def call(self, method: str, path: str, headers: dict[str, Any], body: Any = None) -> Any:
        return self.platform.call("chat", method, path.format(**self.ids), headers=headers, json=body)

    def read(self) -> Any:
        answer = self.call("GET", "/api/programs/sessions/{session_id}", {SESSION_KEY: self.key})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def visit(platform: FourServices) -> Visit:
    return Visit(platform)


@pytest.fixture(scope="module")
def other(platform: FourServices) -> Visit:
    return Visit(platform)


@pytest.fixture(scope="module")
def claimed(platform: FourServices) -> Visit:
    """Its key was good until an account took the session over."""
    found = Visit(platform)
    account = platform.person().headers
    assert found.call("POST", CLAIM, account | {SESSION_KEY: found.key}).status_code == 200
    return found


def altered(key: str) -> Iterator[tuple[str, str]]:
    """Close to the key, and not it."""
    yield "cut off", key[:-1]
    yield "longer", key + "A"
    yield "another end", key[:-1] + ("A" if key[-1] != "A" else "Q")
    yield "reversed", key[::-1]
    yield "other case", key.swapcase()
    yield "padded", key + "="
    yield "twice", f"{key},{key}"
    yield "after a colon", f"{SESSION_KEY}: {key}"
    yield "as a bearer", f"Bearer {key}"
    yield "in quotes", f'"{key}"'
    yield "a list", json.dumps([key])
    yield "its bytes in base 64", base64.b64encode(key.encode()).decode()
    yield "its bytes in hex", base64.urlsafe_b64decode(key + "=").hex()
    yield "its hash", hashlib.sha256(key.encode()).hexdigest()
    yield "its hash in base 64", base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).decode()


def ids_of(visit: Visit, platform: FourServices) -> Iterator[tuple[str, str]]:
    """Ids that others may know."""
    participant = participant_id(visit.key)
    yield "the session's id", visit.ids["session_id"]
    yield "the session's id in hex", UUID(visit.ids["session_id"]).hex
    yield "the participant's id", str(participant)
    yield "the participant's id in hex", participant.hex
    yield "the participant's id in base 64", base64.urlsafe_b64encode(participant.bytes).decode()
    yield "an account's id", str(platform.account().id)
    yield "any id", str(uuid4())


def nonsense() -> Iterator[tuple[str, str | bytes]]:
    yield "another good key", secrets.token_urlsafe(32)
    yield "zeros", "A" * 43
    yield "one letter", "x"
    yield "a word", "anonymous"
    yield "null", "null"
    yield "a wildcard", "%"
    yield "a condition", "' OR '1'='1"
    yield "a path", "../../sessions"
    yield "very long", "x" * 10_000
    yield "no text", b"\xff\xfe\xfd"
    yield "letters beyond ASCII", "ключ".encode()


def wrong_keys(visit: Visit, other: Visit, claimed: Visit) -> Iterator[tuple[str, str | bytes]]:
    yield from altered(visit.key)
    yield from ids_of(visit, visit.platform)
    yield from nonsense()
    yield "another session's key", other.key
    yield "the key of a claimed session", claimed.key
    yield "an account's token", visit.platform.person("admin").token
    yield "a service's token", visit.platform.service_token("chat", "people:export")


def test_there_are_routes_and_keys_to_try(visit: Visit, other: Visit, claimed: Visit) -> None:
    assert len(BY_KEY) >= 9
    keys = dict(wrong_keys(visit, other, claimed))
    assert len(keys) == len(set(keys.values())) >= 37


@pytest.mark.parametrize("operation", BY_KEY, ids=str)
def test_no_other_key_opens_a_session(
    operation: Operation, visit: Visit, other: Visit, claimed: Visit
) -> None:
    body, before = body_of(operation, visit.ids), visit.read()
    found = []
    for name, key in wrong_keys(visit, other, claimed):
        answer = visit.call(operation.method, operation.path, {SESSION_KEY: key}, body)
        if answer.status_code != 404:
            found.append(f"{name}: {answer.status_code}")
    for name, headers in (("no key", {}), ("an empty key", {SESSION_KEY: ""})):
        answer = visit.call(operation.method, operation.path, headers, body)
        if answer.status_code != 401:
            found.append(f"{name}: {answer.status_code}")
    assert not found, f"{operation}: {found}"
    assert visit.read() == before


@pytest.mark.parametrize("operation", BY_KEY, ids=str)
def test_the_key_opens_its_session_and_no_other(operation: Operation, visit: Visit, claimed: Visit) -> None:
    """Else the refusals above might have had another reason. The key of a claimed session opens nothing."""
    own, stale = ({SESSION_KEY: of.key} for of in (visit, claimed))
    answer = visit.call(operation.method, operation.path, own, body_of(operation, visit.ids))
    assert answer.status_code in (200, 201, 409), answer.text
    for headers in (own, stale):
        refused = claimed.call(operation.method, operation.path, headers, body_of(operation, visit.ids))
        assert refused.status_code == 404, refused.text


@pytest.mark.parametrize("operation", BY_KEY, ids=str)
def test_beside_a_token_the_key_counts_for_nothing(
    operation: Operation, platform: FourServices, visit: Visit
) -> None:
    body, key = body_of(operation, visit.ids), {SESSION_KEY: visit.key}
    for role in ("student", "admin"):
        headers = platform.person(role).headers | key
        assert visit.call(operation.method, operation.path, headers, body).status_code == 404, role


def test_no_forged_token_is_made_good_by_a_key(platform: FourServices, visit: Visit) -> None:
    signer, issuer = platform.signer, platform.settings["users"].public_url
    forger = Forger(signer.kid, signer.private_key.to_pem().decode(), issuer, "chat", "access", "")
    app, path = platform.apps["chat"], f"/api/programs/sessions/{visit.ids['session_id']}"
    key = {SESSION_KEY.lower(): visit.key.encode()}

    async def opened() -> list[str]:
        found = []
        for name, token in forger.all():
            bearer = b"Bearer " + token.encode(errors="surrogatepass")
            status = await status_of(app, "GET", path, {"authorization": bearer, **key})
            if status != 401:
                found.append(f"{name}: {status}")
        return found

    assert asyncio.run(status_of(app, "GET", path, key)) == 200
    assert asyncio.run(opened()) == []


def test_a_session_can_be_claimed_with_its_own_key_alone(
    platform: FourServices, visit: Visit, other: Visit, claimed: Visit
) -> None:
    account = platform.person().headers
    found = []
    for name, key in wrong_keys(visit, other, claimed):
        answer = visit.call("POST", CLAIM, account | {SESSION_KEY: key})
        if answer.status_code != 404:
            found.append(f"{name}: {answer.status_code}")
    assert not found
    assert visit.call("POST", CLAIM, account).status_code == 404
    assert visit.call("POST", CLAIM, {SESSION_KEY: visit.key}).status_code == 401
    assert claimed.call("POST", CLAIM, account | {SESSION_KEY: claimed.key}).status_code == 404
    assert visit.read()["anonymous"] is True
