"""Routes of imports."""

from uuid import UUID

from fastapi import APIRouter

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import Instructor
from cogniflow_kit.sql.idempotency import UserOnce
from courses_service.dependencies import ImportsService
from courses_service.imports.schemas import ImportReportOut
from courses_service.imports.upload import FORM, UploadedArchive

router = APIRouter(prefix="/api/courses", tags=["imports"])


@router.post("/import", status_code=201, responses=problems(409), openapi_extra=FORM)
def import_course(file: UploadedArchive, once: UserOnce, imports: ImportsService) -> ImportReportOut:
    """Make an Open edX course archive (.tar.gz, 64 MiB at most) a published course of the caller's.

    What is not taken over is listed, with reasons. The same archive again
    answers 409 `already_imported`; its detail and `Location` name the course.
    """
    return once.keep(imports.import_archive(file.file))


@router.get("/{course_id:uuid}/import-report", responses=problems(404))
def get_import_report(_: Instructor, course_id: UUID, imports: ImportsService) -> ImportReportOut:
    """What the import of one's own course (admins: any) took over and what it left out."""
    return imports.report(course_id)
