"""`--accounts FILE.csv`: gives imported sessions, also those of earlier runs, to accounts."""

import csv
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from chat_service import tables
from legacy_import.apply.rows import RowCounts
from legacy_import.conversions import decode
from legacy_import.ledger import Ledger

KIND: Literal["accounts"] = "accounts"


class UnreadableAccounts(ValueError):
    """The file is missing, no CSV, or lacks a column."""


def read_accounts(path: Path, ledger: Ledger) -> dict[str, UUID]:
    """Account ids by session id; each line counts as a record. Raises: UnreadableAccounts."""
    try:
        reader = csv.DictReader(StringIO(decode(path.read_bytes())[0], newline=""))
        lines = list(reader)
    except OSError as error:
        raise UnreadableAccounts(f"{path} can't be read: {error.strerror}") from error
    except csv.Error as error:
        raise UnreadableAccounts(f"{path} is no CSV: {error}") from error
    if not {"session_id", "user_id"} <= set(reader.fieldnames or ()):
        raise UnreadableAccounts(f"the first line of {path} must name session_id and user_id")
    found: dict[str, UUID] = {}
    for number, line in enumerate(lines, start=2):
        ledger.count_read(KIND)
        place, name = f"{path}:{number}", (line["session_id"] or "").strip()
        user_id = _parse_uuid(line["user_id"] or "")
        if not name or user_id is None:
            ledger.skip(KIND, place, "it needs a session_id, and a user_id that is a UUID")
        elif name in found:
            ledger.skip(KIND, place, "the session is there twice; the first line counts")
        else:
            found[name] = user_id
    return found


def assign(
    session: Session, accounts: Mapping[str, UUID], place: str, ledger: Ledger
) -> dict[str, RowCounts]:
    """Set the owner of each session and of all its rows; repeating it changes nothing."""
    counts: dict[str, RowCounts] = {}
    for legacy_id, user_id in accounts.items():
        here = f"{place}: {legacy_id}"
        sessions = session.scalars(
            select(tables.ProgramSession)
            .where(tables.ProgramSession.legacy_id == legacy_id, tables.ProgramSession.origin == "legacy")
            .with_for_update()
        ).all()
        beside = [found for found in sessions if _participates(session, found, user_id)]
        if not sessions:
            ledger.skip(KIND, here, "no session of that name was imported")
        elif beside:
            reason = "the account has an open session of the program already; this one is not assigned"
            ledger.skip(KIND, here, reason)
        else:
            ledger.count_imported(KIND)
            for found in sessions:
                _set_owner(session, found, user_id, counts.setdefault("sessions", RowCounts()))
    return counts


def _participates(session: Session, found: tables.ProgramSession, user_id: UUID) -> bool:
    other = select(func.count()).where(
        tables.ProgramSession.user_id == user_id,
        tables.ProgramSession.program_id == found.program_id,
        tables.ProgramSession.session_id != found.session_id,
        tables.ProgramSession.completed.is_(False),
    )
    return not found.completed and bool(session.scalar(other))


def _set_owner(session: Session, found: tables.ProgramSession, user_id: UUID, count: RowCounts) -> None:
    if found.user_id == user_id:
        count.unchanged += 1
        return
    for table in tables.metadata.sorted_tables:
        if {"session_id", "user_id"} <= set(table.columns.keys()):
            own = table.c.session_id == found.session_id
            session.execute(update(table).where(own).values(user_id=user_id))
    session.expire(found)
    count.updated += 1


def _parse_uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None
