"""Queries on programmes, their versions and their labels."""

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, String, cast, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, aliased

from chat_service.authoring.errors import LabelNotFound, VersionNotFound
from chat_service.programs.errors import ProgrammeNotFound
from chat_service.tables import Program, ProgramLabel, ProgramLabelMove, ProgramVersion

_OWN_LABELS = (
    select(func.array_agg(aggregate_order_by(ProgramLabel.label, ProgramLabel.label)))
    .where(ProgramLabel.version_id == ProgramVersion.version_id)
    .scalar_subquery()
)
_VERSIONS = select(
    ProgramVersion.version_id.label("id"),
    ProgramVersion.version,
    ProgramVersion.title,
    ProgramVersion.published_at,
    ProgramVersion.published_by,
    func.coalesce(_OWN_LABELS, cast([], ARRAY(String))).label("labels"),
)


class AuthoringRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def program(self, slug: str) -> UUID:
        """Raises ProgrammeNotFound."""
        found = self._session.scalar(select(Program.program_id).where(Program.slug == slug))
        if found is None:
            raise ProgrammeNotFound
        return found

    def version(self, program_id: UUID, number: int) -> UUID:
        """Raises VersionNotFound."""
        found = self._session.scalar(
            select(ProgramVersion.version_id).where(
                ProgramVersion.program_id == program_id, ProgramVersion.version == number
            )
        )
        if found is None:
            raise VersionNotFound
        return found

    def versions(self, program_id: UUID, after: UUID | None, limit: int) -> list[Row[Any]]:
        """Newest first, from behind `after`; one more than `limit` when there is more."""
        found = (
            _VERSIONS.where(ProgramVersion.program_id == program_id)
            .order_by(ProgramVersion.version_id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            found = found.where(ProgramVersion.version_id < after)
        return list(self._session.execute(found))

    def about_version(self, version_id: UUID) -> Row[Any]:
        return self._session.execute(_VERSIONS.where(ProgramVersion.version_id == version_id)).one()

    def labels(self, program_id: UUID) -> list[Row[Any]]:
        return list(
            self._session.execute(
                select(
                    ProgramLabel.label,
                    ProgramVersion.version,
                    ProgramLabel.moved_at,
                    ProgramLabel.moved_by,
                )
                .join(ProgramVersion, ProgramVersion.version_id == ProgramLabel.version_id)
                .where(ProgramLabel.program_id == program_id)
                .order_by(ProgramLabel.label)
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
        before, then = aliased(ProgramVersion), aliased(ProgramVersion)
        found = (
            select(
                ProgramLabelMove.move_id.label("id"),
                before.version.label("from_version"),
                then.version.label("to_version"),
                ProgramLabelMove.moved_at,
                ProgramLabelMove.moved_by,
            )
            .outerjoin(before, before.version_id == ProgramLabelMove.from_version_id)
            .outerjoin(then, then.version_id == ProgramLabelMove.to_version_id)
            .where(ProgramLabelMove.program_id == program_id, ProgramLabelMove.label == label)
            .order_by(ProgramLabelMove.move_id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            found = found.where(ProgramLabelMove.move_id < after)
        return list(self._session.execute(found))
