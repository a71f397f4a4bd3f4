"""Wires the records feature."""

from typing import Annotated

from fastapi import Depends, Request

from chat_service.programs.content.catalog import Catalog
from chat_service.programs.records.memory import MemoryRecords
from chat_service.programs.records.service import Records
from chat_service.programs.sessions.memory.store import MemoryStore
from cogniflow_kit.sql.database import Database


def build_records(database: Database, catalog: Catalog, memory: MemoryStore | None) -> Records:
    """Build the service. `memory`: the store of program sessions when they are not in PostgreSQL."""
    return Records(database, catalog) if memory is None else MemoryRecords(memory)


async def get_records(request: Request) -> Records:
    records: Records = request.app.state.records
    return records


RecordsService = Annotated[Records, Depends(get_records)]
