"""The program that old sessions go on in."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.content.catalog import read_version
from chat_service.programs.content.model import Program, Week
from chat_service.programs.content.version_labels import PRODUCTION


@dataclass(frozen=True)
class Target:
    """The version that new participants begin, else the newest one."""

    program_id: UUID
    program: Program

    def week(self, number: int) -> Week | None:
        """The active week of this old number: by its name where weeks were renumbered, else by its number."""
        active = self.program.active_weeks
        named = (week for week in active if week.name == f"Week {number}")
        return next(named, None) or next((week for week in active if week.week_number == number), None)


def find_target(session: Session, slug: str) -> Target | None:
    """None when there is no such program."""
    production = and_(
        tables.ProgramLabel.program_id == tables.Program.program_id,
        tables.ProgramLabel.version_id == tables.ProgramVersion.version_id,
        tables.ProgramLabel.label == PRODUCTION,
    )
    found = session.execute(
        select(tables.Program.program_id, tables.ProgramVersion.version_id)
        .join(tables.ProgramVersion, tables.ProgramVersion.program_id == tables.Program.program_id)
        .outerjoin(tables.ProgramLabel, production)
        .where(tables.Program.slug == slug)
        .order_by(tables.ProgramLabel.label.is_(None), tables.ProgramVersion.version.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    return Target(found.program_id, read_version(session, found.version_id))
