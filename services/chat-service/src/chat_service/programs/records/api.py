"""Routes of transcripts and summaries."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from chat_service.programs.records import markdown, pdf, summary_markdown
from chat_service.programs.records.dependencies import RecordsService
from chat_service.programs.records.record import SessionRecord
from chat_service.programs.records.schemas import SummaryFormat, SummaryOut, TranscriptFormat, TranscriptOut
from chat_service.programs.records.transcript import build_transcript
from chat_service.programs.sessions.participant import CurrentParticipant
from cogniflow_kit.errors import problems
from cogniflow_kit.timezones import Timezone

router = APIRouter(prefix="/api/programs/sessions/{session_id}", tags=["programs"])

_MEDIA_TYPES = {"markdown": "text/markdown", "json": "application/json", "pdf": "application/pdf"}
_SUFFIXES = {"markdown": "md", "json": "json", "pdf": "pdf"}
_PRIVATE = {"Cache-Control": "private, no-store"}
_Accept = Annotated[str, Header(include_in_schema=False)]


def _also(*media_types: str) -> dict[str, Any]:
    """Describe other media types of a 200 response, besides the route's JSON model."""
    return {"content": {media_type: {"schema": {"type": "string"}} for media_type in media_types}}


@router.get(
    "/transcript",
    response_class=Response,
    responses={
        200: {"model": TranscriptOut, **_also("text/markdown", "application/pdf")},
        **problems(404, 413),
    },
)
def read_transcript(
    session_id: UUID,
    who: CurrentParticipant,
    records: RecordsService,
    chosen: Annotated[TranscriptFormat | None, Query(alias="format")] = None,
    timezone: Timezone = "UTC",
    week: Annotated[int | None, Query(ge=1, le=1000)] = None,
    accept: _Accept = "",
) -> Response:
    """Return all messages of the program session, as Markdown, JSON or PDF.

    Without `format`, the first of these types in the Accept header is used, or
    Markdown. Times are in `timezone`; `week` selects one week with all its runs.
    """
    record = records.record(who.id, session_id, week)
    name = chosen or _preferred(accept, ("markdown", "json", "pdf"))
    file = f"{_file_name(record, week)}.{_SUFFIXES[name]}"
    return Response(
        _render(record, name, timezone),
        media_type=_MEDIA_TYPES[name],
        headers={**_PRIVATE, "Content-Disposition": f'attachment; filename="{file}"'},
    )


@router.get(
    "/summary",
    response_class=Response,
    responses={200: {"model": SummaryOut, **_also("text/markdown")}, **problems(404)},
)
def read_summary(
    session_id: UUID,
    who: CurrentParticipant,
    records: RecordsService,
    chosen: Annotated[SummaryFormat | None, Query(alias="format")] = None,
    accept: _Accept = "",
) -> Response:
    """Return the summary of a completed session, or of its present state; as JSON, or as Markdown."""
    found = records.summary(who.id, session_id)
    name = chosen or _preferred(accept, ("json", "markdown"))
    body = summary_markdown.render(found.summary) if name == "markdown" else found.model_dump_json()
    return Response(body, media_type=_MEDIA_TYPES[name], headers=_PRIVATE)


@router.post(
    "/summary",
    status_code=201,
    responses={
        200: {"model": SummaryOut, "description": "It was stored already: the session hasn't changed since"},
        **problems(404),
    },
)
def store_summary(
    session_id: UUID, who: CurrentParticipant, records: RecordsService, response: Response
) -> SummaryOut:
    """Store the summary of the session's present state, for example to compare it later."""
    summary, is_new = records.keep_summary(who.id, session_id)
    response.status_code = 201 if is_new else 200
    response.headers.update(_PRIVATE)
    return summary


def _render(record: SessionRecord, name: str, timezone: str) -> bytes | str:
    if name == "json":
        return TranscriptOut.of(record, timezone).model_dump_json()
    document = build_transcript(record, timezone)
    return pdf.render(document) if name == "pdf" else markdown.render(document)


def _file_name(record: SessionRecord, week: int | None) -> str:
    """Return a name such as driven-2026-11-22. Slugs have only letters, digits and hyphens."""
    part = "" if week is None else f"-week-{week}"
    return f"{record.program}-{record.started_at:%Y-%m-%d}{part}"


def _preferred(accept: str, formats: Sequence[str]) -> str:
    """Return the first of the formats that the Accept header names, or the first format."""
    known = {_MEDIA_TYPES[name]: name for name in formats}
    named = (media_type.split(";")[0].strip().lower() for media_type in accept.split(","))
    return next((known[media_type] for media_type in named if media_type in known), formats[0])
