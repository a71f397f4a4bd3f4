"""Reads records and summaries. No database session is open while they are rendered."""

from uuid import UUID

from chat_service.programs.content.catalog import Catalog
from chat_service.programs.records.record import SessionRecord
from chat_service.programs.records.repository import (
    StoredSummary,
    keep_summary,
    newest_complete,
    read_record,
    read_snapshot,
)
from chat_service.programs.records.schemas import SummaryOut
from chat_service.programs.sessions.summary import Summary, summarize
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.deadline import within

READ_DEADLINE_S = 1.5
"""Deadline of each read. Records cannot be read during an outage."""


class Records:
    """Every method raises SessionNotFound for a program session of another participant."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog

    def record(self, user_id: UUID, session_id: UUID, week: int | None = None) -> SessionRecord:
        """Return the whole program session, or all runs of one week of it."""
        with within(READ_DEADLINE_S), self._database.transaction() as db:
            record = read_record(db, session_id, user_id)
        return record if week is None else record.of_week(week)

    def summary(self, user_id: UUID, session_id: UUID) -> SummaryOut:
        """Return the newest complete summary, or a partial one of the present state."""
        with within(READ_DEADLINE_S), self._database.transaction() as db:
            stored = newest_complete(db, session_id, user_id)
        if stored is not None:
            return _out(session_id, stored)
        return SummaryOut(
            session_id=session_id, generated_at=None, summary=self._summarize(user_id, session_id)
        )

    def keep_summary(self, user_id: UUID, session_id: UUID) -> tuple[SummaryOut, bool]:
        """Store the summary of the present state, once. Returns it and whether it is new."""
        summary = self._summarize(user_id, session_id)
        with within(READ_DEADLINE_S), self._database.transaction() as db:
            stored, is_new = keep_summary(db, session_id, user_id, summary)
        return _out(session_id, stored), is_new

    def _summarize(self, user_id: UUID, session_id: UUID) -> Summary:
        with within(READ_DEADLINE_S), self._database.transaction() as db:
            session_state = read_snapshot(db, session_id, user_id)
        return summarize(self._catalog.get(session_state.version_id), session_state)


def _out(session_id: UUID, stored: StoredSummary) -> SummaryOut:
    return SummaryOut(session_id=session_id, generated_at=stored.generated_at, summary=stored.summary)
