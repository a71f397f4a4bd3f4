"""Rules of external logins: out to the provider and back, and whose account it is."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from cryptography.fernet import Fernet
from pydantic import SecretStr, TypeAdapter, ValidationError
from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from cogniflow_kit.errors import ServiceError
from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database
from users_service.accounts.errors import UsernameTaken
from users_service.accounts.repository import UserRepository
from users_service.accounts.schemas import Email
from users_service.accounts.service import add_user
from users_service.audit.trail import EventType, Origin, Trail
from users_service.login.schemas import TokenPair
from users_service.login.service import Login
from users_service.oidc.errors import (
    AccountEmailNotVerified,
    ExternalEmailNotVerified,
    ExternalLoginFailed,
    ExternalLoginRefused,
)
from users_service.oidc.provider import Identity, Provider
from users_service.passwords import hash_password
from users_service.tables import ExternalIdentity, ExternalLogin, User

LIFETIME = timedelta(minutes=10)
"""How long somebody may take at the provider."""

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:identity, 2))")
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)
_NAMES_TRIED = 5


@dataclass(frozen=True)
class Departure:
    """`state` has to come back both from the provider and from the browser that left."""

    url: str
    state: str


class ExternalLogins:
    """Each part in a transaction of its own: no connection is held while the provider is asked."""

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
        # Apart from the key that signing keys are encrypted with, though made from the same secret.
        digest = hashlib.sha256(b"external-logins:" + secret.get_secret_value().encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))
        self._origin = origin
        self._make_login = make_login

    def start(self) -> Departure:
        """Where to send the browser. Raises Unavailable when the provider is away."""
        state, nonce, code_verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = self._provider.authorization_url(state, nonce, code_verifier)
        with self._database.transaction() as db:
            db.add(
                ExternalLogin(
                    state_hash=_hash(state),
                    nonce=nonce,
                    encrypted_code_verifier=self._fernet.encrypt(code_verifier.encode()).decode(),
                    expires_at=utc_now() + LIFETIME,
                )
            )
        return Departure(url, state)

    def finish(self, state: str, code: str | None) -> TokenPair:
        """Log in whom the provider names; without a code it names nobody. A refusal is recorded.

        Raises what `errors` lists, or Unavailable.
        """
        try:
            nonce, code_verifier = self._consume(state)
            if code is None:
                raise ExternalLoginFailed("The provider didn't log you in; begin again.")
            identity = self._provider.identity(code, code_verifier, nonce)
            with self._database.transaction() as db:
                user = self._account_of(db, identity)
                return self._make_login(db).begin_session(user, EventType.EXTERNAL_LOGIN)
        except ServiceError as refusal:
            self._record_refusal(refusal)
            raise

    def _consume(self, state: str) -> tuple[str, str]:
        """The nonce and code verifier of a login that set out; works once, whatever comes of it."""
        leaving = delete(ExternalLogin).where(ExternalLogin.state_hash == _hash(state))
        with self._database.transaction() as db:
            found = db.scalars(leaving.returning(ExternalLogin)).first()
        if found is None or found.expires_at <= utc_now():
            raise ExternalLoginFailed("This login took too long, or was finished before; begin again.")
        return found.nonce, self._fernet.decrypt(found.encrypted_code_verifier.encode()).decode()

    def _record_refusal(self, refusal: ServiceError) -> None:
        with self._database.transaction() as db:
            self._trail(db).record(
                EventType.LOGIN_FAILED, provider=self._provider.issuer, reason=refusal.code
            )

    def _account_of(self, db: Session, identity: Identity) -> User:
        db.execute(_ONE_AT_A_TIME, {"identity": f"{identity.issuer} {identity.subject}"})
        linked = db.get(ExternalIdentity, (identity.issuer, identity.subject))
        users = UserRepository(db)
        if linked is not None:
            return _admitted(users.locked(linked.user_id))
        email = _verified_email(identity)
        known = users.by_email(email)
        user = self._opened(db, identity, email) if known is None else _linkable(users.locked(known.id))
        db.add(ExternalIdentity(issuer=identity.issuer, subject=identity.subject, user_id=user.id))
        self._trail(db).record(EventType.EXTERNAL_IDENTITY_LINKED, user_id=user.id, provider=identity.issuer)
        return user

    def _opened(self, db: Session, identity: Identity, email: str) -> User:
        """A new student, whose password nobody knows until they reset it."""
        wanted = _username(identity.username or email.partition("@")[0])
        hashed_password = hash_password(secrets.token_urlsafe(32))
        for attempt in range(_NAMES_TRIED):
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
            self._trail(db).record(EventType.REGISTERED, user_id=user.id, provider=identity.issuer)
            return user
        raise UsernameTaken("No free username was found; try again.")

    def _trail(self, db: Session) -> Trail:
        return Trail(db, self._origin)


def _admitted(user: User | None) -> User:
    if user is None or not user.may_log_in:
        raise ExternalLoginRefused("This account is closed; ask an administrator.")
    return user


def _linkable(user: User | None) -> User:
    """Linked only when both sides have seen that the same person reads the mailbox."""
    admitted = _admitted(user)
    if admitted.email_verified_at is None:
        raise AccountEmailNotVerified(
            "There is an account with this e-mail address that was never verified; "
            "log in with its password and verify the address, then try again."
        )
    return admitted


def _verified_email(identity: Identity) -> str:
    try:
        return _EMAIL.validate_python(identity.email)
    except ValidationError as error:
        raise ExternalEmailNotVerified(
            "The provider doesn't vouch for an e-mail address of yours; verify it there, then try again."
        ) from error


def _username(wanted: str) -> str:
    """What they are called elsewhere, in the characters that names have here."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).lstrip("._-")[:50]
    return plain if len(plain) >= 3 else f"learner-{secrets.token_hex(3)}"


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
