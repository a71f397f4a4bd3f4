"""Routes of taking part in programs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Response

from chat_service.dependencies import NamedStartRequest, PreferredLocale, ProgramsService, hourly_limit
from chat_service.programs.sessions.errors import SessionNotFound
from chat_service.programs.sessions.participant import HEADER, CurrentParticipant, SessionKey, new_key
from chat_service.programs.sessions.schemas import (
    AnonymousStart,
    Answer,
    AnswerOut,
    ProgramOut,
    Restart,
    SessionListed,
    SessionOut,
    StartProgram,
    WeekOut,
)
from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.schemas import Page, PageRequest

router = APIRouter(tags=["programs"])

Slug = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)]
WeekNumber = Annotated[int, Path(ge=1, le=1000)]
OwnKey = Annotated[str, Header(alias=HEADER, pattern=r"^[A-Za-z0-9_-]{43}$")]
Paging = Annotated[PageRequest, Depends()]


@router.get("/api/programs")
def list_programs(user: CurrentUser, programs: ProgramsService, page: Paging) -> Page[ProgramOut]:
    """Every program one can begin, with the caller's open session of it."""
    items, next_cursor = page.slice(programs.page(user.id, page.after, page.limit))
    return Page(items=items, next_cursor=next_cursor)


@router.post(
    "/api/programs/{slug}/start",
    status_code=201,
    responses={
        200: {"model": SessionOut, "description": "The session that was open already"},
        **problems(404, 409),
    },
)
def start_program(
    slug: Slug, beginner: NamedStartRequest, programs: ProgramsService, response: Response
) -> SessionOut:
    """Begin a program, or go on where it was left."""
    session, begun = programs.start(beginner, slug)
    response.status_code = 201 if begun.is_new or begun.is_repeated else 200
    if begun.is_repeated:
        response.headers["Idempotency-Replayed"] = "true"
    return session


@router.post("/api/programs/{slug}/start-anonymously", status_code=201, responses=problems(404, 429))
def start_anonymously(
    slug: Slug,
    programs: ProgramsService,
    limit: Annotated[int, Depends(hourly_limit)],
    body: StartProgram | None = None,
    key: OwnKey = "",
) -> AnonymousStart:
    """Begin without an account, where the program allows it. Keep the session_key: it is kept nowhere else.

    A client that makes the key itself (256 random bits in base64url) can repeat the request.
    """
    return programs.start_anonymously(slug, body or StartProgram(), key or new_key(), limit)


@router.get("/api/programs/sessions")
def list_sessions(user: CurrentUser, programs: ProgramsService, page: Paging) -> Page[SessionListed]:
    """The caller's sessions, open and completed, newest first."""
    items, next_cursor = page.slice(programs.sessions(user.id, page.after, page.limit))
    return Page(items=items, next_cursor=next_cursor)


@router.get("/api/programs/sessions/{session_id}", responses=problems(404))
def read_session(session_id: UUID, who: CurrentParticipant, programs: ProgramsService) -> SessionOut:
    """The whole session, to resume it anywhere."""
    return programs.view(who.id, session_id)


@router.get("/api/programs/sessions/{session_id}/weeks/{number}", responses=problems(404))
def read_week(
    session_id: UUID, number: WeekNumber, who: CurrentParticipant, programs: ProgramsService
) -> WeekOut:
    """A week that was begun, to read again; it can't be rewritten."""
    return programs.week(who.id, session_id, number)


@router.post("/api/programs/sessions/{session_id}/answer", responses=problems(404, 409))
def answer_question(
    session_id: UUID,
    body: Answer,
    who: CurrentParticipant,
    programs: ProgramsService,
    preferred_locale: PreferredLocale,
) -> AnswerOut:
    """Answer the coach's question. Sending it again with the same client_message_id changes nothing."""
    return programs.answer(who.id, session_id, body, preferred_locale)


@router.post("/api/programs/sessions/{session_id}/weeks/{number}/restart", responses=problems(404, 409))
def restart_week(
    session_id: UUID, number: WeekNumber, body: Restart, who: CurrentParticipant, programs: ProgramsService
) -> AnswerOut:
    """Begin a week anew. What was said in it before stays in the record."""
    return programs.restart(who.id, session_id, number, body)


@router.post("/api/programs/sessions/{session_id}/pause", responses=problems(404))
def pause_session(session_id: UUID, who: CurrentParticipant, programs: ProgramsService) -> SessionOut:
    """Answers are refused until the session is resumed."""
    return programs.set_paused(who.id, session_id, paused=True)


@router.post("/api/programs/sessions/{session_id}/resume", responses=problems(404))
def resume_session(session_id: UUID, who: CurrentParticipant, programs: ProgramsService) -> SessionOut:
    """Go on where the session was paused."""
    return programs.set_paused(who.id, session_id, paused=False)


@router.post("/api/programs/sessions/{session_id}/claim", responses=problems(404, 409))
def claim_session(
    session_id: UUID, user: CurrentUser, key: SessionKey, programs: ProgramsService
) -> SessionOut:
    """Make an anonymous session one's own: log in and send its X-Session-Key along."""
    if key is None:
        raise SessionNotFound
    return programs.claim(user.id, session_id, key)
