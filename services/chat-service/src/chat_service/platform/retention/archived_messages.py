"""The messages of months that were cut off, as part of what is held on a person."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, text

from chat_service.platform.retention.partitions import archives
from cogniflow_kit.personal_data import Key
from cogniflow_kit.sql.database import Database

# A session that was made an account's after its month was cut off still has its participant's id there.
_OWNER = (
    "(t.user_id = :user_id OR t.session_id IN"
    " (SELECT session_id FROM chat.sessions WHERE user_id = :user_id))"
)


class ArchivedMessagesPersonalData:
    """Listed behind conversation_messages: a month cut off meanwhile is emptied here."""

    store = "postgresql.conversation_messages"

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, user_id: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        """A key is the archive's name and the message's id."""
        first, message_id = after or ("", "")
        found: list[tuple[Key, Mapping[str, Any]]] = []
        with self._database.transaction() as session:
            for table in archives(session):
                if table < first:
                    continue
                rows = session.execute(
                    text(
                        'SELECT t.message_id::text COLLATE "C" AS id, to_jsonb(t) AS record'  # noqa: S608
                        f' FROM {table} t WHERE {_OWNER} AND t.message_id::text COLLATE "C" > :after'
                        " ORDER BY id LIMIT :limit"
                    ),
                    {
                        "user_id": user_id,
                        "after": message_id if table == first else "",
                        "limit": limit - len(found),
                    },
                )
                found += [([table, row.id], row.record) for row in rows]
                if len(found) == limit:
                    break
        return found

    def erase(self, user_id: UUID) -> int:
        with self._database.transaction() as session:
            return sum(
                cast(
                    CursorResult[Any],
                    session.execute(
                        text(f"DELETE FROM {table} t WHERE {_OWNER}"),  # noqa: S608
                        {"user_id": user_id},
                    ),
                ).rowcount
                for table in archives(session)
            )
