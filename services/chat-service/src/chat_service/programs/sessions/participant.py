"""The participant of a program session: an account, or the holder of an anonymous key.

An anonymous key is shown once, at the start, and not stored. The
participant's id is a hash of it, so queries find an anonymous session like an
account's, by its owner's id. The key can't be computed from the id.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader

from cogniflow_kit.identity import BearerToken, User, current_user

HEADER = "X-Session-Key"
_DOMAIN = b"cogniflow anonymous participant\0"
_KEY_BYTES = 32
_VERSION = 8

session_key = APIKeyHeader(
    name=HEADER, auto_error=False, description="The key of an anonymous session, given out at its start."
)
SessionKey = Annotated[str | None, Depends(session_key)]


@dataclass(frozen=True)
class Participant:
    """`user` is set for an account."""

    id: UUID
    user: User | None = None


def new_key() -> str:
    """A key that can't be guessed: 256 random bits."""
    return secrets.token_urlsafe(_KEY_BYTES)


def participant_id(key: str) -> UUID:
    """A UUID of version 8 (RFC 9562), which no account has: 122 bits of the key's SHA-256."""
    digest = bytearray(hashlib.sha256(_DOMAIN + key.encode()).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x80
    digest[8] = (digest[8] & 0x3F) | 0x80
    return UUID(bytes=bytes(digest))


def account_of(participant: UUID) -> UUID | None:
    """The account's id, None for an anonymous participant."""
    return participant if participant.version != _VERSION else None


async def current_participant(request: Request, token: BearerToken, key: SessionKey) -> Participant:
    """The account of the token, else the key's participant. Raises: Unauthorized (neither is given)."""
    if token is None and key is not None:
        return Participant(participant_id(key))
    user = await current_user(request)
    return Participant(user.id, user)


CurrentParticipant = Annotated[Participant, Depends(current_participant)]
