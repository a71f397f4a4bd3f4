"""Personal data of sessions in memory."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from chat_service.programs.coach.session_state import SessionState
from chat_service.programs.sessions.memory.store import MemorySession, MemoryStore
from chat_service.programs.sessions.store import SessionMessage
from cogniflow_kit.personal_data import Key

_STATE, _MESSAGES = TypeAdapter(SessionState), TypeAdapter(list[SessionMessage])


class MemoryPersonalData:
    """Exports and erases a participant's sessions."""

    store = "memory.sessions"

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def read(self, user_id: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        with self._store.sessions() as sessions:
            found: list[tuple[Key, Mapping[str, Any]]] = [
                ([str(key)], _export(stored))
                for key, stored in sorted(sessions.items())
                if stored.state.user_id == user_id and (after is None or [str(key)] > after)
            ]
        return found[:limit]

    def erase(self, user_id: UUID) -> int:
        with self._store.sessions() as sessions:
            own = [key for key, stored in sessions.items() if stored.state.user_id == user_id]
            for key in own:
                del sessions[key]
        return len(own)


def _export(stored: MemorySession) -> dict[str, Any]:
    messages = [entry.message for entry in stored.messages]
    return {
        **_STATE.dump_python(stored.state, mode="json"),
        "messages": _MESSAGES.dump_python(messages, mode="json"),
    }
