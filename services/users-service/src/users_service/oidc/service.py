"""Rules of external logins: redirect to the provider, and find or create the user's account."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from cryptography.fernet import Fernet
from pydantic import SecretStr, TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from cogniflow_kit.errors import ServiceError
from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database
from users_service.accounts.errors import UsernameTaken
from users_service.accounts.repository import UserRepository
from users_service.accounts.schemas import Email
from users_service.accounts.service import add_user
from users_service.audit.event_types import EventType
from users_service.audit.service import AuditLog, Origin
from users_service.login.schemas import TokenPair
from users_service.login.service import Login
from users_service.oidc.errors import (
    AccountEmailNotVerified,
    ExternalEmailNotVerified,
    ExternalLoginRefused,
    LoginExpired,
    NoFreeUsername,
    NoIdentity,
)
from users_service.oidc.provider import Identity, Provider
from users_service.oidc.repository import ExternalLoginRepository
from users_service.password_hashing import hash_password
from users_service.tables import ExternalIdentity, ExternalLogin, User

LIFETIME = timedelta(minutes=10)
"""How long a user may take to log in at the provider."""

_EMAIL: TypeAdapter[str] = TypeAdapter(Email)
_USERNAME_ATTEMPTS = 5


@dataclass(frozen=True)
class AuthorizationRequest:
    """The provider's URL for one login. `state` must come back from the provider and in a cookie."""

    url: str
    state: str


class ExternalLogins:
    """Runs the authorization code flow with PKCE.

    Each step has a transaction of its own, so that no database connection is
    held while the provider answers.

    `secret`: the encryption key of code verifiers is derived from it.
    """

    def __init__(
        self,
        database: Database,
        provider: Provider,
        secret: SecretStr,
        origin: Origin,
        make_login: Callable[[Session], Login],
    ) -> None:
        self._database = database
        self._provider = provider
        # The prefix makes this key differ from the one of the signing keys, which has the same secret.
        digest = hashlib.sha256(b"external-logins:" + secret.get_secret_value().encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))
        self._origin = origin
        self._make_login = make_login

    def start(self) -> AuthorizationRequest:
        """Store a pending login. Raises: Unavailable (when the provider can't be reached)."""
        state, nonce, code_verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = self._provider.authorization_url(state, nonce, code_verifier)
        pending = ExternalLogin(
            state_hash=_hash(state),
            nonce=nonce,
            encrypted_code_verifier=self._fernet.encrypt(code_verifier.encode()).decode(),
            expires_at=utc_now() + LIFETIME,
        )
        with self._database.transaction() as db:
            ExternalLoginRepository(db).add_login(pending)
        return AuthorizationRequest(url, state)

    def finish(self, state: str, code: str | None) -> TokenPair:
        """Start a login session for the user that the provider identifies. Refusals are recorded.

        `code`: the authorization code; None if the provider sent an error instead.

        Raises: the errors in `errors.py`; Unavailable.
        """
        try:
            nonce, code_verifier = self._take_pending(state)
            if code is None:
                raise NoIdentity
            identity = self._provider.identity(code, code_verifier, nonce)
            with self._database.transaction() as db:
                user = self._find_or_create_user(db, identity)
                return self._make_login(db).begin_session(user, EventType.EXTERNAL_LOGIN)
        except ServiceError as error:
            self._record_refusal(error)
            raise

    def _take_pending(self, state: str) -> tuple[str, str]:
        """Delete the pending login, also if the login then fails; return its nonce and code verifier."""
        with self._database.transaction() as db:
            pending = ExternalLoginRepository(db).take_login(_hash(state))
        if pending is None or pending.expires_at <= utc_now():
            raise LoginExpired
        return pending.nonce, self._fernet.decrypt(pending.encrypted_code_verifier.encode()).decode()

    def _record_refusal(self, error: ServiceError) -> None:
        with self._database.transaction() as db:
            AuditLog(db, self._origin).record(
                EventType.LOGIN_FAILED, provider=self._provider.issuer, reason=error.code
            )

    def _find_or_create_user(self, db: Session, identity: Identity) -> User:
        """Return the identity's user: linked before, linked now by e-mail address, or new."""
        externals, users = ExternalLoginRepository(db), UserRepository(db)
        linked = externals.lock_identity(identity.issuer, identity.subject)
        if linked is not None:
            return _require_access(users.locked(linked.user_id))
        email = _verified_email(identity)
        known = users.by_email(email)
        if known is None:
            user = self._create_user(db, identity, email)
        else:
            user = _require_verified_email(users.locked(known.id))
        externals.add_identity(
            ExternalIdentity(issuer=identity.issuer, subject=identity.subject, user_id=user.id)
        )
        AuditLog(db, self._origin).record(
            EventType.EXTERNAL_IDENTITY_LINKED, user_id=user.id, provider=identity.issuer
        )
        return user

    def _create_user(self, db: Session, identity: Identity, email: str) -> User:
        """Open a student's account with a random password, which its user can reset by mail."""
        wanted = _username(identity.username or email.partition("@")[0])
        hashed_password = hash_password(secrets.token_urlsafe(32))
        for attempt in range(_USERNAME_ATTEMPTS):
            user = User(
                username=wanted if attempt == 0 else f"{wanted}-{secrets.token_hex(3)}",
                email=email,
                full_name=(identity.name or wanted)[:200],
                hashed_password=hashed_password,
                email_verified_at=utc_now(),
            )
            try:
                add_user(db, user)
            except UsernameTaken:
                continue
            AuditLog(db, self._origin).record(EventType.REGISTERED, user_id=user.id, provider=identity.issuer)
            return user
        raise NoFreeUsername


def _require_access(user: User | None) -> User:
    if user is None or not user.may_log_in:
        raise ExternalLoginRefused
    return user


def _require_verified_email(user: User | None) -> User:
    """Link an account only if it verified its address, as the provider did: then both are one person's."""
    user = _require_access(user)
    if user.email_verified_at is None:
        raise AccountEmailNotVerified
    return user


def _verified_email(identity: Identity) -> str:
    try:
        return _EMAIL.validate_python(identity.email)
    except ValidationError as error:
        raise ExternalEmailNotVerified from error


def _username(wanted: str) -> str:
    """Replace the characters that usernames can't have here."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).lstrip("._-")[:50]
    return plain if len(plain) >= 3 else f"learner-{secrets.token_hex(3)}"


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
