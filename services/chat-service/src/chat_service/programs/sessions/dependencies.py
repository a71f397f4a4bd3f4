"""Wires program sessions to the request."""

from typing import Annotated

from fastapi import Depends, Request

from chat_service.dependencies import RequestedLocale
from chat_service.platform.settings.definitions import ANONYMOUS_PER_HOUR, ANONYMOUS_SESSIONS
from chat_service.platform.settings.reader import SettingsReader
from chat_service.programs.sessions.errors import NotAnonymous
from chat_service.programs.sessions.schemas import StartProgram
from chat_service.programs.sessions.service import Programs
from chat_service.programs.sessions.store import StartRequest
from chat_service.users_client import UsersClient
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.idempotency import IdempotencyKey


async def get_programs(request: Request) -> Programs:
    programs: Programs = request.app.state.programs
    return programs


def hourly_limit(request: Request) -> int:
    """The number of anonymous sessions that may start within an hour, in the whole installation.

    Raises: NotAnonymous (the installation allows none).
    """
    settings_reader: SettingsReader = request.app.state.settings_reader
    if not settings_reader.get(ANONYMOUS_SESSIONS):
        raise NotAnonymous
    return settings_reader.get(ANONYMOUS_PER_HOUR)


def get_start_request(
    request: Request,
    user: CurrentUser,
    preferred_locale: RequestedLocale,
    body: StartProgram | None = None,
    idempotency_key: IdempotencyKey = None,
) -> StartRequest:
    """The start that the caller asks for. No database session is open while users-service is called."""
    users: UsersClient = request.app.state.users
    wanted = body or StartProgram()
    name = wanted.name or users.first_name(user)
    return StartRequest(
        id=user.id,
        name=name,
        locale=wanted.locale,
        preferred_locale=preferred_locale,
        key=idempotency_key,
    )


ProgramsService = Annotated[Programs, Depends(get_programs)]
HourlyLimit = Annotated[int, Depends(hourly_limit)]
NamedStartRequest = Annotated[StartRequest, Depends(get_start_request)]
