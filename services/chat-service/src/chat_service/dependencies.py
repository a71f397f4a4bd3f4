"""Dependencies that several features share. Each feature wires its own services in its `dependencies.py`."""

from typing import Annotated

from fastapi import Depends, Header, Request

from chat_service.platform.settings.definitions import ANONYMOUS_PER_HOUR, ANONYMOUS_SESSIONS
from chat_service.platform.settings.reader import SettingsReader
from chat_service.programs.sessions.errors import NotAnonymous
from chat_service.programs.sessions.schemas import StartProgram
from chat_service.programs.sessions.service import Programs
from chat_service.programs.sessions.store import StartRequest
from chat_service.safety.help.places import DEFAULT_LANGUAGE
from chat_service.users_client import UsersClient
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.idempotency import IdempotencyKey


async def get_programs(request: Request) -> Programs:
    programs: Programs = request.app.state.programs
    return programs


def hourly_limit(request: Request) -> int:
    """How many anonymous sessions may begin within an hour, in the whole installation.

    Raises NotAnonymous where none may.
    """
    settings_reader: SettingsReader = request.app.state.settings_reader
    if not settings_reader.get(ANONYMOUS_SESSIONS):
        raise NotAnonymous
    return settings_reader.get(ANONYMOUS_PER_HOUR)


async def preferred_locale(
    accept_language: Annotated[str, Header(include_in_schema=False)] = DEFAULT_LANGUAGE,
) -> str:
    """Return the first locale of the header Accept-Language, such as `de-CH`."""
    return accept_language.split(",")[0].split(";")[0].strip()


def get_start_request(
    request: Request,
    user: CurrentUser,
    body: StartProgram | None = None,
    idempotency_key: IdempotencyKey = None,
) -> StartRequest:
    """Who begins. Nothing is held of the database while users-service is asked."""
    learners: UsersClient = request.app.state.users
    wanted = body or StartProgram()
    name = wanted.name or learners.first_name(user)
    return StartRequest(id=user.id, name=name, locale=wanted.locale, key=idempotency_key)


PreferredLocale = Annotated[str, Depends(preferred_locale)]
ProgramsService = Annotated[Programs, Depends(get_programs)]
NamedStartRequest = Annotated[StartRequest, Depends(get_start_request)]
