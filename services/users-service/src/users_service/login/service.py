"""Rules of sessions: login, refresh with reuse detection, logout."""

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
from users_service.accounts.repository import UserRepository
from users_service.audit.trail import EventType, Origin, Trail
from users_service.keys.jwt import sign
from users_service.keys.service import KeyRing
from users_service.login.errors import (
    AccessRefused,
    InvalidCredentials,
    InvalidRefreshToken,
    RefreshTokenReused,
    SessionNotFound,
    TooManyAttempts,
)
from users_service.login.limits import LoginLimits
from users_service.login.repository import LoginRepository, rotate_token
from users_service.login.schemas import TokenPair
from users_service.passwords import verify_password
from users_service.settings import Settings
from users_service.tables import RefreshToken, User, UserSession

ACCESS_LIFETIME_S = 300
REFRESH_LIFETIME = timedelta(days=30)
GRACE = timedelta(seconds=10)


class TokenIssuer:
    """Makes tokens; stores nothing."""

    def __init__(self, settings: Settings, keys: KeyRing) -> None:
        self._settings = settings
        self._keys = keys

    def successor(self, token: str) -> str:
        """The refresh token that follows this one in its line."""
        secret = self._settings.key_encryption_secret.get_secret_value()
        digest = hmac.digest(f"refresh:{secret}".encode(), token.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def pair(self, user_id: UUID | str, role: str, session_id: UUID | str, refresh_token: str) -> TokenPair:
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
    """Refresh tokens rotate at each use and form one line a session.

    A successor is the HMAC of its predecessor, so a client that lost the
    answer and asks again within the grace period gets the same successor: the
    line never forks. Any older token means that somebody copied one: the
    session ends (RFC 9700, section 4.14.2).
    """

    def __init__(self, db: Session, issuer: TokenIssuer, origin: Origin) -> None:
        self._db = db
        self._issuer = issuer
        self._origin = origin
        self._trail = Trail(db, origin)
        self._users = UserRepository(db)
        self._logins = LoginRepository(db)

    def with_password(self, login: str, password: str) -> TokenPair:
        """Raises InvalidCredentials or TooManyAttempts; both are counted and recorded."""
        return self.begin_session(self._proven(login, password))

    def as_admin(self, login: str, password: str, route: str) -> User:
        """An admin who proved it for one answer alone: no session begins and no token is made.

        Raises what `with_password` does, or AccessRefused for who has another
        role. `route` is for the record.
        """
        user = self._proven(login, password)
        if user.role != "admin":
            self._trail.record(EventType.ACCESS_REFUSED, user_id=user.id, role=user.role, route=route)
            raise AccessRefused("Only admins may see this page.")
        self._trail.record(EventType.LOGIN, user_id=user.id, route=route)
        return user

    def _proven(self, login: str, password: str) -> User:
        """Whose name and password these are. The only place where a password opens anything."""
        limits = LoginLimits(self._db, login, self._origin.address)
        user = self._users.by_login(login)
        compared = user.hashed_password if user else None
        try:
            limits.check()
            matches, better_hash = verify_password(password, compared)
            limits.settle()
        except TooManyAttempts:
            self._trail.record(EventType.LOGIN_LIMITED, user_id=user.id if user else None)
            raise
        if user is not None and matches:
            self._hold(user)
        if user is None or not matches or user.hashed_password != compared or not user.may_log_in:
            limits.failed()
            self._trail.record(EventType.LOGIN_FAILED, user_id=user.id if user else None)
            raise InvalidCredentials("The username or the password is wrong.")
        limits.succeeded()
        if better_hash is not None:
            user.hashed_password = better_hash
        return user

    def begin_session(self, user: User, event: EventType = EventType.LOGIN) -> TokenPair:
        """Log in somebody who has proved who they are."""
        now = utc_now()
        self._db.flush()
        self._hold(user)
        if not user.may_log_in:
            raise InvalidCredentials("The username or the password is wrong.")
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
        self._trail.record(event, user_id=user.id, session_id=login_session.id)
        data = {"session_id": str(login_session.id)}
        record(self._db, Event(type="user.logged_in", actor_id=user.id, data=data))
        return self._issuer.pair(user.id, user.role, login_session.id, refresh_token)

    def refresh(self, refresh_token: str) -> TokenPair:
        """A new pair, also for a token spent within the grace period.

        Raises: RefreshTokenReused (after ending the session), InvalidRefreshToken.
        """
        self._logins.hold_owner_of(hash_token(refresh_token))
        login_session = self._logins.lock_session_of(hash_token(refresh_token))
        found = self._logins.token(hash_token(refresh_token))
        now = utc_now()
        if (
            login_session is None
            or found is None
            or login_session.ended_at is not None
            or found.expires_at <= now
            or not login_session.user.may_log_in
        ):
            raise InvalidRefreshToken("The refresh token is not valid any more; log in again.")
        successor = self._issuer.successor(refresh_token)
        if found.spent_at is None:
            found.spent_at = now
            self._logins.add_token(self._token_row(successor, login_session.id))
        elif not self._within_grace(found, successor):
            self._end(login_session.user_id, EventType.REFRESH_TOKEN_REUSED, only=login_session.id)
            raise RefreshTokenReused("This refresh token was used before; log in again.")
        login_session.last_used_at = now
        login_session.address = self._origin.address
        user = login_session.user
        return self._issuer.pair(user.id, user.role, login_session.id, successor)

    def sessions_of(self, user_id: UUID) -> list[UserSession]:
        return self._logins.sessions_of(user_id)

    def logout(self, session_id: UUID, user_id: UUID) -> None:
        """End this session; ending an ended one changes nothing."""
        self._end(user_id, EventType.LOGOUT, only=session_id)

    def end_one(self, user_id: UUID, session_id: UUID) -> None:
        """Raises SessionNotFound, also for somebody else's."""
        if not self._end(user_id, EventType.SESSION_ENDED, only=session_id):
            raise SessionNotFound("There is no such open session.")

    def end_all(self, user_id: UUID, *, but: UUID | None = None) -> None:
        self._end(user_id, EventType.SESSION_ENDED, but=but)

    def _hold(self, user: User) -> None:
        """Wait for a role change, lock or reset that is under way: nothing may rest on what was before.

        FOR NO KEY UPDATE, because the row is about to be updated: two logins
        at once that both only shared it would wait for each other.
        """
        self._db.refresh(user, with_for_update={"key_share": True})

    def _end(
        self, user_id: UUID, event: EventType, *, only: UUID | None = None, but: UUID | None = None
    ) -> list[UUID]:
        ended = self._logins.end(user_id, event.value, only=only, but=but)
        for session_id in ended:
            self._trail.record(event, user_id=user_id, session_id=session_id)
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
    """Trade a refresh token for a new pair.

    A good token takes one statement. Everything else, such as a token spent
    shortly before, is decided by `Login.refresh` in a transaction.

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
