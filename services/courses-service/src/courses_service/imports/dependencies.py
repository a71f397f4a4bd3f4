"""Wires the imports feature."""

import hashlib
from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import DatabaseSession
from cogniflow_kit.sql.idempotency import Idempotency, IdempotencyKey
from courses_service.imports.archive_upload import UploadedArchive
from courses_service.imports.service import Imports


async def get_imports(user: CurrentUser, db: DatabaseSession) -> Imports:
    return Imports(db, user)


def get_import_idempotency(
    request: Request,
    archive: UploadedArchive,
    user: CurrentUser,
    db: DatabaseSession,
    idempotency_key: IdempotencyKey = None,
) -> Idempotency:
    """As `UserIdempotency` of the kit, but with the archive's digest, so that the upload is hashed once.

    `archive` comes before `db`, so that the session opens after parsing.
    """
    content = f"{request.method} {request.url.path}\nfile {archive.sha256}"
    return Idempotency(db, user.id, idempotency_key, hashlib.sha256(content.encode()).hexdigest())


ImportsService = Annotated[Imports, Depends(get_imports)]
ImportIdempotency = Annotated[Idempotency, Depends(get_import_idempotency, scope="function")]
