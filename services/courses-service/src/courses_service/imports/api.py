"""Routes of imports."""

from uuid import UUID

from fastapi import APIRouter

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import Instructor
from courses_service.imports.archive_upload import FORM, UploadedArchive
from courses_service.imports.dependencies import ImportIdempotency, ImportsService
from courses_service.imports.schemas import ImportReportOut

router = APIRouter(prefix="/api/courses", tags=["imports"])


@router.post("/import", status_code=201, responses=problems(409), openapi_extra=FORM)
def import_course(
    archive: UploadedArchive, idempotency: ImportIdempotency, imports: ImportsService
) -> ImportReportOut:
    """Import an Open edX course archive (.tar.gz, at most 64 MiB) as a published course of the caller.

    The response lists what was not taken over, with reasons. The same archive
    again answers 409 `already_imported`; `detail` and `Location` name the course.
    """
    report = imports.import_archive(archive.course, archive.sha256)
    return idempotency.store(ImportReportOut.model_validate(report))


@router.get("/{course_id:uuid}/import-report", responses=problems(404))
def get_import_report(_: Instructor, course_id: UUID, imports: ImportsService) -> ImportReportOut:
    """Get what the import of a course took over and what it left out. For its instructor and admins."""
    return ImportReportOut.model_validate(imports.report(course_id))
