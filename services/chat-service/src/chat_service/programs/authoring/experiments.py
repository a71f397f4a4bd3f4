"""Rules of experiments: a label's newcomers are split between versions while one runs."""

from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.authoring.errors import ExperimentNotFound, ExperimentRunning, LabelNotFound
from chat_service.programs.authoring.repository import AuthoringRepository
from chat_service.programs.authoring.schemas import ArmOut, ExperimentOut, NewExperiment
from chat_service.programs.content.version_labels import current, lock
from cogniflow_kit.ids import new_id

_ASSIGNED = (
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
        _ASSIGNED.label("participants"),
        _SESSIONS.scalar_subquery().label("sessions"),
        _SESSIONS.where(tables.ProgramSession.completed).scalar_subquery().label("completed"),
    )
    .join(tables.ProgramVersion, tables.ProgramVersion.version_id == tables.ExperimentArm.version_id)
    .order_by(tables.ProgramVersion.version)
)


class Experiments:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._repository = AuthoringRepository(session)

    def start(self, slug: str, new: NewExperiment, author: UUID) -> ExperimentOut:
        """Raises LabelNotFound, VersionNotFound, and ExperimentRunning while another splits the label."""
        program_id = self._repository.program(slug)
        lock(self._session, program_id)
        if current(self._session, program_id, new.label) is None:
            raise LabelNotFound
        if self._runs(program_id, new.label):
            raise ExperimentRunning
        weights = {self._repository.version(program_id, arm.version): arm.weight for arm in new.arms}
        experiment_id = new_id()
        self._session.add(
            tables.Experiment(
                experiment_id=experiment_id,
                program_id=program_id,
                label=new.label,
                name=new.name,
                created_by=author,
            )
        )
        self._session.flush()
        self._session.add_all(
            tables.ExperimentArm(experiment_id=experiment_id, version_id=version_id, weight=weight)
            for version_id, weight in weights.items()
        )
        self._session.flush()
        return self._one(program_id, experiment_id)

    def page(self, slug: str, after: UUID | None, limit: int) -> list[ExperimentOut]:
        """Newest first, one more than `limit` when there is more."""
        own = (
            select(tables.Experiment)
            .where(tables.Experiment.program_id == self._repository.program(slug))
            .order_by(tables.Experiment.experiment_id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            own = own.where(tables.Experiment.experiment_id < after)
        return self._with_arms(list(self._session.scalars(own)))

    def stop(self, slug: str, experiment_id: UUID) -> ExperimentOut:
        """Newcomers begin what the label points at again; who is in it stays. Twice is like once."""
        program_id = self._repository.program(slug)
        lock(self._session, program_id)
        self._session.execute(
            update(tables.Experiment)
            .where(
                tables.Experiment.program_id == program_id,
                tables.Experiment.experiment_id == experiment_id,
                tables.Experiment.status == "running",
            )
            .values(status="stopped", stopped_at=func.now())
        )
        return self._one(program_id, experiment_id)

    def _runs(self, program_id: UUID, label: str) -> bool:
        running = exists().where(
            tables.Experiment.program_id == program_id,
            tables.Experiment.label == label,
            tables.Experiment.status == "running",
        )
        return bool(self._session.scalar(select(running)))

    def _one(self, program_id: UUID, experiment_id: UUID) -> ExperimentOut:
        found = self._session.scalars(
            select(tables.Experiment)
            .where(
                tables.Experiment.program_id == program_id, tables.Experiment.experiment_id == experiment_id
            )
            .execution_options(populate_existing=True)
        ).first()
        if found is None:
            raise ExperimentNotFound
        return self._with_arms([found])[0]

    def _with_arms(self, experiments: list[tables.Experiment]) -> list[ExperimentOut]:
        arms: dict[UUID, list[ArmOut]] = {one.experiment_id: [] for one in experiments}
        for row in self._session.execute(_ARMS.where(tables.ExperimentArm.experiment_id.in_(arms))):
            arms[row.experiment_id].append(ArmOut.model_validate(row))
        return [
            ExperimentOut(
                id=one.experiment_id,
                name=one.name,
                label=one.label,
                status="running" if one.status == "running" else "stopped",
                created_at=one.created_at,
                stopped_at=one.stopped_at,
                arms=arms[one.experiment_id],
            )
            for one in experiments
        ]
