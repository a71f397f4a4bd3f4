"""A person's turns in the spool and in files set aside, for export and erasure."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chat_service.programs.sessions.durable.recent_sessions import RecentSessions
from chat_service.programs.sessions.durable.spool import Spool, whole_lines
from chat_service.programs.sessions.durable.spooled_turn import write_spooled_turn
from cogniflow_kit.personal_data import Key
from cogniflow_kit.sql.database import Database

_SESSIONS = text("SELECT array_agg(session_id) AS ids FROM sessions WHERE user_id = :user_id")


class SpoolPersonalData:
    store = "files.spool"

    def __init__(self, spool: Spool, memory: RecentSessions, database: Database) -> None:
        self._spool = spool
        self._memory = memory
        self._database = database

    def read(self, user_id: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        found: list[tuple[Key, Mapping[str, Any]]] = [
            ([str(session_id), f"{turn.base_version:010}"], _read(write_spooled_turn(turn)))
            for session_id in self._waiting(user_id)
            for turn in self._spool.turns(session_id)
        ]
        found += [
            ([path.name, f"{number:010}"], _read(line))
            for path in self._set_aside(user_id)
            for number, line in enumerate(whole_lines(path))
        ]
        later = [item for item in found if after is None or item[0] > after]
        return sorted(later, key=lambda item: item[0])[:limit]

    def erase(self, user_id: UUID) -> int:
        self._memory.remove_person(user_id)
        count = 0
        for session_id in self._waiting(user_id):
            count += len(self._spool.turns(session_id))
            self._spool.remove_session(session_id)
        for path in self._set_aside(user_id):
            count += len(whole_lines(path))
            self._spool.remove_set_aside(path)
        return count

    def _waiting(self, user_id: UUID) -> list[UUID]:
        sessions = self._spool.session_ids()
        return [key for key in sessions if any(t.state.user_id == user_id for t in self._spool.turns(key))]

    def _set_aside(self, user_id: UUID) -> list[Path]:
        """Files that name the person in a line, readable or not, and those of the person's sessions."""
        # Quotation marks in a message are escaped, so its text can't contain this.
        mark = f'"user_id":"{user_id}"'.encode()
        paths = self._spool.files_set_aside()
        marked = [path for path in paths if mark in path.read_bytes()]
        if len(marked) == len(paths):
            return paths
        row = self._database.run(_SESSIONS, {"user_id": user_id})
        own = {str(session_id) for session_id in (row.ids if row is not None and row.ids else ())}
        return [path for path in paths if path in marked or path.name.split(".")[0] in own]


def _read(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"line": line.decode(errors="replace")}
