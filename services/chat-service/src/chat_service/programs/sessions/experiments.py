"""Chooses the program version of a new session; an experiment gives each participant always the same one."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.content.version_labels import PRODUCTION
from chat_service.programs.sessions.errors import ProgramNotFound
from chat_service.programs.sessions.participant import account_of
from cogniflow_kit.events import Event
from cogniflow_kit.sql.outbox import record


class Arm(NamedTuple):
    """A version and its share: `weight` out of the sum of all weights."""

    version_id: UUID
    weight: int


class StartVersion(NamedTuple):
    """The version of a new session, and the experiment that chose it, if any."""

    version_id: UUID
    experiment_id: UUID | None


def version_to_start(db: Session, slug: str, user_id: UUID) -> StartVersion:
    """The version for a new session of this participant. Raises: ProgramNotFound (no `production` label).

    Stores the participant's assignment to a running experiment, so call it
    in the transaction that starts the session.
    """
    running = and_(
        tables.Experiment.program_id == tables.ProgramLabel.program_id,
        tables.Experiment.label == tables.ProgramLabel.label,
        tables.Experiment.status == "running",
    )
    found = db.execute(
        select(tables.ProgramLabel.version_id, tables.Experiment.experiment_id)
        .join(tables.Program, tables.Program.program_id == tables.ProgramLabel.program_id)
        .outerjoin(tables.Experiment, running)
        .where(tables.Program.slug == slug, tables.ProgramLabel.label == PRODUCTION)
    ).first()
    if found is None:
        raise ProgramNotFound
    version_id, experiment_id = found
    if experiment_id is None:
        return StartVersion(version_id, None)
    return StartVersion(assign(db, experiment_id, user_id), experiment_id)


def choose(experiment_id: UUID, user_id: UUID, arms: Sequence[Arm]) -> UUID:
    """The version for this participant: SHA-256 of both ids, spread evenly over the weights."""
    digest = hashlib.sha256(experiment_id.bytes + user_id.bytes).digest()
    position = int.from_bytes(digest[:8], "big") * sum(arm.weight for arm in arms) >> 64
    for arm in sorted(arms):
        position -= arm.weight
        if position < 0:
            return arm.version_id
    raise AssertionError("the position lies below the sum of all weights")


def assign(db: Session, experiment_id: UUID, user_id: UUID) -> UUID:
    """The participant's version. The first call stores it and records the event `experiment.exposed`.

    A stored assignment overrides the hash: a claimed session brings its own.
    """
    arms = db.execute(
        select(tables.ExperimentArm.version_id, tables.ExperimentArm.weight).where(
            tables.ExperimentArm.experiment_id == experiment_id
        )
    )
    version_id = choose(experiment_id, user_id, [Arm(*row) for row in arms])
    stored = db.scalar(
        insert(tables.ExperimentAssignment)
        .values(experiment_id=experiment_id, user_id=user_id, version_id=version_id)
        .on_conflict_do_nothing()
        .returning(tables.ExperimentAssignment.version_id)
    )
    if stored is None:
        return _assigned(db, experiment_id, user_id)
    record(db, _exposed(db, experiment_id, user_id, version_id))
    return version_id


def _assigned(db: Session, experiment_id: UUID, user_id: UUID) -> UUID:
    return db.execute(
        select(tables.ExperimentAssignment.version_id).where(
            tables.ExperimentAssignment.experiment_id == experiment_id,
            tables.ExperimentAssignment.user_id == user_id,
        )
    ).scalar_one()


def _exposed(db: Session, experiment_id: UUID, user_id: UUID, version_id: UUID) -> Event:
    slug, version = db.execute(
        select(tables.Program.slug, tables.ProgramVersion.version)
        .join(tables.ProgramVersion, tables.ProgramVersion.program_id == tables.Program.program_id)
        .where(tables.ProgramVersion.version_id == version_id)
    ).one()
    data = {"program": slug, "program_version": version, "experiment_id": str(experiment_id)}
    return Event(type="experiment.exposed", actor_id=account_of(user_id), data=data)


def outcomes(
    experiment_id: UUID | None,
    user_id: UUID,
    session_id: UUID,
    *,
    program: str,
    program_version: int,
    week: int,
    week_completed: bool,
    session_completed: bool,
) -> list[Event]:
    """Events for the experiment that the session started under; none without one."""
    if experiment_id is None:
        return []
    actor_id = account_of(user_id)
    reached = {"week_completed": week_completed, "session_completed": session_completed}
    data: dict[str, Any] = {
        "program": program,
        "program_version": program_version,
        "experiment_id": str(experiment_id),
        **({"session_id": str(session_id)} if actor_id else {}),
        "week": week,
    }
    return [
        Event(type="experiment.outcome", actor_id=actor_id, data={**data, "outcome": outcome})
        for outcome, is_reached in reached.items()
        if is_reached
    ]
