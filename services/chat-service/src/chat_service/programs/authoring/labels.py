"""Rules of labels: who moves them, and where a rollback leads."""

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.authoring.errors import (
    LabelInExperiment,
    LabelNotFound,
    NothingBefore,
    ProtectedLabel,
)
from chat_service.programs.authoring.repository import AuthoringRepository
from chat_service.programs.authoring.schemas import LabelMoveOut, LabelOut
from chat_service.programs.content.version_labels import PRODUCTION, current, lock, move, version_before
from cogniflow_kit.identity import User


class Labels:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._repository = AuthoringRepository(session)

    def all(self, slug: str) -> list[LabelOut]:
        rows = self._repository.labels(self._repository.program(slug))
        return [LabelOut.model_validate(row) for row in rows]

    def put(self, slug: str, label: str, number: int, user: User) -> LabelOut:
        """Point the label at a version. Raises ProtectedLabel and VersionNotFound."""
        _check(label, user)
        program_id = self._repository.program(slug)
        version_id = self._repository.version(program_id, number)
        move(self._session, program_id, label, version_id, moved_by=user.id)
        return LabelOut.model_validate(self._repository.label(program_id, label))

    def remove(self, slug: str, label: str, user: User) -> None:
        """Raises ProtectedLabel, LabelNotFound, and LabelInExperiment while one splits it."""
        _check(label, user)
        program_id = self._repository.program(slug)
        lock(self._session, program_id)
        if self._session.scalar(
            select(
                exists().where(
                    tables.Experiment.program_id == program_id,
                    tables.Experiment.label == label,
                    tables.Experiment.status == "running",
                )
            )
        ):
            raise LabelInExperiment
        if not move(self._session, program_id, label, None, moved_by=user.id):
            raise LabelNotFound

    def roll_back(self, slug: str, label: str, user: User) -> LabelOut:
        """Undo the newest move that isn't undone yet, removal included. Raises NothingBefore."""
        _check(label, user)
        program_id = self._repository.program(slug)
        lock(self._session, program_id)
        version_id = version_before(self._session, program_id, label)
        if version_id is None:
            raise NothingBefore if current(self._session, program_id, label) else LabelNotFound
        move(self._session, program_id, label, version_id, moved_by=user.id)
        return LabelOut.model_validate(self._repository.label(program_id, label))

    def history(self, slug: str, label: str, after: UUID | None, limit: int) -> list[LabelMoveOut]:
        """Newest first, one more than `limit` when there is more; empty for a label that never was."""
        rows = self._repository.history(self._repository.program(slug), label, after, limit)
        return [LabelMoveOut.model_validate(row) for row in rows]


def _check(label: str, user: User) -> None:
    if label == PRODUCTION and user.role != "admin":
        raise ProtectedLabel
