"""Routes of program sessions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Response

from chat_service.dependencies import PreferredLocale, RequestedLocale
from chat_service.programs.sessions.dependencies import HourlyLimit, NamedStartRequest, ProgramsService
from chat_service.programs.sessions.errors import SessionNotFound
from chat_service.programs.sessions.participant import HEADER, CurrentParticipant, SessionKey, new_key
from chat_service.programs.sessions.responses import (
    answer_out,
    program_out,
    session_listed,
    session_out,
    week_out,
)
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
from cogniflow_kit.json_response import json_response
from cogniflow_kit.schemas import Page, PageRequest

router = APIRouter(tags=["programs"])

Slug = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)]
WeekNumber = Annotated[int, Path(ge=1, le=1000)]
OwnKey = Annotated[str, Header(alias=HEADER, pattern=r"^[A-Za-z0-9_-]{43}$")]
Paging = Annotated[PageRequest, Depends()]


@router.get("/api/programs")
def list_programs(user: CurrentUser, programs: ProgramsService, page: Paging) -> Page[ProgramOut]:
    """The programs that can be begun, each with the caller's open session."""
    found = [program_out(program) for program in programs.page(user.id, page.after, page.limit)]
    items, next_cursor = page.slice(found)
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
    slug: Slug, request: NamedStartRequest, programs: ProgramsService, response: Response
) -> SessionOut:
    """Start a program, or return the caller's open session of it."""
    history, started = programs.start(request, slug)
    response.status_code = 201 if started.is_new or started.is_repeated else 200
    if started.is_repeated:
        response.headers["Idempotency-Replayed"] = "true"
    return session_out(history)


@router.post("/api/programs/{slug}/start-anonymously", status_code=201, responses=problems(404, 429))
def start_anonymously(
    slug: Slug,
    programs: ProgramsService,
    limit: HourlyLimit,
    preferred_locale: RequestedLocale,
    body: StartProgram | None = None,
    key: OwnKey = "",
) -> AnonymousStart:
    """Start without an account, where the program allows it. Keep the session_key: it is not stored.

    A client that makes the key itself (256 random bits in base64url) can repeat the request.
    """
    session_key = key or new_key()
    history = programs.start_anonymously(slug, body or StartProgram(), session_key, preferred_locale, limit)
    return AnonymousStart(session_key=session_key, session=session_out(history))


@router.get("/api/programs/sessions")
def list_sessions(user: CurrentUser, programs: ProgramsService, page: Paging) -> Page[SessionListed]:
    """The caller's sessions, open and completed, newest first."""
    found = [session_listed(session) for session in programs.sessions(user.id, page.after, page.limit)]
    items, next_cursor = page.slice(found)
    return Page(items=items, next_cursor=next_cursor)


@router.get("/api/programs/sessions/{session_id}", responses=problems(404))
def read_session(session_id: UUID, who: CurrentParticipant, programs: ProgramsService) -> SessionOut:
    """Everything a client needs to resume the session on any device."""
    return session_out(programs.read(who.id, session_id))


@router.get("/api/programs/sessions/{session_id}/weeks/{number}", responses=problems(404))
def read_week(
    session_id: UUID, number: WeekNumber, who: CurrentParticipant, programs: ProgramsService
) -> WeekOut:
    """Read a week that was begun."""
    return week_out(*programs.read_week(who.id, session_id, number))


@router.post(
    "/api/programs/sessions/{session_id}/answer", response_model=AnswerOut, responses=problems(404, 409)
)
def answer_question(
    session_id: UUID,
    body: Answer,
    who: CurrentParticipant,
    programs: ProgramsService,
    preferred_locale: PreferredLocale,
) -> Response:
    """Answer the coach's question. Sending it again with the same client_message_id changes nothing."""
    return json_response(answer_out(programs.answer(who.id, session_id, body, preferred_locale)))


@router.post("/api/programs/sessions/{session_id}/weeks/{number}/restart", responses=problems(404, 409))
def restart_week(
    session_id: UUID, number: WeekNumber, body: Restart, who: CurrentParticipant, programs: ProgramsService
) -> AnswerOut:
    """Restart a week at its first question. Its earlier messages stay in the transcript."""
    return answer_out(programs.restart(who.id, session_id, number, body.client_message_id))


@router.post("/api/programs/sessions/{session_id}/pause", responses=problems(404))
def pause_session(session_id: UUID, who: CurrentParticipant, programs: ProgramsService) -> SessionOut:
    """Answers are refused until the session is resumed."""
    return session_out(programs.set_paused(who.id, session_id, paused=True))


@router.post("/api/programs/sessions/{session_id}/resume", responses=problems(404))
def resume_session(session_id: UUID, who: CurrentParticipant, programs: ProgramsService) -> SessionOut:
    """Resume a paused session."""
    return session_out(programs.set_paused(who.id, session_id, paused=False))


@router.post("/api/programs/sessions/{session_id}/claim", responses=problems(404, 409))
def claim_session(
    session_id: UUID, user: CurrentUser, key: SessionKey, programs: ProgramsService
) -> SessionOut:
    """Move an anonymous session to the caller's account; send its X-Session-Key along."""
    if key is None:
        raise SessionNotFound
    return session_out(programs.claim(user.id, session_id, key))
