"""Personal data in the memory store."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chat_service.programs.sessions.memory.store import KeptSession, MemoryStore
from cogniflow_kit.personal_data import Key


class MemoryPersonalData:
    """Exports and erases the program sessions that are kept in memory."""

    store = "memory.sessions"

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def read(self, user_id: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        with self._store.sessions() as sessions:
            found: list[tuple[Key, Mapping[str, Any]]] = [
                ([str(key)], _record(kept))
                for key, kept in sorted(sessions.items())
                if kept.state.user_id == user_id and (after is None or [str(key)] > after)
            ]
        return found[:limit]

    def erase(self, user_id: UUID) -> int:
        with self._store.sessions() as sessions:
            own = [key for key, kept in sessions.items() if kept.state.user_id == user_id]
            for key in own:
                del sessions[key]
        return len(own)


def _record(kept: KeptSession) -> dict[str, Any]:
    messages = [said.message.model_dump(mode="json") for said in kept.messages]
    return {**kept.state.model_dump(mode="json"), "messages": messages}
