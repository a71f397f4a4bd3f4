"""The programme that old sessions go on in."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from chat_service.programs.catalog import read_version
from chat_service.programs.content import Programme, Week
from chat_service.programs.labels import PRODUCTION
from chat_service.tables import Program, ProgramLabel, ProgramVersion


@dataclass(frozen=True)
class Target:
    """The version that new participants begin, else the newest one."""

    program_id: UUID
    programme: Programme

    def week(self, number: int) -> Week | None:
        """The active week of this old number: by its name where weeks were renumbered, else by its number."""
        active = self.programme.active_weeks
        named = (week for week in active if week.name == f"Week {number}")
        return next(named, None) or next((week for week in active if week.week_number == number), None)


def find_target(session: Session, slug: str) -> Target | None:
    """None when there is no such programme."""
    production = and_(
        ProgramLabel.program_id == Program.program_id,
        ProgramLabel.version_id == ProgramVersion.version_id,
        ProgramLabel.label == PRODUCTION,
    )
    found = session.execute(
        select(Program.program_id, ProgramVersion.version_id)
        .join(ProgramVersion, ProgramVersion.program_id == Program.program_id)
        .outerjoin(ProgramLabel, production)
        .where(Program.slug == slug)
        .order_by(ProgramLabel.label.is_(None), ProgramVersion.version.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    return Target(found.program_id, read_version(session, found.version_id))
