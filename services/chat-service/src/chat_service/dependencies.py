"""The only place that wires services to the request."""

from typing import Annotated

from fastapi import Depends, Request

from chat_service.learners import Learner, Learners
from chat_service.programs.schemas import StartProgram
from chat_service.programs.service import Programs
from chat_service.programs.turn_store import ProgramTurns
from chat_service.tutor.repository import ConversationRepository
from chat_service.tutor.service import Tutor
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import DatabaseSession


async def get_tutor(request: Request) -> Tutor:
    tutor: Tutor = request.app.state.tutor
    return tutor


async def get_conversations(request: Request) -> ConversationRepository:
    conversations: ConversationRepository = request.app.state.conversations
    return conversations


async def get_program_turns(request: Request) -> ProgramTurns:
    turns: ProgramTurns = request.app.state.program_turns
    return turns


async def get_programs(request: Request, session: DatabaseSession) -> Programs:
    return Programs(session, request.app.state.catalog)


def get_learner(request: Request, user: CurrentUser, body: StartProgram | None = None) -> Learner:
    """Who begins. Routes take this first, so that no session is held while users-service is asked."""
    learners: Learners = request.app.state.learners
    return Learner(user.id, body.name if body and body.name else learners.first_name(user))


TutorService = Annotated[Tutor, Depends(get_tutor)]
Conversations = Annotated[ConversationRepository, Depends(get_conversations)]
ProgramTurnStore = Annotated[ProgramTurns, Depends(get_program_turns)]
ProgramsService = Annotated[Programs, Depends(get_programs)]
NamedLearner = Annotated[Learner, Depends(get_learner)]
