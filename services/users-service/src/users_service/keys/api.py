"""Routes of the signing keys: publish, rotate, and the state that services poll."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from cogniflow_kit.identity import Service, requires_scope
from cogniflow_kit.sql.database import DatabaseSession
from cogniflow_kit.verification import SCOPE, Verification
from users_service.audit.dependencies import Admin, RequestAuditLog
from users_service.audit.event_types import EventType
from users_service.keys.dependencies import Keys
from users_service.keys.schemas import KeySet, Rotation
from users_service.keys.service import PUBLICATION_LEAD, read_verification

router = APIRouter(tags=["keys"])


@router.get("/.well-known/jwks.json")
def jwks(keys: Keys, response: Response) -> KeySet:
    """Return the public keys that access tokens are verified with."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return KeySet(keys=keys.published())


@router.post("/api/admin/keys/rotate", status_code=201)
def rotate(admin: Admin, db: DatabaseSession, keys: Keys, audit: RequestAuditLog) -> Rotation:
    """Replace the signing key. Tokens signed with the old key stay valid until they expire."""
    kid = keys.rotate(db)
    audit.record(EventType.KEY_ROTATED, actor_id=admin.id, kid=kid)
    return Rotation(kid=kid, signs_in=int(PUBLICATION_LEAD.total_seconds()))


@router.get("/internal/verification")
def verification_state(
    _: Annotated[Service, Depends(requires_scope(SCOPE))], db: DatabaseSession
) -> Verification:
    """Return what other services verify tokens against: keys and revocations."""
    return read_verification(db)
