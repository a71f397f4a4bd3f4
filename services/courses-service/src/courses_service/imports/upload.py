"""The uploaded file of a multipart body.

FastAPI reads a declared form before it looks at the token: a stranger could
fill the disk with 64 MiB at a time. Here the token comes first.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import UploadFile as UploadedFile

from cogniflow_kit.identity import Instructor
from courses_service.olx.errors import ArchiveTooLarge

MAX_ARCHIVE_BYTES = 64 << 20
MAX_UPLOAD_BYTES = MAX_ARCHIVE_BYTES + (64 << 10)
"""The archive and what multipart puts around it."""

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


async def uploaded_archive(request: Request, _: Instructor) -> AsyncIterator[UploadedFile]:
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadedFile):
            raise _refused("file", "missing", "A file is required")
        for name in form.keys() - {"file"}:
            raise _refused(name, "extra_forbidden", "Extra inputs are not permitted")
        if (file.size or 0) > MAX_ARCHIVE_BYTES:
            raise ArchiveTooLarge(f"The archive is larger than {MAX_ARCHIVE_BYTES >> 20} MiB.")
        yield file


def _refused(name: str, code: str, message: str) -> RequestValidationError:
    """As FastAPI refuses a field of a declared form."""
    return RequestValidationError([{"type": code, "loc": ("body", name), "msg": message}])


UploadedArchive = Annotated[UploadedFile, Depends(uploaded_archive)]
