"""Receives an uploaded archive: its multipart body, its SHA-256 and its content.

FastAPI reads a declared form before it checks the token, so that anyone could
fill the disk with 64 MiB at a time. Here the token is checked first. All of
this happens before the request opens a database session: parsing a large
archive takes seconds and must hold no connection.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import UploadFile as UploadedFile

from cogniflow_kit.identity import Instructor
from courses_service.olx.errors import ArchiveTooLarge
from courses_service.olx.reader import ParsedCourse, read_olx

MAX_ARCHIVE_BYTES = 64 << 20
MAX_UPLOAD_BYTES = MAX_ARCHIVE_BYTES + (64 << 10)
"""The archive and the multipart headers around it."""

FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                },
                "encoding": {"file": {"contentType": "application/gzip"}},
            }
        },
    }
}
"""The request body in the OpenAPI document."""


@dataclass(frozen=True)
class ParsedArchive:
    """`sha256`: hexadecimal digest of the archive as uploaded."""

    sha256: str
    course: ParsedCourse


async def uploaded_file(request: Request, _: Instructor) -> AsyncIterator[UploadedFile]:
    """The file of the form, closed after the response. Raises: RequestValidationError, ArchiveTooLarge."""
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadedFile):
            raise _validation_error("file", "missing", "A file is required")
        for name in form.keys() - {"file"}:
            raise _validation_error(name, "extra_forbidden", "Extra inputs are not permitted")
        if (file.size or 0) > MAX_ARCHIVE_BYTES:
            raise ArchiveTooLarge(f"The archive is larger than {MAX_ARCHIVE_BYTES >> 20} MiB.")
        yield file


def parsed_archive(file: Annotated[UploadedFile, Depends(uploaded_file)]) -> ParsedArchive:
    """Hash and parse the upload, in a worker thread. Raises: as `read_olx`."""
    sha256 = _sha256(file.file)
    file.file.seek(0)
    return ParsedArchive(sha256, read_olx(file.file))


UploadedArchive = Annotated[ParsedArchive, Depends(parsed_archive)]


def _sha256(archive: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := archive.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def _validation_error(name: str, code: str, message: str) -> RequestValidationError:
    """The error that FastAPI raises for a field of a declared form."""
    return RequestValidationError([{"type": code, "loc": ("body", name), "msg": message}])
