"""Queries on programs, their versions, labels and experiments."""

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, String, cast, exists, func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, aliased

from chat_service import tables
from chat_service.programs.authoring.errors import LabelNotFound, VersionNotFound
from chat_service.programs.sessions.errors import ProgramNotFound
from cogniflow_kit.ids import new_id

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
_PARTICIPANTS = (
    select(func.count())
    .where(
        tables.ExperimentAssignment.experiment_id == tables.ExperimentArm.experiment_id,
        tables.ExperimentAssignment.version_id == tables.ExperimentArm.version_id,
    )
    .scalar_subquery()
)
_SESSIONS = select(func.count()).where(
    tables.ProgramSession.experiment_id == tables.ExperimentArm.experiment_id,
    tables.ProgramSession.version_id == tables.ExperimentArm.version_id,
)
_ARMS = (
    select(
        tables.ExperimentArm.experiment_id,
        tables.ExperimentArm.weight,
        tables.ProgramVersion.version,
        _PARTICIPANTS.label("participants"),
        _SESSIONS.scalar_subquery().label("sessions"),
        _SESSIONS.where(tables.ProgramSession.completed).scalar_subquery().label("completed"),
    )
    .join(tables.ProgramVersion, tables.ProgramVersion.version_id == tables.ExperimentArm.version_id)
    .order_by(tables.ProgramVersion.version)
)


class AuthoringRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def program(self, slug: str) -> UUID:
        """Return the id of a program. Raises: ProgramNotFound"""
        found = self._db.scalar(select(tables.Program.program_id).where(tables.Program.slug == slug))
        if found is None:
            raise ProgramNotFound
        return found

    def version(self, program_id: UUID, number: int) -> UUID:
        """Return the id of a version. Raises: VersionNotFound"""
        found = self._db.scalar(
            select(tables.ProgramVersion.version_id).where(
                tables.ProgramVersion.program_id == program_id, tables.ProgramVersion.version == number
            )
        )
        if found is None:
            raise VersionNotFound
        return found

    def versions(self, program_id: UUID, after: UUID | None, limit: int) -> list[Row[Any]]:
        """Return versions, newest first, one more than `limit` when there are more."""
        found = (
            _VERSIONS.where(tables.ProgramVersion.program_id == program_id)
            .order_by(tables.ProgramVersion.version_id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            found = found.where(tables.ProgramVersion.version_id < after)
        return list(self._db.execute(found))

    def about_version(self, version_id: UUID) -> Row[Any]:
        return self._db.execute(_VERSIONS.where(tables.ProgramVersion.version_id == version_id)).one()

    def labels(self, program_id: UUID) -> list[Row[Any]]:
        return list(
            self._db.execute(
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
        """Raises: LabelNotFound"""
        found = next((row for row in self.labels(program_id) if row.label == label), None)
        if found is None:
            raise LabelNotFound
        return found

    def history(self, program_id: UUID, label: str, after: UUID | None, limit: int) -> list[Row[Any]]:
        """Return moves, newest first, one more than `limit` when there are more."""
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
        return list(self._db.execute(found))

    def has_running_experiment(self, program_id: UUID, label: str) -> bool:
        running = exists().where(
            tables.Experiment.program_id == program_id,
            tables.Experiment.label == label,
            tables.Experiment.status == "running",
        )
        return bool(self._db.scalar(select(running)))

    def add_experiment(
        self, program_id: UUID, label: str, name: str, author: UUID, weights: dict[UUID, int]
    ) -> UUID:
        """Add a running experiment and return its id. `weights`: by version id."""
        experiment_id = new_id()
        self._db.add(
            tables.Experiment(
                experiment_id=experiment_id,
                program_id=program_id,
                label=label,
                name=name,
                created_by=author,
            )
        )
        self._db.flush()
        self._db.add_all(
            tables.ExperimentArm(experiment_id=experiment_id, version_id=version_id, weight=weight)
            for version_id, weight in weights.items()
        )
        self._db.flush()
        return experiment_id

    def experiments(self, program_id: UUID, after: UUID | None, limit: int) -> list[tables.Experiment]:
        """Return experiments, newest first, one more than `limit` when there are more."""
        found = (
            select(tables.Experiment)
            .where(tables.Experiment.program_id == program_id)
            .order_by(tables.Experiment.experiment_id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            found = found.where(tables.Experiment.experiment_id < after)
        return list(self._db.scalars(found))

    def experiment(self, program_id: UUID, experiment_id: UUID) -> tables.Experiment | None:
        return self._db.scalars(
            select(tables.Experiment)
            .where(
                tables.Experiment.program_id == program_id, tables.Experiment.experiment_id == experiment_id
            )
            .execution_options(populate_existing=True)
        ).first()

    def stop_experiment(self, program_id: UUID, experiment_id: UUID) -> None:
        self._db.execute(
            update(tables.Experiment)
            .where(
                tables.Experiment.program_id == program_id,
                tables.Experiment.experiment_id == experiment_id,
                tables.Experiment.status == "running",
            )
            .values(status="stopped", stopped_at=func.now())
        )

    def arms(self, experiment_ids: list[UUID]) -> dict[UUID, list[Row[Any]]]:
        """Return the arms of each experiment with their counts, by version number."""
        arms: dict[UUID, list[Row[Any]]] = {}
        for row in self._db.execute(_ARMS.where(tables.ExperimentArm.experiment_id.in_(experiment_ids))):
            arms.setdefault(row.experiment_id, []).append(row)
        return arms
