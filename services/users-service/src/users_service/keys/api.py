"""Routes of the keys: published, rotated, and what verifiers poll."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from cogniflow_kit.identity import Service, requires_scope
from cogniflow_kit.schemas import ResponseBody
from cogniflow_kit.sql.database import DatabaseSession
from cogniflow_kit.verification import SCOPE, Verification
from users_service.audit.trail import EventType
from users_service.dependencies import Admin, Keys, SecurityTrail
from users_service.keys.jwt import PublicKey
from users_service.keys.service import LEAD
from users_service.keys.verification import verification

router = APIRouter(tags=["keys"])


class KeySet(ResponseBody):
    """A JSON Web Key Set (RFC 7517, section 5)."""

    keys: list[PublicKey]


class Rotation(ResponseBody):
    """`signs_in`: seconds until the new key takes over; everybody has fetched it by then."""

    kid: str
    signs_in: int


@router.get("/.well-known/jwks.json")
def jwks(keys: Keys, response: Response) -> KeySet:
    """The public keys that access tokens are verified with."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return KeySet(keys=keys.published())


@router.post("/api/admin/keys/rotate", status_code=201)
def rotate(admin: Admin, db: DatabaseSession, keys: Keys, trail: SecurityTrail) -> Rotation:
    """Replace the signing key. Tokens signed by the old one stay good until they expire."""
    kid = keys.rotate(db)
    trail.record(EventType.KEY_ROTATED, actor_id=admin.id, kid=kid)
    return Rotation(kid=kid, signs_in=int(LEAD.total_seconds()))


@router.get("/internal/verification")
def verification_state(
    _: Annotated[Service, Depends(requires_scope(SCOPE))], db: DatabaseSession
) -> Verification:
    """What other services verify tokens against."""
    return verification(db)
