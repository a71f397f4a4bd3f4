"""What waits in the spool of a person, to be handed out and erased like every table."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chat_service.outage.spool import Spool, Spooled
from cogniflow_kit.people import Key


class SpoolHolding:
    store = "files.spool"

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def read(self, user_id: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        found: list[tuple[Key, Mapping[str, Any]]] = [
            ([str(turn.snapshot.session_id), f"{turn.base:010}"], turn.model_dump(mode="json"))
            for turn in self._of(user_id)
        ]
        later = [item for item in found if after is None or item[0] > after]
        return sorted(later, key=lambda item: item[0])[:limit]

    def erase(self, user_id: UUID) -> int:
        turns = self._of(user_id)
        for session_id in {turn.snapshot.session_id for turn in turns}:
            self._spool.remove(session_id)
        return len(turns)

    def _of(self, user_id: UUID) -> list[Spooled]:
        return [
            turn
            for session_id in self._spool.sessions()
            for turn in self._spool.turns(session_id)
            if turn.snapshot.user_id == user_id
        ]
