"""Where programmes keep their sessions: in PostgreSQL, and on disk while it is away."""

from dataclasses import dataclass, field

from chat_service.language_model.chosen import ChosenModel
from chat_service.outage.held import SpoolHolding
from chat_service.outage.memory import Memory
from chat_service.outage.replay import Replay
from chat_service.outage.sessions import DurableSessions
from chat_service.outage.spool import Spool
from chat_service.outage.storing import Storing
from chat_service.outage.taking import DurableTurns
from chat_service.programs.catalog import Catalog
from chat_service.programs.service import Programs
from chat_service.programs.stores.sql_sessions import SqlSessions
from chat_service.programs.stores.sql_turns import SqlTurns
from chat_service.programs.taking import StoredTurns
from chat_service.settings import Settings
from cogniflow_kit.application import Background
from cogniflow_kit.people import Holding
from cogniflow_kit.sql.database import Database


@dataclass(frozen=True)
class Kept:
    """Programmes, what has to run beside them, and what they hold of people outside the stores."""

    programs: Programs
    holdings: list[Holding] = field(default_factory=list)
    background: list[Background] = field(default_factory=list)


def keep(settings: Settings, database: Database, catalog: Catalog, model: ChosenModel) -> Kept:
    turns = SqlTurns(database, catalog)
    if settings.spool_dir is None:
        return Kept(Programs(SqlSessions(database, catalog), StoredTurns(turns), model))
    spool, memory = Spool(settings.spool_dir), Memory()
    storing = Storing(database, catalog, spool, memory)
    sessions = DurableSessions(database, catalog, spool, memory, storing)
    programs = Programs(sessions, DurableTurns(turns, spool, memory, storing), model)
    holding = SpoolHolding(spool, memory, database)
    return Kept(programs, [holding], [Replay(database, spool, storing)])
