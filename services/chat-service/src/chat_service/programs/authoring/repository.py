"""Queries on programs, their versions and their labels."""

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, String, cast, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, aliased

from chat_service import tables
from chat_service.programs.authoring.errors import LabelNotFound, VersionNotFound
from chat_service.programs.sessions.errors import ProgramNotFound

_OWN_LABELS = (
    select(func.array_agg(aggregate_order_by(tables.ProgramLabel.label, tables.ProgramLabel.label)))
    .where(tables.ProgramLabel.version_id == tables.ProgramVersion.version_id)
    .scalar_subquery()
)
_VERSIONS = select(
    tables.ProgramVersion.version_id.label("id"),
    tables.ProgramVersion.version,
    tables.ProgramVersion.title,
    tables.ProgramVersion.published_at,
    tables.ProgramVersion.published_by,
    func.coalesce(_OWN_LABELS, cast([], ARRAY(String))).label("labels"),
)


class AuthoringRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def program(self, slug: str) -> UUID:
        """Raises ProgramNotFound."""
        found = self._session.scalar(select(tables.Program.program_id).where(tables.Program.slug == slug))
        if found is None:
            raise ProgramNotFound
        return found

    def version(self, program_id: UUID, number: int) -> UUID:
        """Raises VersionNotFound."""
        found = self._session.scalar(
            select(tables.ProgramVersion.version_id).where(
                tables.ProgramVersion.program_id == program_id, tables.ProgramVersion.version == number
            )
        )
        if found is None:
            raise VersionNotFound
        return found

    def versions(self, program_id: UUID, after: UUID | None, limit: int) -> list[Row[Any]]:
        """Newest first, from behind `after`; one more than `limit` when there is more."""
        found = (
            _VERSIONS.where(tables.ProgramVersion.program_id == program_id)
            .order_by(tables.ProgramVersion.version_id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            found = found.where(tables.ProgramVersion.version_id < after)
        return list(self._session.execute(found))

    def about_version(self, version_id: UUID) -> Row[Any]:
        return self._session.execute(_VERSIONS.where(tables.ProgramVersion.version_id == version_id)).one()

    def labels(self, program_id: UUID) -> list[Row[Any]]:
        return list(
            self._session.execute(
                select(
                    tables.ProgramLabel.label,
                    tables.ProgramVersion.version,
                    tables.ProgramLabel.moved_at,
                    tables.ProgramLabel.moved_by,
                )
                .join(
                    tables.ProgramVersion, tables.ProgramVersion.version_id == tables.ProgramLabel.version_id
                )
                .where(tables.ProgramLabel.program_id == program_id)
                .order_by(tables.ProgramLabel.label)
            )
        )

    def label(self, program_id: UUID, label: str) -> Row[Any]:
        """Raises LabelNotFound."""
        found = next((row for row in self.labels(program_id) if row.label == label), None)
        if found is None:
            raise LabelNotFound
        return found

    def history(self, program_id: UUID, label: str, after: UUID | None, limit: int) -> list[Row[Any]]:
        """Newest first, from behind `after`; one more than `limit` when there is more."""
        before, then = aliased(tables.ProgramVersion), aliased(tables.ProgramVersion)
        found = (
            select(
                tables.ProgramLabelMove.move_id.label("id"),
                before.version.label("from_version"),
                then.version.label("to_version"),
                tables.ProgramLabelMove.moved_at,
                tables.ProgramLabelMove.moved_by,
            )
            .outerjoin(before, before.version_id == tables.ProgramLabelMove.from_version_id)
            .outerjoin(then, then.version_id == tables.ProgramLabelMove.to_version_id)
            .where(tables.ProgramLabelMove.program_id == program_id, tables.ProgramLabelMove.label == label)
            .order_by(tables.ProgramLabelMove.move_id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            found = found.where(tables.ProgramLabelMove.move_id < after)
        return list(self._session.execute(found))
