"""Rules of program versions, version labels and experiments."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from chat_service.programs.authoring.diff import Difference, compare
from chat_service.programs.authoring.errors import (
    ExperimentNotFound,
    ExperimentRunning,
    InvalidProgramRefused,
    LabelInExperiment,
    LabelNotFound,
    NoEarlierVersion,
    OtherSlug,
    ProtectedLabel,
)
from chat_service.programs.authoring.repository import AuthoringRepository
from chat_service.programs.authoring.validation_report import ValidationReport
from chat_service.programs.content.catalog import read_version
from chat_service.programs.content.model import Program
from chat_service.programs.content.publishing import add_version
from chat_service.programs.content.version_labels import PRODUCTION, current, lock, move, version_before
from chat_service.tables import Experiment
from cogniflow_kit.identity import User


class Versions:
    """Program versions: validated, published once, never changed."""

    def __init__(self, db: Session) -> None:
        self._db = db
        self._repository = AuthoringRepository(db)

    def publish(self, slug: str, report: ValidationReport, author: UUID) -> tuple[Row[Any], bool]:
        """Publish a version. Returns it and whether it is new.

        Raises: InvalidProgramRefused, OtherSlug, VersionTaken (other content under the same number)
        """
        if report.program is None:
            raise InvalidProgramRefused(report)
        if report.program.slug != slug:
            raise OtherSlug(report.program.slug)
        published = add_version(self._db, report.program, report.source, author)
        return self._repository.about_version(published.version_id), published.is_new

    def page(self, slug: str, after: UUID | None, limit: int) -> list[Row[Any]]:
        """Return versions, newest first, one more than `limit` when there are more."""
        return self._repository.versions(self._repository.program(slug), after, limit)

    def content(self, slug: str, number: int) -> Program:
        """Raises: ProgramNotFound, VersionNotFound"""
        return read_version(self._db, self._repository.version(self._repository.program(slug), number))

    def compare(self, slug: str, old: int, new: int) -> Difference:
        """Raises: ProgramNotFound, VersionNotFound"""
        return compare(self.content(slug, old), self.content(slug, new))


class Labels:
    """Version labels of programs. New participants start the version that `production` points at."""

    def __init__(self, db: Session) -> None:
        self._db = db
        self._repository = AuthoringRepository(db)

    def all(self, slug: str) -> list[Row[Any]]:
        return self._repository.labels(self._repository.program(slug))

    def put(self, slug: str, label: str, number: int, user: User) -> Row[Any]:
        """Point a label at a version. Raises: ProtectedLabel, VersionNotFound"""
        _check_may_move(label, user)
        program_id = self._repository.program(slug)
        version_id = self._repository.version(program_id, number)
        move(self._db, program_id, label, version_id, moved_by=user.id)
        return self._repository.label(program_id, label)

    def remove(self, slug: str, label: str, user: User) -> None:
        """Raises: ProtectedLabel, LabelNotFound, LabelInExperiment (a running experiment splits it)"""
        _check_may_move(label, user)
        program_id = self._repository.program(slug)
        lock(self._db, program_id)
        if self._repository.has_running_experiment(program_id, label):
            raise LabelInExperiment
        if not move(self._db, program_id, label, None, moved_by=user.id):
            raise LabelNotFound

    def roll_back(self, slug: str, label: str, user: User) -> Row[Any]:
        """Undo the newest move that is not undone yet; also the removal of a label.

        Raises: ProtectedLabel, LabelNotFound, NoEarlierVersion
        """
        _check_may_move(label, user)
        program_id = self._repository.program(slug)
        lock(self._db, program_id)
        version_id = version_before(self._db, program_id, label)
        if version_id is None:
            raise NoEarlierVersion if current(self._db, program_id, label) else LabelNotFound
        move(self._db, program_id, label, version_id, moved_by=user.id)
        return self._repository.label(program_id, label)

    def history(self, slug: str, label: str, after: UUID | None, limit: int) -> list[Row[Any]]:
        """Return moves, newest first, one more than `limit` when there are more."""
        return self._repository.history(self._repository.program(slug), label, after, limit)


def _check_may_move(label: str, user: User) -> None:
    """Raises: ProtectedLabel (only admins move `production`)"""
    if label == PRODUCTION and user.role != "admin":
        raise ProtectedLabel


@dataclass(frozen=True)
class ExperimentWithArms:
    """An experiment with the weight and the counts of each arm."""

    experiment: Experiment
    arms: list[Row[Any]]

    @property
    def id(self) -> UUID:
        return self.experiment.experiment_id


class Experiments:
    """Experiments split the new participants of a label between versions, by weight."""

    def __init__(self, db: Session) -> None:
        self._db = db
        self._repository = AuthoringRepository(db)

    def start(
        self, slug: str, name: str, label: str, weights: dict[int, int], author: UUID
    ) -> ExperimentWithArms:
        """Start an experiment. `weights`: by version number.

        Raises: LabelNotFound, VersionNotFound, ExperimentRunning (another one splits the label)
        """
        program_id = self._repository.program(slug)
        lock(self._db, program_id)
        if current(self._db, program_id, label) is None:
            raise LabelNotFound
        if self._repository.has_running_experiment(program_id, label):
            raise ExperimentRunning
        by_id = {self._repository.version(program_id, number): weight for number, weight in weights.items()}
        return self._one(program_id, self._repository.add_experiment(program_id, label, name, author, by_id))

    def page(self, slug: str, after: UUID | None, limit: int) -> list[ExperimentWithArms]:
        """Return experiments, newest first, one more than `limit` when there are more."""
        return self._with_arms(self._repository.experiments(self._repository.program(slug), after, limit))

    def stop(self, slug: str, experiment_id: UUID) -> ExperimentWithArms:
        """Stop an experiment; its participants keep their version. A repetition changes nothing.

        Raises: ProgramNotFound, ExperimentNotFound
        """
        program_id = self._repository.program(slug)
        lock(self._db, program_id)
        self._repository.stop_experiment(program_id, experiment_id)
        return self._one(program_id, experiment_id)

    def _one(self, program_id: UUID, experiment_id: UUID) -> ExperimentWithArms:
        found = self._repository.experiment(program_id, experiment_id)
        if found is None:
            raise ExperimentNotFound
        return self._with_arms([found])[0]

    def _with_arms(self, experiments: list[Experiment]) -> list[ExperimentWithArms]:
        arms = self._repository.arms([one.experiment_id for one in experiments])
        return [ExperimentWithArms(one, arms.get(one.experiment_id, [])) for one in experiments]
