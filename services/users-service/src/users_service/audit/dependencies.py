"""The audit log of a request, and role checks that record refusals in it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.identity import CurrentUser, Role, User
from cogniflow_kit.sql.database import DatabaseSession
from users_service.audit.errors import AccessRefused
from users_service.audit.event_types import EventType
from users_service.audit.service import AuditLog, Origin


async def get_origin(request: Request) -> Origin:
    address = request.client.host if request.client else ""
    return Origin(address, request.headers.get("user-agent", "")[:200])


RequestOrigin = Annotated[Origin, Depends(get_origin)]


async def get_audit_log(db: DatabaseSession, origin: RequestOrigin) -> AuditLog:
    return AuditLog(db, origin)


RequestAuditLog = Annotated[AuditLog, Depends(get_audit_log)]


def requires_role(*roles: Role) -> Callable[..., User]:
    """Build a dependency that returns the caller if they have one of `roles`.

    The dependency raises AccessRefused for other roles, and records the attempt.
    """

    def check(user: CurrentUser, request: Request, audit: RequestAuditLog) -> User:
        if user.role not in roles:
            # The route's template, such as /api/users/{user_id}: the path itself may contain anything.
            route = f"{request.method} {request.scope['route'].path}"
            audit.record(
                EventType.ACCESS_REFUSED,
                user_id=user.id,
                session_id=user.session_id,
                role=user.role,
                route=route,
            )
            raise AccessRefused
        return user

    return check


Instructor = Annotated[User, Depends(requires_role("instructor", "admin"))]
Admin = Annotated[User, Depends(requires_role("admin"))]
