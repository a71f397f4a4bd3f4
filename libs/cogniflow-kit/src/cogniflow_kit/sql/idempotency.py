"""`Idempotency-Key`: repeating a POST that creates something returns the first response again.

The response is stored in the transaction of the effect, so both commit or
neither does. Source: IETF draft "The Idempotency-Key HTTP Header Field".
"""

import hashlib
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from cogniflow_kit.errors import AlreadyAnswered, Conflict, Unprocessable
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import DatabaseSession

Body = TypeVar("Body", bound=BaseModel)
ANONYMOUS_OWNER = UUID(int=0)

_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:owner || ':' || :key, 0))")
_FIND = text(
    "SELECT fingerprint, status, answer FROM idempotency_keys WHERE owner_id = :owner AND key = :key"
    " AND created_at > now() - interval '24 hours'"
)
_STORE = text(
    "INSERT INTO idempotency_keys (owner_id, key, fingerprint, status, answer)"
    " VALUES (:owner, :key, :fingerprint, :status, CAST(:answer AS json))"
    " ON CONFLICT (owner_id, key) DO UPDATE SET fingerprint = excluded.fingerprint,"
    " status = excluded.status, answer = excluded.answer, created_at = now()"
)
PRUNE = text("DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'")


class IdempotencyKeyReused(Unprocessable):
    code = "idempotency_key_reused"


class RequestInFlight(Conflict):
    code = "request_in_flight"


class Idempotency:
    """The idempotency key of one request; does nothing without a key.

    Raises: AlreadyAnswered (the key has a stored response), RequestInFlight
    (the first request still runs), IdempotencyKeyReused (its body was another).
    """

    def __init__(self, db: Session, owner: UUID, key: str | None, fingerprint: str) -> None:
        self._db = db
        self._owner = owner
        self._key = key
        self._fingerprint = fingerprint
        if key is not None:
            self._claim(key)

    def _claim(self, key: str) -> None:
        mine = {"owner": str(self._owner), "key": key}
        if not self._db.scalar(_LOCK, mine):
            raise RequestInFlight("The first request with this Idempotency-Key is still running.")
        stored = self._db.execute(_FIND, mine).first()
        if stored is None:
            return
        if stored.fingerprint != self._fingerprint:
            raise IdempotencyKeyReused("This Idempotency-Key was used for another request.")
        raise AlreadyAnswered(stored.status, stored.answer)

    def store(self, body: Body, status: int = 201) -> Body:
        """Store the response in the transaction of the request; returns the body."""
        if self._key is not None:
            self._db.flush()
            self._db.execute(
                _STORE,
                {
                    "owner": str(self._owner),
                    "key": self._key,
                    "fingerprint": self._fingerprint,
                    "status": status,
                    "answer": body.model_dump_json(),
                },
            )
        return body


async def request_fingerprint(request: Request) -> str:
    digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode())
    if request.headers.get("content-type", "").startswith("multipart/"):
        for name, value in (await request.form()).multi_items():
            digest.update(name.encode())
            if isinstance(value, UploadFile):
                while chunk := await value.read(1 << 20):
                    digest.update(chunk)
                await value.seek(0)
            else:
                digest.update(value.encode())
    else:
        digest.update(await request.body())
    return digest.hexdigest()


IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
Fingerprint = Annotated[str, Depends(request_fingerprint)]


def idempotency_for_user(
    db: DatabaseSession, user: CurrentUser, fingerprint: Fingerprint, idempotency_key: IdempotencyKey = None
) -> Idempotency:
    return Idempotency(db, user.id, idempotency_key, fingerprint)


def idempotency_without_user(
    db: DatabaseSession, fingerprint: Fingerprint, idempotency_key: IdempotencyKey = None
) -> Idempotency:
    return Idempotency(db, ANONYMOUS_OWNER, idempotency_key, fingerprint)


UserIdempotency = Annotated[Idempotency, Depends(idempotency_for_user, scope="function")]
AnonymousIdempotency = Annotated[Idempotency, Depends(idempotency_without_user, scope="function")]
