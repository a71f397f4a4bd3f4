"""Routes for the caller's personal data: export it as an archive, or erase it."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.idempotency import UserIdempotency
from users_service.accounts.dependencies import ConfirmationService
from users_service.privacy.dependencies import ErasureService, ExportService
from users_service.privacy.schemas import EraseRequest, ErasureOut, ExportOut
from users_service.privacy.service import download

router = APIRouter(prefix="/api/privacy", tags=["privacy"])


@router.post("/export", status_code=202, responses=problems(404, 409))
def request_export(user: CurrentUser, exports: ExportService, idempotency: UserIdempotency) -> ExportOut:
    """Start an export of the caller's data in all services."""
    return idempotency.store(exports.request(user.id), status=202)


@router.get("/exports/{export_id}", responses=problems(404))
def get_export(user: CurrentUser, export_id: UUID, exports: ExportService) -> ExportOut:
    """Return the progress of an export."""
    return exports.get(user.id, export_id)


@router.get(
    "/exports/{export_id}/download",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}, **problems(404, 409)},
)
def download_export(
    user: CurrentUser, export_id: UUID, exports: ExportService, request: Request
) -> StreamingResponse:
    """Download the archive. This works once; after an interrupted download, start a new export."""
    exports.start_download(user.id, export_id)
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
    user: CurrentUser, body: EraseRequest, erasures: ErasureService, confirmation: ConfirmationService
) -> ErasureOut:
    """Schedule the erasure of all data of the caller in 14 days. Repeating the request changes nothing."""
    return ErasureOut.model_validate(erasures.request(user.id, body.password, confirmation))


@router.get("/erase", responses=problems(404))
def get_erasure(user: CurrentUser, erasures: ErasureService) -> ErasureOut:
    """Return the caller's latest erasure request."""
    return ErasureOut.model_validate(erasures.latest(user.id))


@router.post("/erase/cancel", responses=problems(404, 409))
def cancel_erasure(user: CurrentUser, erasures: ErasureService) -> ErasureOut:
    """Cancel the caller's erasure request before it is due."""
    return ErasureOut.model_validate(erasures.cancel(user.id))
