"""Keys and revocations to verify tokens with, polling_feed from users-service every half second."""

from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread
from uuid import UUID

import structlog
from pydantic import BaseModel

from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.identity import public_pem
from cogniflow_kit.settings import ServiceSettings

log = structlog.stdlib.get_logger(__name__)

PATH = "/internal/verification"
SCOPE = "tokens:verify"
INTERVAL_S = 0.5


class VerificationKey(BaseModel):
    """A public JSON Web Key (RFC 7517); other members are ignored."""

    kid: str
    kty: str
    crv: str
    x: str
    y: str
    alg: str


class Revocation(BaseModel):
    """Invalidates all tokens of a session, or the tokens of a user issued before `revoked_at`."""

    session_id: UUID | None = None
    user_id: UUID | None = None
    revoked_at: datetime


class Verification(BaseModel):
    """Body of `GET /internal/verification`: active keys, and revocations of tokens that have not expired."""

    keys: list[VerificationKey]
    revocations: list[Revocation]


class VerificationFeed:
    """Polls users-service in a thread, so that no request waits for it.

    Polling needs no Redis and bounds the age of the data. While users-service
    is unavailable the last state stays in force: no logout can happen then.
    """

    def __init__(self, fetch: Callable[[], Verification]) -> None:
        self._fetch = fetch
        self._known = False
        self._pems: dict[str, str] = {}
        self._sessions: set[UUID] = set()
        self._users: dict[UUID, float] = {}
        self._stopping = Event()
        self._thread = Thread(target=self._poll, name="verification", daemon=True)

    def start(self) -> None:
        """Poll once, so that a service that is ready knows the keys; then poll in a thread."""
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    async def pem(self, kid: str) -> str | None:
        """The public key with this id, None when it isn't published.

        Raises: Unavailable (users-service has not responded yet).
        """
        if not self._known:
            raise Unavailable("users-service has not said yet which tokens are good; try again shortly.")
        return self._pems.get(kid)

    def revoked(self, session_id: UUID, user_id: UUID, issued_at: float) -> bool:
        """Whether a token of this session and user, issued at this Unix time, is revoked."""
        return session_id in self._sessions or issued_at < self._users.get(user_id, 0.0)

    def _poll(self) -> None:
        while not self._stopping.wait(INTERVAL_S):
            self.refresh()

    def refresh(self) -> None:
        """Poll once; after a failure the last state stays in force."""
        try:
            state = self._fetch()
        except Exception as error:  # noqa: BLE001 -- the thread must go on after any error
            log.warning("verification state not refreshed", error=type(error).__name__)
            return
        self._users = {
            change.user_id: change.revoked_at.timestamp() for change in state.revocations if change.user_id
        }
        self._sessions = {change.session_id for change in state.revocations if change.session_id}
        self._pems = {key.kid: self._pems.get(key.kid) or public_pem(key.model_dump()) for key in state.keys}
        self._known = True


def polling_feed(settings: ServiceSettings) -> VerificationFeed:
    """The feed for all services except users-service, which reads its own tables."""
    client = ServiceClient(settings, "users-service", settings.users_url)

    def fetch() -> Verification:
        answer = client.get(PATH, scope=SCOPE).raise_for_status()
        return Verification.model_validate_json(answer.content)

    return VerificationFeed(fetch)
