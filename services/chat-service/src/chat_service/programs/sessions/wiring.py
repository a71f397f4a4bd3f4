"""Where programmes keep their sessions: in PostgreSQL and, while it is away, on disk; or in memory alone."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog

from chat_service.platform.language_model.configured import ChosenModel
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.records.service import Records
from chat_service.programs.sessions.durable.personal_data import SpoolHolding
from chat_service.programs.sessions.durable.recent_sessions import Memory
from chat_service.programs.sessions.durable.replay import Replay
from chat_service.programs.sessions.durable.replay_session import Storing
from chat_service.programs.sessions.durable.sessions import DurableSessions, Keeper
from chat_service.programs.sessions.durable.spool import Spool
from chat_service.programs.sessions.durable.turn_runner import DurableTurns
from chat_service.programs.sessions.memory.records import MemoryHolding, MemoryRecords
from chat_service.programs.sessions.memory.sessions import MemorySessions
from chat_service.programs.sessions.memory.store import MemoryStore
from chat_service.programs.sessions.memory.turns import MemoryTurns
from chat_service.programs.sessions.service import Programs
from chat_service.programs.sessions.sql.sessions import SqlSessions
from chat_service.programs.sessions.sql.turns import SqlTurns
from chat_service.programs.sessions.turn_runner import StoredTurns
from chat_service.settings import Settings
from cogniflow_kit.application import Background
from cogniflow_kit.people import Holding
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Kept:
    """Programmes, what has to run beside them, and what they hold of people outside the stores."""

    programs: Programs
    records: Records
    holdings: list[Holding] = field(default_factory=list)
    background: list[Background] = field(default_factory=list)
    notices: dict[str, Callable[[], Any]] = field(default_factory=dict)
    """What `/health/ready` says of it."""
    changing: Callable[[UUID], AbstractContextManager[object]] = nullcontext
    """To be entered by whatever changes a session and is no turn."""


def keep(settings: Settings, database: Database, catalog: Catalog, model: ChosenModel) -> Kept:
    if settings.in_memory:
        return _in_memory(settings, model)
    turns, records = SqlTurns(database, catalog), Records(database, catalog)
    if settings.spool_dir is None:
        return Kept(Programs(SqlSessions(database, catalog), StoredTurns(turns), model), records)
    spool, memory = Spool(settings.spool_dir), Memory()
    storing = Storing(database, catalog, spool, memory)
    keeper = Keeper(spool, memory)
    sessions = DurableSessions(database, catalog, spool, memory, storing, keeper)
    programs = Programs(sessions, DurableTurns(turns, spool, memory, storing), model)
    holding = SpoolHolding(spool, memory, database)
    return Kept(
        programs,
        records,
        [holding],
        [Replay(database, spool, storing)],
        {"spooled_turns": lambda: spool.waiting},
        keeper.changing,
    )


def _in_memory(settings: Settings, model: ChosenModel) -> Kept:
    store = MemoryStore.from_folder(settings.content_dir / "programs")
    programs = Programs(MemorySessions(store), StoredTurns(MemoryTurns(store)), model)
    return Kept(
        programs,
        MemoryRecords(store),
        [MemoryHolding(store)],
        [_Loudly(settings)],
        notices={"persistence": lambda: "memory alone: a restart loses the sessions of programmes"},
    )


class _Loudly:
    """Says at start that nothing will last."""

    def __init__(self, settings: Settings) -> None:
        self._value = settings.use_db_persistence

    def start(self) -> None:
        log.warning(
            "SESSIONS OF PROGRAMMES ARE KEPT IN MEMORY ALONE: A RESTART LOSES THEM",
            setting="USE_DB_PERSISTENCE",
            value=self._value,
        )

    def stop(self) -> None:
        log.warning("sessions of programmes end here, they were kept in memory alone")
