"""Routes of privacy: everything held on the caller, in one archive or erased."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse
from starlette.requests import Request

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import DatabaseSession
from cogniflow_kit.sql.idempotency import UserOnce
from users_service.dependencies import JobQueue, PasswordConfirmation, SecurityTrail
from users_service.privacy.erasures import Erasures
from users_service.privacy.exports import Exports, download
from users_service.privacy.schemas import EraseRequest, ErasureOut, ExportOut

router = APIRouter(prefix="/api/privacy", tags=["privacy"])


async def get_exports(db: DatabaseSession, trail: SecurityTrail, jobs: JobQueue) -> Exports:
    return Exports(db, trail, jobs)


async def get_erasures(db: DatabaseSession, trail: SecurityTrail) -> Erasures:
    return Erasures(db, trail)


ExportService = Annotated[Exports, Depends(get_exports)]
ErasureService = Annotated[Erasures, Depends(get_erasures)]


@router.post("/export", status_code=202, responses=problems(404, 409))
def request_export(user: CurrentUser, exports: ExportService, once: UserOnce) -> ExportOut:
    """Have everything collected that any service holds on the caller."""
    return once.keep(exports.request(user.id), status=202)


@router.get("/exports/{export_id}", responses=problems(404))
def get_export(user: CurrentUser, export_id: UUID, exports: ExportService) -> ExportOut:
    """How far an export is."""
    return exports.get(user.id, export_id)


@router.get(
    "/exports/{export_id}/download",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}, **problems(404, 409)},
)
def download_export(
    user: CurrentUser, export_id: UUID, exports: ExportService, request: Request
) -> StreamingResponse:
    """The archive, once. Whoever loses it on the way asks for a new one."""
    exports.take(user.id, export_id)
    return StreamingResponse(
        download(request.app.state.database, export_id),
        media_type="application/zip",
        headers={
            "Content-Disposition": 'attachment; filename="my-data.zip"',
            "Cache-Control": "no-store",
        },
    )


@router.post("/erase", status_code=202, responses=problems(404, 409, 429))
def request_erasure(
    user: CurrentUser, body: EraseRequest, erasures: ErasureService, confirmation: PasswordConfirmation
) -> ErasureOut:
    """Have everything erased in 14 days; until then it can be canceled. Asking again changes nothing."""
    return ErasureOut.model_validate(erasures.request(user.id, body.password, confirmation))


@router.get("/erase", responses=problems(404))
def get_erasure(user: CurrentUser, erasures: ErasureService) -> ErasureOut:
    """The caller's latest wish to be erased."""
    return ErasureOut.model_validate(erasures.latest(user.id))


@router.post("/erase/cancel", responses=problems(404, 409))
def cancel_erasure(user: CurrentUser, erasures: ErasureService) -> ErasureOut:
    """Stay after all."""
    return ErasureOut.model_validate(erasures.cancel(user.id))
