"""Wires the stores of program sessions: PostgreSQL with a spool on disk, or memory alone."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog

from chat_service.platform.language_model.configured import ConfiguredModel
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.durable.personal_data import SpoolPersonalData
from chat_service.programs.sessions.durable.recent_sessions import RecentSessions
from chat_service.programs.sessions.durable.replay import ReplayThread, SessionReplayer
from chat_service.programs.sessions.durable.sessions import DurableSessionStore, SessionGuard
from chat_service.programs.sessions.durable.spool import Spool
from chat_service.programs.sessions.durable.turns import DurableTurnRunner
from chat_service.programs.sessions.memory.personal_data import MemoryPersonalData
from chat_service.programs.sessions.memory.sessions import MemorySessionStore
from chat_service.programs.sessions.memory.store import MemoryStore
from chat_service.programs.sessions.memory.turns import MemoryTurnStore
from chat_service.programs.sessions.service import Programs
from chat_service.programs.sessions.sql.sessions import SqlSessionStore
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.turn_runner import DirectTurnRunner
from chat_service.settings import Settings
from cogniflow_kit.application import Background
from cogniflow_kit.personal_data import PersonalDataSource
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class ProgramWiring:
    """Services of programs, their background work, and personal data outside the databases."""

    programs: Programs
    personal_data: list[PersonalDataSource] = field(default_factory=list)
    background: list[Background] = field(default_factory=list)
    notices: dict[str, Callable[[], Any]] = field(default_factory=dict)
    """Values for `/health/ready`, by name."""
    changing: Callable[[UUID], AbstractContextManager[object]] = nullcontext
    """Context for a change of a session outside its turns."""
    preload: list[Callable[[], None]] = field(default_factory=list)
    """What to load at process start, so that no first request waits for it."""
    memory: MemoryStore | None = None
    """Stores program sessions when PostgreSQL does not."""


def wire_programs(
    settings: Settings, database: Database, catalog: Catalog, model: ConfiguredModel
) -> ProgramWiring:
    if settings.in_memory:
        return _in_memory(settings, model)
    turns = SqlTurnStore(database, catalog)
    if settings.spool_dir is None:
        return ProgramWiring(Programs(SqlSessionStore(database, catalog), DirectTurnRunner(turns), model))
    spool, memory = Spool(settings.spool_dir), RecentSessions()
    replayer = SessionReplayer(database, catalog, spool, memory)
    guard = SessionGuard(spool, memory)
    sessions = DurableSessionStore(database, catalog, spool, memory, replayer, guard)
    programs = Programs(sessions, DurableTurnRunner(turns, spool, memory, replayer), model)
    return ProgramWiring(
        programs,
        [SpoolPersonalData(spool, memory, database)],
        [ReplayThread(database, spool, replayer)],
        {"spooled_turns": lambda: spool.waiting_turns},
        guard.changing,
        [catalog.preload],
    )


def _in_memory(settings: Settings, model: ConfiguredModel) -> ProgramWiring:
    store = MemoryStore.from_folder(settings.content_dir / "programs")
    programs = Programs(MemorySessionStore(store), DirectTurnRunner(MemoryTurnStore(store)), model)
    return ProgramWiring(
        programs,
        [MemoryPersonalData(store)],
        [_MemoryWarning(settings)],
        notices={"persistence": lambda: "memory alone: a restart loses the sessions of programs"},
        memory=store,
    )


class _MemoryWarning:
    """Warns at start that a restart loses the sessions."""

    def __init__(self, settings: Settings) -> None:
        self._value = settings.use_db_persistence

    def start(self) -> None:
        log.warning(
            "SESSIONS OF PROGRAMMES ARE KEPT IN MEMORY ALONE: A RESTART LOSES THEM",
            setting="USE_DB_PERSISTENCE",
            value=self._value,
        )

    def stop(self) -> None:
        log.warning("sessions of programs end here, they were kept in memory alone")
