"""Rules of login sessions: log in, refresh with reuse detection, log out."""

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.events import Event
from cogniflow_kit.identity import AUDIENCE
from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.sql.database import Database, committing
from cogniflow_kit.sql.outbox import record
from users_service.audit.errors import AdminPageRefused
from users_service.audit.event_types import EventType
from users_service.audit.service import AuditLog, Origin
from users_service.keys.jwt import sign
from users_service.keys.service import KeyRing
from users_service.login.errors import (
    InvalidCredentials,
    InvalidRefreshToken,
    RefreshTokenReused,
    SessionNotFound,
    TooManyAttempts,
)
from users_service.login.rate_limits import LoginRateLimit
from users_service.login.repository import LoginRepository, rotate_token
from users_service.login.schemas import TokenPair
from users_service.password_hashing import verify_password
from users_service.settings import Settings
from users_service.tables import RefreshToken, User, UserSession

ACCESS_LIFETIME_S = 300
REFRESH_LIFETIME = timedelta(days=30)
GRACE = timedelta(seconds=10)
"""How long a spent refresh token may be repeated, by a client that lost the response."""


class TokenIssuer:
    """Creates access and refresh tokens, without storing them."""

    def __init__(self, settings: Settings, keys: KeyRing) -> None:
        self._settings = settings
        self._keys = keys

    def successor(self, token: str) -> str:
        """Return the refresh token that replaces this one."""
        secret = self._settings.key_encryption_secret.get_secret_value()
        digest = hmac.digest(f"refresh:{secret}".encode(), token.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def pair(self, user_id: UUID | str, role: str, session_id: UUID | str, refresh_token: str) -> TokenPair:
        """Sign a new access token, and return it with the refresh token."""
        signer = self._keys.signer()
        access_token = sign(
            {
                "aud": AUDIENCE,
                "sub": str(user_id),
                "sid": str(session_id),
                "role": role,
                "scope": "",
                "typ": "access",
            },
            issuer=self._settings.public_url,
            lifetime_s=ACCESS_LIFETIME_S,
            kid=signer.kid,
            private_key=signer.private_key,
        )
        return TokenPair(access_token=access_token, refresh_token=refresh_token, expires_in=ACCESS_LIFETIME_S)


class Login:
    """Starts, refreshes and ends login sessions.

    Refresh tokens rotate: each is spent at its first use and replaced by one
    successor. The successor is the HMAC of its predecessor, so a client that
    lost the response and repeats the request within GRACE gets the same
    successor. Any other use of a spent token means that the token was copied,
    and ends the session (RFC 9700, section 4.14.2).
    """

    def __init__(self, db: Session, issuer: TokenIssuer, origin: Origin) -> None:
        self._db = db
        self._issuer = issuer
        self._origin = origin
        self._audit = AuditLog(db, origin)
        self._logins = LoginRepository(db)

    def with_password(self, login: str, password: str) -> TokenPair:
        """Log in with a username or e-mail address and a password.

        Raises: InvalidCredentials or TooManyAttempts (both counted and recorded).
        """
        return self.begin_session(self._authenticate(login, password))

    def authenticate_admin(self, login: str, password: str, route: str) -> User:
        """Check an admin's password for a single request; start no session and issue no token.

        `route`: what the security event names.

        Raises: InvalidCredentials, TooManyAttempts; AdminPageRefused (for another role).
        """
        user = self._authenticate(login, password)
        if user.role != "admin":
            self._audit.record(EventType.ACCESS_REFUSED, user_id=user.id, role=user.role, route=route)
            raise AdminPageRefused
        self._audit.record(EventType.LOGIN, user_id=user.id, route=route)
        return user

    def _authenticate(self, login: str, password: str) -> User:
        """Return the user, locked, if the password is right. Every login by password comes through here."""
        limit = LoginRateLimit(self._db, login, self._origin.address)
        user = self._logins.user(login)
        compared_hash = user.hashed_password if user else None
        try:
            limit.check()
            matches, better_hash = verify_password(password, compared_hash)
            limit.lock_and_check()
        except TooManyAttempts:
            self._audit.record(EventType.LOGIN_LIMITED, user_id=user.id if user else None)
            raise
        if user is not None and matches:
            self._logins.lock_user(user)
        if user is None or not matches or user.hashed_password != compared_hash or not user.may_log_in:
            limit.count()
            self._audit.record(EventType.LOGIN_FAILED, user_id=user.id if user else None)
            raise InvalidCredentials
        limit.reset_account()
        if better_hash is not None:
            user.hashed_password = better_hash
        return user

    def begin_session(self, user: User, event: EventType = EventType.LOGIN) -> TokenPair:
        """Start a login session for an authenticated user.

        Raises: InvalidCredentials (when the account was locked or deactivated meanwhile).
        """
        now = utc_now()
        self._logins.lock_user(user)
        if not user.may_log_in:
            raise InvalidCredentials
        user.last_login = now
        login_session = UserSession(
            id=new_id(),
            user_id=user.id,
            device=self._origin.device,
            address=self._origin.address,
            last_used_at=now,
        )
        refresh_token = secrets.token_urlsafe(32)
        self._logins.add_session(login_session)
        self._logins.add_token(self._token_row(refresh_token, login_session.id))
        self._audit.record(event, user_id=user.id, session_id=login_session.id)
        data = {"session_id": str(login_session.id)}
        record(self._db, Event(type="user.logged_in", actor_id=user.id, data=data))
        return self._issuer.pair(user.id, user.role, login_session.id, refresh_token)

    def refresh(self, refresh_token: str) -> TokenPair:
        """Return a new pair, also for a token spent within GRACE.

        Raises: RefreshTokenReused (after ending the session), InvalidRefreshToken.
        """
        token_hash = hash_token(refresh_token)
        self._logins.lock_owner(token_hash)
        login_session = self._logins.lock_session(token_hash)
        token = self._logins.token(token_hash)
        now = utc_now()
        if (
            login_session is None
            or token is None
            or login_session.ended_at is not None
            or token.expires_at <= now
            or not login_session.user.may_log_in
        ):
            raise InvalidRefreshToken
        successor = self._issuer.successor(refresh_token)
        if token.spent_at is None:
            token.spent_at = now
            self._logins.add_token(self._token_row(successor, login_session.id))
        elif not self._within_grace(token, successor):
            self._end(login_session.user_id, EventType.REFRESH_TOKEN_REUSED, only=login_session.id)
            raise RefreshTokenReused
        login_session.last_used_at = now
        login_session.address = self._origin.address
        user = login_session.user
        return self._issuer.pair(user.id, user.role, login_session.id, successor)

    def sessions_of(self, user_id: UUID) -> list[UserSession]:
        return self._logins.sessions_of(user_id)

    def logout(self, session_id: UUID, user_id: UUID) -> None:
        """End this session. Ending it again changes nothing."""
        self._end(user_id, EventType.LOGOUT, only=session_id)

    def end_session(self, user_id: UUID, session_id: UUID) -> None:
        """Raises: SessionNotFound (also for another user's session)."""
        if not self._end(user_id, EventType.SESSION_ENDED, only=session_id):
            raise SessionNotFound

    def end_all_sessions(self, user_id: UUID) -> None:
        self._end(user_id, EventType.SESSION_ENDED)

    def _end(self, user_id: UUID, event: EventType, *, only: UUID | None = None) -> list[UUID]:
        ended = self._logins.end(user_id, event.value, only=only)
        for session_id in ended:
            self._audit.record(event, user_id=user_id, session_id=session_id)
        return ended

    def _within_grace(self, spent: RefreshToken, successor: str) -> bool:
        following = self._logins.token(hash_token(successor))
        recent = spent.spent_at is not None and utc_now() - spent.spent_at <= GRACE
        return recent and following is not None and following.spent_at is None

    def _token_row(self, token: str, session_id: UUID) -> RefreshToken:
        return RefreshToken(
            token_hash=hash_token(token), session_id=session_id, expires_at=utc_now() + REFRESH_LIFETIME
        )


def refresh(database: Database, issuer: TokenIssuer, origin: Origin, refresh_token: str) -> TokenPair:
    """Exchange a refresh token for a new pair.

    A valid, unspent token takes one statement. `Login.refresh` handles all
    other tokens in a transaction, such as one that was spent shortly before.

    Raises: RefreshTokenReused (after ending the session), InvalidRefreshToken.
    """
    successor = issuer.successor(refresh_token)
    now = utc_now()
    rotated = rotate_token(
        database,
        hash_token(refresh_token),
        successor_hash=hash_token(successor),
        now=now,
        expires_at=now + REFRESH_LIFETIME,
        address=origin.address,
    )
    if rotated is not None:
        return issuer.pair(rotated.user_id, rotated.role, rotated.session_id, successor)
    with committing(database) as db:
        return Login(db, issuer, origin).refresh(refresh_token)


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
