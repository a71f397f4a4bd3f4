"""Routes of programmes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response

from chat_service.dependencies import NamedLearner, ProgramsService, ProgramTurnStore
from chat_service.programs.schemas import Answer, AnswerOut, ProgramOut, SessionOut
from chat_service.programs.service import answer
from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.schemas import Page, PageRequest
from cogniflow_kit.sql.idempotency import UserOnce

router = APIRouter(tags=["programs"])

Slug = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)]


@router.get("/api/programs")
def list_programs(
    user: CurrentUser, programs: ProgramsService, page: Annotated[PageRequest, Depends()]
) -> Page[ProgramOut]:
    """Every programme one can begin, with the caller's open session of it."""
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
    slug: Slug, learner: NamedLearner, programs: ProgramsService, once: UserOnce, response: Response
) -> SessionOut:
    """Begin a programme, or go on where it was left."""
    session, is_new = programs.start(learner, slug)
    response.status_code = 201 if is_new else 200
    return once.keep(session, response.status_code)


@router.post("/api/programs/sessions/{session_id}/answer", responses=problems(404, 409))
def answer_question(session_id: UUID, body: Answer, user: CurrentUser, turns: ProgramTurnStore) -> AnswerOut:
    """Answer the coach's question. Sending it again with the same client_message_id changes nothing."""
    return answer(turns, user.id, session_id, body)


@router.get("/api/programs/sessions/{session_id}", responses=problems(404))
def read_session(session_id: UUID, user: CurrentUser, programs: ProgramsService) -> SessionOut:
    """The whole session, to resume it anywhere."""
    return programs.view(user.id, session_id)
