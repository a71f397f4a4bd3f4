"""Writing the trail of security events."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id
from users_service.tables import SecurityEvent


class EventType(StrEnum):
    """Every kind of event. A new kind is added here, so that admins can search for it."""

    REGISTERED = "registered"
    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGIN_LIMITED = "login_limited"
    ACCESS_REFUSED = "access_refused"
    LOGOUT = "logout"
    SESSION_ENDED = "session_ended"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET_REQUESTED = "password_reset_requested"
    PASSWORD_RESET = "password_reset"
    EMAIL_VERIFIED = "email_verified"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGED = "email_changed"
    PASSWORD_REFUSED = "password_refused"
    DEACTIVATED = "deactivated"
    USER_CREATED = "user_created"
    ROLE_CHANGED = "role_changed"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    MAILS_READ = "mails_read"
    EXTERNAL_LOGIN = "external_login"
    EXTERNAL_IDENTITY_LINKED = "external_identity_linked"
    KEY_ROTATED = "key_rotated"
    SERVICE_TOKEN_REFUSED = "service_token_refused"
    EXPORT_REQUESTED = "export_requested"
    EXPORT_DOWNLOADED = "export_downloaded"
    ERASURE_REQUESTED = "erasure_requested"
    ERASURE_CANCELED = "erasure_canceled"
    ERASURE_FINISHED = "erasure_finished"


@dataclass(frozen=True)
class Origin:
    """Where a request came from: `device` is its user agent, cut to 200 characters."""

    address: str
    device: str


class Trail:
    """Records events in the transaction of what they report."""

    def __init__(self, db: Session, origin: Origin | None = None) -> None:
        self._db = db
        self._origin = origin

    def record(
        self,
        type: EventType,  # noqa: A002 -- the column's name
        *,
        user_id: UUID | None = None,
        actor_id: UUID | None = None,
        session_id: UUID | None = None,
        **data: Any,
    ) -> None:
        """`actor_id`: who did it, where that isn't the user. `data` holds ids and reasons, never a secret."""
        self._db.execute(
            insert(SecurityEvent).values(
                id=new_id(),
                type=type.value,
                user_id=user_id,
                actor_id=actor_id,
                session_id=session_id,
                address=self._origin.address if self._origin else None,
                data=data,
            )
        )
