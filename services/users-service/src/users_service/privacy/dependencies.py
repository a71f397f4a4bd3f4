"""Builds the privacy services of a request."""

from typing import Annotated

from fastapi import Depends

from cogniflow_kit.sql.database import DatabaseSession
from users_service.audit.dependencies import RequestAuditLog
from users_service.dependencies import JobQueue
from users_service.privacy.service import Erasures, Exports


async def get_exports(db: DatabaseSession, audit: RequestAuditLog, jobs: JobQueue) -> Exports:
    return Exports(db, audit, jobs)


async def get_erasures(db: DatabaseSession, audit: RequestAuditLog) -> Erasures:
    return Erasures(db, audit)


ExportService = Annotated[Exports, Depends(get_exports)]
ErasureService = Annotated[Erasures, Depends(get_erasures)]
