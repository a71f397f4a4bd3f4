"""The only place that wires services to the request."""

from typing import Annotated

from fastapi import Depends, Header, Request

from chat_service.platform.settings.reader import SettingsReader
from chat_service.platform.settings.registry import ANONYMOUS_PER_HOUR, ANONYMOUS_SESSIONS
from chat_service.programs.records.service import Records
from chat_service.programs.sessions.errors import NotAnonymous
from chat_service.programs.sessions.schemas import StartProgram
from chat_service.programs.sessions.service import Programs
from chat_service.programs.sessions.store import StartRequest
from chat_service.safety.help.places import DEFAULT_LANGUAGE
from chat_service.tutor.repository import ConversationRepository
from chat_service.tutor.service import Tutor
from chat_service.users_client import UsersClient
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.idempotency import IdempotencyKey


async def get_tutor(request: Request) -> Tutor:
    tutor: Tutor = request.app.state.tutor
    return tutor


async def get_conversations(request: Request) -> ConversationRepository:
    conversations: ConversationRepository = request.app.state.conversations
    return conversations


async def get_programs(request: Request) -> Programs:
    programs: Programs = request.app.state.programs
    return programs


async def get_records(request: Request) -> Records:
    records: Records = request.app.state.records
    return records


def hourly_limit(request: Request) -> int:
    """How many anonymous sessions may begin within an hour, in the whole installation.

    Raises NotAnonymous where none may.
    """
    configuration: SettingsReader = request.app.state.configuration
    if not configuration.get(ANONYMOUS_SESSIONS):
        raise NotAnonymous
    return configuration.get(ANONYMOUS_PER_HOUR)


async def preferred_locale(
    accept_language: Annotated[str, Header(include_in_schema=False)] = DEFAULT_LANGUAGE,
) -> str:
    """The first locale of Accept-Language, such as `de-CH`."""
    return accept_language.split(",")[0].split(";")[0].strip()


def get_start_request(
    request: Request,
    user: CurrentUser,
    body: StartProgram | None = None,
    idempotency_key: IdempotencyKey = None,
) -> StartRequest:
    """Who begins. Nothing is held of the database while users-service is asked."""
    learners: UsersClient = request.app.state.learners
    wanted = body or StartProgram()
    name = wanted.name or learners.first_name(user)
    return StartRequest(id=user.id, name=name, locale=wanted.locale, key=idempotency_key)


PreferredLocale = Annotated[str, Depends(preferred_locale)]
TutorService = Annotated[Tutor, Depends(get_tutor)]
Conversations = Annotated[ConversationRepository, Depends(get_conversations)]
ProgramsService = Annotated[Programs, Depends(get_programs)]
RecordsService = Annotated[Records, Depends(get_records)]
NamedStartRequest = Annotated[StartRequest, Depends(get_start_request)]
