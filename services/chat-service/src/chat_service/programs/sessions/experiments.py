"""A running experiment gives each participant one of its versions, always the same one."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.sessions.participant import account_of
from cogniflow_kit.events import Event
from cogniflow_kit.sql.outbox import record


class Arm(NamedTuple):
    """A version and its share: `weight` out of the sum of all weights."""

    version_id: UUID
    weight: int


def choose(experiment_id: UUID, user_id: UUID, arms: Sequence[Arm]) -> UUID:
    """The version for this participant: SHA-256 of both ids, spread evenly over the weights."""
    digest = hashlib.sha256(experiment_id.bytes + user_id.bytes).digest()
    program_session = int.from_bytes(digest[:8], "big") * sum(arm.weight for arm in arms) >> 64
    ordered = sorted(arms)
    for arm in ordered:
        program_session -= arm.weight
        if program_session < 0:
            return arm.version_id
    raise AssertionError("the place lies below the sum of all weights")


def assign(session: Session, experiment_id: UUID, user_id: UUID) -> UUID:
    """The participant's version. The first time, it is stored and told as `experiment.exposed`.

    What is stored counts: an account keeps what it was given before it had this id.
    """
    arms = session.execute(
        select(tables.ExperimentArm.version_id, tables.ExperimentArm.weight).where(
            tables.ExperimentArm.experiment_id == experiment_id
        )
    )
    version_id = choose(experiment_id, user_id, [Arm(*row) for row in arms])
    stored = session.scalar(
        insert(tables.ExperimentAssignment)
        .values(experiment_id=experiment_id, user_id=user_id, version_id=version_id)
        .on_conflict_do_nothing()
        .returning(tables.ExperimentAssignment.version_id)
    )
    if stored is None:
        return _assigned(session, experiment_id, user_id)
    record(session, _exposed(session, experiment_id, user_id, version_id))
    return version_id


def _assigned(session: Session, experiment_id: UUID, user_id: UUID) -> UUID:
    return session.execute(
        select(tables.ExperimentAssignment.version_id).where(
            tables.ExperimentAssignment.experiment_id == experiment_id,
            tables.ExperimentAssignment.user_id == user_id,
        )
    ).scalar_one()


def _exposed(session: Session, experiment_id: UUID, user_id: UUID, version_id: UUID) -> Event:
    slug, version = session.execute(
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
    """What a step tells of the experiment that its session began under; nothing without one."""
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
