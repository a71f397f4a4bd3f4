"""Signing of tokens: the only module of users-service that imports `jose`."""

import time
from typing import Any

from jose import jwk, jwt
from jose.backends.base import Key
from jose.exceptions import JOSEError
from pydantic import BaseModel

from cogniflow_kit.identity import ALGORITHM
from cogniflow_kit.ids import new_id

PrivateKey = Key


class PublicKey(BaseModel):
    """A JSON Web Key (RFC 7517) on the curve P-256."""

    kid: str
    kty: str
    crv: str
    x: str
    y: str
    alg: str
    use: str = "sig"


def public_jwk(kid: str, public_pem: str) -> PublicKey:
    return PublicKey(kid=kid, **jwk.construct(public_pem, ALGORITHM).to_dict())


def signing_key(private_pem: str) -> PrivateKey:
    """A private key ready to sign; reading its PEM takes as long as a signature."""
    key: PrivateKey = jwk.construct(private_pem, ALGORITHM)
    return key


def sign(claims: dict[str, Any], *, issuer: str, lifetime_s: int, kid: str, private_key: PrivateKey) -> str:
    """A compact JWS of the claims plus `iss`, `iat`, `exp` and `jti`."""
    # With its fraction: a token made in the same second as a revocation must be told from an older one.
    now = time.time()
    standard = {"iss": issuer, "iat": now, "exp": int(now) + lifetime_s, "jti": str(new_id())}
    return jwt.encode({**claims, **standard}, private_key, ALGORITHM, {"kid": kid})


def claims_unverified(token: str) -> dict[str, Any]:
    """What a token says of itself, true or not; nothing when it is no JWT."""
    try:
        return dict(jwt.get_unverified_claims(token))
    except JOSEError:
        return {}
