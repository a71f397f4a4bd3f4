"""Signs JWTs. The only module of users-service that imports `jose`."""

import time
from typing import Any

from jose import jwk, jwt
from jose.backends.base import Key
from jose.exceptions import JOSEError

from cogniflow_kit.identity import ALGORITHM
from cogniflow_kit.ids import new_id
from users_service.keys.schemas import PublicKey

PrivateKey = Key


def public_jwk(kid: str, public_pem: str) -> PublicKey:
    return PublicKey(kid=kid, **jwk.construct(public_pem, ALGORITHM).to_dict())


def parse_private_key(private_pem: str) -> PrivateKey:
    """Parse a private key once, because parsing takes as long as signing."""
    key: PrivateKey = jwk.construct(private_pem, ALGORITHM)
    return key


def sign(claims: dict[str, Any], *, issuer: str, lifetime_s: int, kid: str, private_key: PrivateKey) -> str:
    """Return a compact JWS of `claims` plus `iss`, `iat`, `exp` and `jti`."""
    # iat keeps its fraction of a second: a revocation refuses tokens issued before it, and a token
    # issued later in the same second must stay valid.
    now = time.time()
    standard = {"iss": issuer, "iat": now, "exp": int(now) + lifetime_s, "jti": str(new_id())}
    return jwt.encode({**claims, **standard}, private_key, ALGORITHM, {"kid": kid})


def claims_unverified(token: str) -> dict[str, Any]:
    """Return a token's claims without checking its signature; empty if it isn't a JWT."""
    try:
        return dict(jwt.get_unverified_claims(token))
    except JOSEError:
        return {}
