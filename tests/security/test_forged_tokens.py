"""No forged or stale token opens any route of any service.

A route that is meant to be open to everybody has to say so in access.md.
"""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from access_table import access_table, is_public
from asgi_call import status_of
from forged_tokens import Forger
from four_services import FourServices
from service_routes import SERVICES, Operation, every_operation

from cogniflow_kit.ids import utc_now
from users_service.login.repository import LoginRepository
from users_service.tables import SigningKey

PROTECTED = [operation for operation in every_operation() if not is_public(operation)]
SCOPES = " ".join(sorted({rule.scope for rule in access_table().values() if rule.scope}))


def address(operation: Operation) -> str:
    """The path with something in each place that could be there."""
    path = operation.path
    while "{" in path:
        start, end = path.index("{"), path.index("}")
        path = (
            path[:start] + ("driven" if path[start + 1 : end] == "slug" else str(uuid4())) + path[end + 1 :]
        )
    return path


EFFECT_S = 1.0
"""How long a logout or a role change may take to count in every service; the platform promises a second."""


def forger(platform: FourServices, service: str, kind: str) -> Forger:
    signer, issuer = platform.signer, platform.settings["users"].public_url
    return Forger(signer.kid, signer.private_key.to_pem().decode(), issuer, service, kind, SCOPES)


def stale(platform: FourServices) -> Iterator[tuple[str, str]]:
    """Tokens that were good: of an ended session, a changed role, a key that was retired."""
    person = platform.account("admin")
    pair = platform.log_in(person.username).json()
    platform.call(
        "users", "POST", "/api/auth/logout", headers={"Authorization": f"Bearer {pair['access_token']}"}
    )
    yield "of an ended session", pair["access_token"]
    demoted = platform.person("admin")
    with platform.database.transaction() as session:
        LoginRepository(session).revoke_tokens_of(demoted.id)
    yield "from before a role change", demoted.token
    retired = retired_forger(platform, "access")
    yield "of a retired key", retired.signed()


def retired_forger(platform: FourServices, kind: str, service: str = "users") -> Forger:
    keys = platform.apps["users"].state.keys
    with platform.database.transaction() as session:
        key = keys._new_key(utc_now() - timedelta(hours=1))
        key.retired_at = utc_now() - timedelta(seconds=1)
        session.add(key)
    with platform.database.transaction() as session:
        signer = keys._decrypt(session.get(SigningKey, key.kid))
    return Forger(
        signer.kid,
        signer.private_key.to_pem().decode(),
        platform.settings["users"].public_url,
        service,
        kind,
        SCOPES,
    )


def misdirected(platform: FourServices, operation: Operation) -> Iterator[tuple[str, str]]:
    """Tokens that are good elsewhere."""
    for service in SERVICES:
        if not access_table()[operation].scope or service != operation.service:
            yield f"a service's token for {service}", platform.service_token(service, SCOPES)
    if access_table()[operation].scope:
        for role in ("student", "instructor", "researcher", "admin"):
            yield f"a user's token, {role}", platform.user_token(uuid4(), role)


def headers(platform: FourServices) -> dict[str, bytes]:
    """What isn't a bearer token at all, though it holds a good one."""
    good = platform.user_token(uuid4(), "admin").encode()
    return {
        "no scheme": good,
        "Basic": b"Basic " + good,
        "Token": b"Token " + good,
        "Bearer:": b"Bearer: " + good,
        "Bearer=": b"Bearer=" + good,
        "nothing after Bearer": b"Bearer ",
        "nothing": b"",
    }


@pytest.fixture(scope="module")
def stale_tokens(platform: FourServices) -> list[tuple[str, str]]:
    tokens = list(stale(platform))
    time.sleep(EFFECT_S)
    return tokens


@pytest.fixture(scope="module")
def forged_tokens(platform: FourServices) -> dict[str, list[tuple[str, str]]]:
    """By service; like a user's token, and like another service's for this one."""
    return {
        service: [
            (f"{kind}: {name}", token)
            for kind in ("access", "svc")
            for name, token in [
                *forger(platform, service, kind).all(),
                ("retired key", retired_forger(platform, kind, service).signed()),
            ]
        ]
        for service in SERVICES
    }


def test_there_are_enough_of_them(forged_tokens: dict[str, list[tuple[str, str]]]) -> None:
    for tokens in forged_tokens.values():
        assert len({name for name, _ in tokens}) >= 200
        assert len({token for _, token in tokens}) >= 200


@pytest.mark.parametrize("operation", PROTECTED, ids=str)
def test_no_forged_token_opens_a_route(
    operation: Operation,
    platform: FourServices,
    forged_tokens: dict[str, list[tuple[str, str]]],
    stale_tokens: list[tuple[str, str]],
) -> None:
    assert operation in access_table(), f"add a row for {operation} to tests/security/access.md"
    app, path = platform.apps[operation.service], address(operation)
    attempts = [*forged_tokens[operation.service], *stale_tokens, *misdirected(platform, operation)]

    async def opened() -> list[str]:
        found = []
        for name, token in attempts:
            header = b"Bearer " + token.encode(errors="surrogatepass")
            status = await status_of(app, operation.method, path, {"authorization": header})
            if status != 401:
                found.append(f"{name}: {status}")
        for name, header in headers(platform).items():
            status = await status_of(app, operation.method, path, {"authorization": header})
            if status != 401:
                found.append(f"{name}: {status}")
        if (status := await status_of(app, operation.method, path, {})) != 401:
            found.append(f"no token: {status}")
        return found

    found = asyncio.run(opened())
    assert not found, (
        f"{operation} answered something else than 401 to {len(found)} of {len(attempts)}: {found[:10]}; "
        "guard it with a dependency of cogniflow_kit.identity, or list it as `anyone` in access.md"
    )


@pytest.mark.parametrize("operation", PROTECTED, ids=str)
def test_the_same_token_without_a_fault_is_taken(operation: Operation, platform: FourServices) -> None:
    """Else the refusals above might have had another reason."""
    rule = access_table()[operation]
    kind = "svc" if rule.scope else "access"
    maker = forger(platform, operation.service, kind)
    role = "admin" if "admin" in rule.let_in else min(rule.let_in)
    changes = {} if rule.scope else {"role": role, "sub": str(platform.person(role).id)}
    good = maker.signed(claims=maker.claims(**changes))
    header = {"authorization": b"Bearer " + good.encode()}
    status = asyncio.run(
        status_of(platform.apps[operation.service], operation.method, address(operation), header)
    )
    assert status not in (401, 403, 500), f"{operation} answered {status} to a good token"
