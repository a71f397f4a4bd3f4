"""Wires the imports feature."""

import hashlib
from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import DatabaseSession
from cogniflow_kit.sql.idempotency import IdempotencyKey, Once
from courses_service.imports.archive_upload import UploadedArchive
from courses_service.imports.service import Imports


async def get_imports(user: CurrentUser, db: DatabaseSession) -> Imports:
    return Imports(db, user)


def get_import_once(
    request: Request,
    archive: UploadedArchive,
    user: CurrentUser,
    db: DatabaseSession,
    idempotency_key: IdempotencyKey = None,
) -> Once:
    """As the kit's `UserOnce`, but the fingerprint uses the archive's digest: the upload is hashed once.

    `archive` comes before `db`, so that the session opens after parsing.
    """
    content = f"{request.method} {request.url.path}\nfile {archive.sha256}"
    return Once(db, user.id, idempotency_key, hashlib.sha256(content.encode()).hexdigest())


ImportsService = Annotated[Imports, Depends(get_imports)]
ImportOnce = Annotated[Once, Depends(get_import_once, scope="function")]
