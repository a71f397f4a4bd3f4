"""Where personal data is: the tables of users-service, and the other services."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.personal_data import ERASE_SCOPE, EXPORT_SCOPE, Erased, HeldPage, HeldRecord, PersonalData
from cogniflow_kit.settings import ServiceSettings
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.personal_data import TablePersonalData, shared_tables
from users_service.tables import metadata

OWN_PART = "users"

TABLES_WITHOUT_PERSONAL_DATA = frozenset({"service_clients", "signing_keys", "external_logins"})
"""Keys, services, and pending external logins, which have no user yet."""

CASCADING_TABLES = {"data_export_chunks": "data_exports"}
"""Tables whose rows PostgreSQL deletes together with their row in another table."""

_OF_OWN_SESSION = "t.session_id IN (SELECT id FROM users.user_sessions WHERE user_id = :user_id)"
_OWN_RATE_LIMITS = (
    "EXISTS (SELECT FROM users.users u WHERE u.id = :user_id AND t.key IN"
    " ('account:' || lower(u.username), 'account:' || lower(u.email), 'mail:' || lower(u.email)))"
)
_OWN_MAILS = (
    "t.user_id = :user_id OR lower(t.recipient) = (SELECT lower(email) FROM users.users WHERE id = :user_id)"
)
_OWN_ACTIONS = "t.user_id = :user_id AND coalesce(t.actor_id, :user_id) = :user_id"
_ACTIONS_BY_OTHERS = "t.user_id = :user_id AND t.actor_id <> :user_id"
_ACTIONS_ON_OTHERS = "t.actor_id = :user_id AND t.user_id IS DISTINCT FROM :user_id"
_DATA_OF_ACTOR = ("actor_id", "address", "session_id")
_ANONYMIZED = (
    "user_id = nullif(user_id, :user_id), actor_id = nullif(actor_id, :user_id),"
    " session_id = NULL, address = NULL"
)


class _NeverErased(TablePersonalData):
    """A table that is exported but not erased."""

    def erase(self, _: UUID) -> int:
        return 0


def own_personal_data(database: Database) -> PersonalData:
    """Return the personal data in the tables of users-service."""

    def table(name: str, **options: Any) -> TablePersonalData:
        return TablePersonalData(database, metadata.tables[f"users.{name}"], **options)

    def never_erased(name: str) -> TablePersonalData:
        return _NeverErased(database, metadata.tables[f"users.{name}"])

    return PersonalData(
        [
            # Refuses the user's last access tokens; the hourly cleanup deletes it when they have expired.
            never_erased("revocations"),
            # The receipt of the erasure itself. Its user id refers to nothing once the rest is erased.
            never_erased("erasure_requests"),
            # Events name two users, the one concerned and the actor; neither is told who the other is.
            table("security_events", owner=_OWN_ACTIONS, keep=_ANONYMIZED),
            table("security_events", owner=_ACTIONS_BY_OTHERS, hidden=_DATA_OF_ACTOR, keep=_ANONYMIZED),
            table("security_events", owner=_ACTIONS_ON_OTHERS, hidden=("user_id",), keep=_ANONYMIZED),
            table("login_failures", owner=_OWN_RATE_LIMITS),
            # A mail's body may contain a link that works without a password.
            table("mails", owner=_OWN_MAILS, hidden=("body",)),
            table("one_time_tokens", hidden=("token_hash",)),
            table("jobs", owner="t.arguments ->> 'user_id' = CAST(:user_id AS text)"),
            table("external_identities"),
            table("refresh_tokens", owner=_OF_OWN_SESSION, hidden=("token_hash",)),
            table("user_sessions"),
            table("data_exports"),
            table("user_profiles"),
            *shared_tables(database, metadata),
            table("users", owner="t.id = :user_id", hidden=("hashed_password",)),
        ]
    )


class RemotePersonalData:
    """The personal data that another service has, reached over HTTP; same methods as PersonalData."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    def records(self, user_id: UUID) -> Iterator[HeldRecord]:
        """Yield the user's records page by page. Raises: Unavailable (possibly between two records)."""
        params: dict[str, str] = {}
        while True:
            path = f"/internal/people/{user_id}/export"
            response = self._client.get(path, scope=EXPORT_SCOPE, params=params)
            if response.status_code != 200:
                raise Unavailable(f"A service answered {response.status_code} to an export.")
            page = HeldPage.model_validate_json(response.content)
            yield from page.items
            if page.next_cursor is None:
                return
            params = {"cursor": page.next_cursor}

    def erase(self, user_id: UUID) -> Erased:
        """Erase the user's records; can be repeated. Raises: Unavailable."""
        response = self._client.post(f"/internal/people/{user_id}/erase", scope=ERASE_SCOPE, json=None)
        if response.status_code != 200:
            raise Unavailable(f"A service answered {response.status_code} to an erasure.")
        return Erased.model_validate_json(response.content)


DataSource = PersonalData | RemotePersonalData


def other_services(settings: ServiceSettings) -> dict[str, RemotePersonalData]:
    """Return the other services by part name, in the order in which they erase.

    analytics-service is last, because the others send events to it.
    """
    urls = {
        "courses": settings.courses_url,
        "chat": settings.chat_url,
        "analytics": settings.analytics_url,
    }
    return {
        part: RemotePersonalData(ServiceClient(settings, f"{part}-service", url))
        for part, url in urls.items()
    }
