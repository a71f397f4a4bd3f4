"""Every table of users-service with data of people."""

from typing import Any
from uuid import UUID

from cogniflow_kit.personal_data import PersonalData
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.personal_data import TablePersonalData, shared_tables
from users_service.tables import metadata

WITHOUT_PEOPLE = frozenset({"service_clients", "signing_keys", "external_logins"})
"""Tables that hold keys and services, and logins that belong to nobody before they are finished."""

GOES_WITH = {"data_export_chunks": "data_exports"}
"""Tables whose rows PostgreSQL deletes with the row they are part of."""

_OWN_SESSION = "t.session_id IN (SELECT id FROM users.user_sessions WHERE user_id = :user_id)"
_OWN_LIMITS = (
    "EXISTS (SELECT FROM users.users u WHERE u.id = :user_id AND t.key IN"
    " ('account:' || lower(u.username), 'account:' || lower(u.email), 'mail:' || lower(u.email)))"
)
_OWN_MAILS = (
    "t.user_id = :user_id OR lower(t.recipient) = (SELECT lower(email) FROM users.users WHERE id = :user_id)"
)
_BY_THEMSELVES = "t.user_id = :user_id AND coalesce(t.actor_id, :user_id) = :user_id"
_BY_OTHERS = "t.user_id = :user_id AND t.actor_id <> :user_id"
_TO_OTHERS = "t.actor_id = :user_id AND t.user_id IS DISTINCT FROM :user_id"
_OF_THE_OTHER = ("actor_id", "address", "session_id")
_UNTIED = (
    "user_id = nullif(user_id, :user_id), actor_id = nullif(actor_id, :user_id),"
    " session_id = NULL, address = NULL"
)


class _Lasting(TablePersonalData):
    """Shown, but not erased."""

    def erase(self, _: UUID) -> int:
        return 0


def personal_data(database: Database) -> PersonalData:
    def table(name: str, **how: Any) -> TablePersonalData:
        return TablePersonalData(database, metadata.tables[f"users.{name}"], **how)

    def lasting(name: str) -> TablePersonalData:
        return _Lasting(database, metadata.tables[f"users.{name}"])

    return PersonalData(
        [
            # Refuses the last access tokens until they expire, and is forgotten then.
            lasting("revocations"),
            # The receipt itself. Its id leads to nobody once everything else is gone.
            lasting("erasure_requests"),
            # Who did something to them, or whom they did it to, is told to nobody.
            table("security_events", owner=_BY_THEMSELVES, keep=_UNTIED),
            table("security_events", owner=_BY_OTHERS, hidden=_OF_THE_OTHER, keep=_UNTIED),
            table("security_events", owner=_TO_OTHERS, hidden=("user_id",), keep=_UNTIED),
            table("login_failures", owner=_OWN_LIMITS),
            # The text of a mail holds a link that works without a password.
            table("mails", owner=_OWN_MAILS, hidden=("body",)),
            table("one_time_tokens", hidden=("token_hash",)),
            table("jobs", owner="t.arguments ->> 'user_id' = CAST(:user_id AS text)"),
            table("external_identities"),
            table("refresh_tokens", owner=_OWN_SESSION, hidden=("token_hash",)),
            table("user_sessions"),
            table("data_exports"),
            table("user_profiles"),
            *shared_tables(database, metadata),
            table("users", owner="t.id = :user_id", hidden=("hashed_password",)),
        ]
    )
