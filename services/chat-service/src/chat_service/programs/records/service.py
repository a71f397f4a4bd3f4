"""Reads what a session leaves. No database session is held while it is made ready for its reader."""

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

PATIENCE_S = 1.5
"""How long PostgreSQL is waited for at once; a session can't be read without it."""


class Records:
    """What is another's isn't there: every method raises SessionNotFound for it."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog

    def session(self, user_id: UUID, session_id: UUID, week: int | None = None) -> SessionRecord:
        """The whole session, or all runs of one week of it."""
        with within(PATIENCE_S), self._database.transaction() as session:
            record = read_record(session, session_id, user_id)
        return record if week is None else record.of_week(week)

    def summary(self, user_id: UUID, session_id: UUID) -> SummaryOut:
        """The newest complete summary, or one of how far the session is now."""
        with within(PATIENCE_S), self._database.transaction() as session:
            stored = newest_complete(session, session_id, user_id)
        if stored is not None:
            return _out(session_id, stored)
        return SummaryOut(
            session_id=session_id, generated_at=None, summary=self._summarize(user_id, session_id)
        )

    def keep_summary(self, user_id: UUID, session_id: UUID) -> tuple[SummaryOut, bool]:
        """The summary of the session's present state, stored once, and whether that happened just now."""
        summary = self._summarize(user_id, session_id)
        with within(PATIENCE_S), self._database.transaction() as session:
            stored, is_new = keep_summary(session, session_id, user_id, summary)
        return _out(session_id, stored), is_new

    def _summarize(self, user_id: UUID, session_id: UUID) -> Summary:
        with within(PATIENCE_S), self._database.transaction() as session:
            session_state = read_snapshot(session, session_id, user_id)
        return summarize(self._catalog.get(session_state.version_id), session_state)


def _out(session_id: UUID, stored: StoredSummary) -> SummaryOut:
    return SummaryOut(session_id=session_id, generated_at=stored.generated_at, summary=stored.summary)
