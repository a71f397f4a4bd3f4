"""Forged, stale and borrowed tokens are refused, each with the same 401."""

import base64
import hashlib
import hmac
import json
import time
from typing import Annotated
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from fastapi import APIRouter, Depends
from jose import jwt
from jose.backends import ECKey

from cogniflow_dev.testing.tokens import ISSUER, TokenMint, headers
from cogniflow_kit.identity import Admin, CurrentUser, Instructor, Service, requires_scope

router = APIRouter()


@router.get("/me")
def me(user: CurrentUser) -> dict[str, str]:
    return {"id": str(user.id), "role": user.role}


@router.get("/teach")
def teach(user: Instructor) -> str:
    return user.role


@router.get("/manage")
def manage(user: Admin) -> str:
    return user.role


@router.get("/internal/read")
def read(service: Annotated[Service, Depends(requires_scope("things:read"))]) -> str:
    return service.name


@pytest.fixture
def client(make_client):
    return make_client(router)


def b64(data: bytes | dict) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def assert_refused(answer):
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthorized"
    assert answer.json()["detail"] == "The access token is missing, expired or not valid; log in again."


def parts_of(token: str) -> tuple[dict, dict, str]:
    return jwt.get_unverified_header(token), jwt.get_unverified_claims(token), token.split(".")[2]


def with_header(mint: TokenMint, **changes: object) -> str:
    """A token properly signed over a header that was changed; None removes a field."""
    header, claims, _ = parts_of(mint.user())
    changed = {name: value for name, value in {**header, **changes}.items() if value is not None}
    unsigned = f"{b64(changed)}.{b64(claims)}"
    signature = ECKey(mint.private_pem, "ES256").sign(unsigned.encode())
    return f"{unsigned}.{b64(signature)}"


def hmac_token(mint: TokenMint, secret: bytes, alg: str = "HS256") -> str:
    _, claims, _ = parts_of(mint.user())
    unsigned = f"{b64({'alg': alg, 'kid': mint.keys.kid, 'typ': 'JWT'})}.{b64(claims)}"
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[alg]
    return f"{unsigned}.{b64(hmac.new(secret, unsigned.encode(), digest).digest())}"


def es384_token(mint: TokenMint) -> str:
    """By the real key, and right in every way, but for the algorithm."""
    header, claims, _ = parts_of(mint.user())
    unsigned = f"{b64({**header, 'alg': 'ES384'})}.{b64(claims)}"
    key = load_pem_private_key(mint.private_pem.encode(), None)
    halves = decode_dss_signature(key.sign(unsigned.encode(), ec.ECDSA(SHA384())))
    return f"{unsigned}.{b64(b''.join(half.to_bytes(32, 'big') for half in halves))}"


def der(mint: TokenMint, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> bytes:
    encoding = Encoding.X962 if form is PublicFormat.UncompressedPoint else Encoding.DER
    return load_pem_public_key(mint.keys.public_pem.encode()).public_bytes(encoding, form)


def none_token(mint: TokenMint, alg: str, signature: str = "") -> str:
    _, claims, _ = parts_of(mint.user(role="admin"))
    return f"{b64({'alg': alg, 'kid': mint.keys.kid})}.{b64(claims)}.{signature}"


def own_key(mint: TokenMint) -> str:
    """The PEM of a key that nobody published."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def raised_role(mint: TokenMint) -> str:
    header, claims, signature = parts_of(mint.user())
    return f"{b64(header)}.{b64({**claims, 'role': 'admin'})}.{signature}"


FORGED = {
    "alg none": lambda mint: none_token(mint, "none"),
    "alg None": lambda mint: none_token(mint, "None"),
    "alg NONE with a signature": lambda mint: none_token(mint, "NONE", parts_of(mint.user())[2]),
    "HS256 with the public PEM": lambda mint: hmac_token(mint, mint.keys.public_pem.encode()),
    "HS256 with the PEM, stripped": lambda mint: hmac_token(mint, mint.keys.public_pem.strip().encode()),
    "HS256 with the public DER": lambda mint: hmac_token(mint, der(mint)),
    "HS256 with the bare point": lambda mint: hmac_token(mint, der(mint, PublicFormat.UncompressedPoint)),
    "HS512 with the public PEM": lambda mint: hmac_token(mint, mint.keys.public_pem.encode(), "HS512"),
    "HS256 with nothing": lambda mint: hmac_token(mint, b""),
    "signature removed": lambda mint: mint.user().rpartition(".")[0] + ".",
    "signature of another token": lambda mint: (
        mint.user().rpartition(".")[0] + "." + mint.user().split(".")[2]
    ),
    "zero signature": lambda mint: mint.user().rpartition(".")[0] + "." + b64(bytes(64)),
    "raised role": raised_role,
    "own key, known kid": lambda mint: jwt.encode(
        parts_of(mint.user())[1], own_key(mint), "ES256", {"kid": mint.keys.kid}
    ),
    "wrong kid": lambda mint: with_header(mint, kid="another"),
    "no kid": lambda mint: with_header(mint, kid=None),
    "kid as a path": lambda mint: with_header(mint, kid="../../etc/passwd"),
    "kid as a list": lambda mint: with_header(mint, kid=[mint.keys.kid]),
    "jku": lambda mint: with_header(mint, jku="http://127.0.0.1:9/jwks.json"),
    "jwk": lambda mint: with_header(mint, jwk={"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
    "x5u": lambda mint: with_header(mint, x5u="http://127.0.0.1:9/cert.pem"),
    "x5c": lambda mint: with_header(mint, x5c=["AAAA"]),
    "crit": lambda mint: with_header(mint, crit=["exp"], exp=1),
    "alg ES384": lambda mint: with_header(mint, alg="ES384"),
    "ES384 by the real key": es384_token,
    "alg as a list": lambda mint: with_header(mint, alg=["ES256"]),
    "no alg": lambda mint: with_header(mint, alg=None),
}
STALE = {
    "expired": {"exp": int(time.time()) - 1},
    "no exp": {"exp": None},
    "issued in the future": {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 7200},
    "no iat": {"iat": None},
    "not valid yet": {"nbf": int(time.time()) + 3600},
    "other audience": {"aud": "kit-service"},
    "no audience": {"aud": None},
    "other issuer": {"iss": "http://evil.test"},
    "no issuer": {"iss": None},
    "issuer with a slash": {"iss": ISSUER + "/"},
    "refresh token": {"typ": "refresh"},
    "service token": {"typ": "svc"},
    "no type": {"typ": None},
    "no subject": {"sub": None},
    "no id": {"jti": None},
    "subject that is no user": {"sub": "maja"},
    "no session": {"sid": None},
    "session that is no id": {"sid": "x"},
    "no role": {"role": None},
    "unknown role": {"role": "superuser"},
    "oversize": {"padding": "x" * 4096},
}
GARBAGE = {
    "empty": "",
    "one part": "abc",
    "two parts": "abc.def",
    "four parts": "a.b.c.d",
    "dots": "..",
    "no base64": "!!!.???.***",
    "no json": f"{b64(b'header')}.{b64(b'payload')}.{b64(b'signature')}",
    "a list": f"{b64(b'[]')}.{b64(b'[]')}.{b64(b'x')}",
    "no text": f"{b64(bytes([255, 254]))}.{b64(b'{}')}.{b64(b'x')}",
    "deeply nested": f"{b64(b'[' * 2500)}.{b64(b'{}')}.{b64(b'x')}",
    "huge": "a" * 100_000,
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_refused(client, tokens, forge):
    assert_refused(client.get("/me", headers=headers(forge(tokens))))


@pytest.mark.parametrize("claims", STALE.values(), ids=STALE.keys())
def test_a_token_for_another_time_or_place_is_refused(client, tokens, claims):
    assert_refused(client.get("/me", headers=headers(tokens.user(**claims))))


@pytest.mark.parametrize("token", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_refused(client, token):
    assert_refused(client.get("/me", headers=headers(token)))


@pytest.mark.parametrize("value", ["", "Bearer", "Basic bWFqYTpwdw==", "bearer", "Token abc"])
def test_other_kinds_of_authorization_are_refused(client, value):
    assert_refused(client.get("/me", headers={"Authorization": value}))


def test_a_token_in_the_address_counts_for_nothing(client, tokens):
    assert_refused(client.get("/me", params={"access_token": tokens.user(), "token": tokens.user()}))


def test_the_good_token_is_accepted(client, tokens):
    user_id = uuid4()
    answer = client.get("/me", headers=headers(tokens.user("researcher", user_id)))
    assert answer.json() == {"id": str(user_id), "role": "researcher"}


def test_clocks_may_differ_by_half_a_minute(client, tokens):
    token = tokens.user(iat=int(time.time()) + 20)
    assert client.get("/me", headers=headers(token)).status_code == 200


@pytest.mark.parametrize(
    ("role", "teach", "manage"),
    [("student", 403, 403), ("researcher", 403, 403), ("instructor", 200, 403), ("admin", 200, 200)],
)
def test_roles_open_what_they_are_for(client, tokens, role, teach, manage):
    token = headers(tokens.user(role))
    assert client.get("/teach", headers=token).status_code == teach
    assert client.get("/manage", headers=token).status_code == manage


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 200),
        ({"scope": "things:write things:read"}, 200),
        ({"scope": "things:write"}, 403),
        ({"scope": ""}, 403),
        ({"scope": "things:readall"}, 403),
        ({"scope": None}, 403),
        ({"aud": "another-service"}, 401),
        ({"aud": "cogniflow"}, 401),
        ({"typ": "access"}, 401),
    ],
)
def test_services_need_their_scope_and_audience(client, tokens, claims, status):
    standard = {"aud": "kit-service", "sub": "courses-service", "scope": "things:read", "typ": "svc"}
    token = tokens.sign({**standard, **claims})
    assert client.get("/internal/read", headers=headers(token)).status_code == status


@pytest.mark.parametrize("role", ["student", "admin"])
def test_no_user_passes_as_a_service(client, tokens, role):
    token = tokens.user(role, scope="things:read")
    assert_refused(client.get("/internal/read", headers=headers(token)))
